import type { ArtifactKind } from '../../artifacts/reference.ts';
import { quoteAll } from '../diagnostics/did-you-mean.ts';
import { compileFormula, evaluateFormula, type Formula, outputsOf } from '../expressions/formula.ts';
import type { Directory } from '../expressions/scope.ts';
import { type Params, scopeOf } from '../matrix/params.ts';
import type { PlannedFigure } from '../plan.ts';
import { figureKinds, figuresByDefault } from '../schema/kinds.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import type { FigureNode, Spec } from '../spec/spec.ts';
import { type Path, placeKey, type Value, type ValueMap } from '../values.ts';
import type { CheckedStage } from './stages.ts';

/** The report section, compiled. */
export interface CheckedReport {
  readonly formulas: readonly Formula[];
  /** Evaluates titles and captions. */
  plan(params: ValueMap): { readonly title: string; readonly figures: readonly PlannedFigure[] };
}

type FigureTexts = { readonly title?: Formula | undefined; readonly caption?: Formula | undefined };

/** Checks the figures' kinds against what they are drawn from. Without figures, the outputs that are there decide. */
export function checkReport(
  spec: Spec,
  stages: readonly CheckedStage[],
  directories: { readonly stages: Directory; readonly collect: Directory },
  params: Params,
  absent: Parameters<typeof scopeOf>[3],
  diagnostics: Diagnostics,
): CheckedReport {
  const formulas: Formula[] = [];
  const compileTitle = (value: Value | undefined, path: Path) => {
    if (value === undefined) return undefined;
    const scope = scopeOf(params, params.names, {}, absent);
    const formula = compileFormula(value, path, { diagnostics, scope });
    formulas.push(formula);
    return formula;
  };
  const outputAt = (value: Value, kind: ArtifactKind, roots: Partial<typeof directories>, path: Path) => {
    const artifacts = new Map([[placeKey(path), [kind]]]);
    const scope = scopeOf(params, params.names, roots, absent);
    const formula = compileFormula(value, path, { diagnostics, scope, artifacts });
    const [output, second] = outputsOf(formula, diagnostics);
    if (second !== undefined)
      diagnostics.error(
        'wrong-figure',
        second.span,
        'a figure is drawn from one artifact',
        'add another figure for the other one',
      );
    return output;
  };
  const checkFigure = (node: FigureNode) => {
    const { path, kind } = node;
    if (!Object.hasOwn(figureKinds, kind)) return [];
    const { from: fromKind, fit: fitKind } = figureKinds[kind]!;
    const from = outputAt(node.from, fromKind, directories, [...path, 'from']);
    if (node.fit !== undefined && fitKind === undefined) {
      const fitting = Object.keys(figureKinds).filter((name) => figureKinds[name]!.fit !== undefined);
      diagnostics.error(
        'wrong-figure',
        diagnostics.spanOfKey([...path, 'fit']),
        `a ${kind} figure takes no fit`,
        `these do: ${quoteAll(fitting)}`,
      );
    }
    const fit =
      node.fit === undefined || fitKind === undefined
        ? undefined
        : outputAt(node.fit, fitKind, { stages: directories.stages }, [...path, 'fit']);
    const texts: FigureTexts = {
      title: compileTitle(node.title, [...path, 'title']),
      caption: compileTitle(node.caption, [...path, 'caption']),
    };
    if (from === undefined) return [];
    const planned: PlannedFigure = {
      kind,
      from: {
        scope: from.root === 'collect' ? 'study' : 'cell',
        stage: from.stage,
        output: from.output,
        kind: fromKind,
      },
      ...(fit === undefined ? {} : { fit: { stage: fit.stage, output: fit.output } }),
    };
    return [{ planned, texts }];
  };
  const title = compileTitle(spec.title, ['report', 'title']);
  const figures =
    spec.figures?.flatMap(checkFigure) ??
    defaultFigures(stages, directories).map((planned) => ({ planned, texts: {} as FigureTexts }));
  return {
    formulas,
    plan(values) {
      const text = (formula: Formula | undefined) =>
        formula === undefined
          ? undefined
          : String(evaluateFormula(formula, { params: values }, diagnostics) ?? '');
      return {
        title: text(title) ?? (spec.description || spec.name),
        figures: figures.map(({ planned, texts }) => ({
          ...planned,
          ...Object.fromEntries(
            Object.entries(texts).flatMap(([key, formula]: [string, Formula | undefined]) =>
              formula === undefined ? [] : [[key, text(formula)]],
            ),
          ),
        })),
      };
    },
  };
}

/** Of each artifact the figures that are drawn by default, with the fit to it if a stage makes one. */
function defaultFigures(
  stages: readonly CheckedStage[],
  directories: { readonly stages: Directory; readonly collect: Directory },
): PlannedFigure[] {
  const defaults = Object.entries(figuresByDefault);
  const kinds = [...new Set(defaults.map(([, { from }]) => from))];
  const outputs = [
    ...[...directories.stages].map(([stage, outputs]) => ({ scope: 'cell' as const, stage, outputs })),
    ...[...directories.collect].map(([stage, outputs]) => ({ scope: 'study' as const, stage, outputs })),
  ].flatMap(({ scope, stage, outputs }) =>
    Object.entries(outputs ?? {}).map(([output, kind]) => ({ scope, stage, output, kind })),
  );
  return kinds.flatMap((wanted) =>
    outputs
      .filter(({ kind }) => kind === wanted)
      .flatMap((from) =>
        defaults.flatMap(([kind, figure]) =>
          figure.from === wanted ? [{ kind, from, ...fitTo(from.stage, figure.fit, stages) }] : [],
        ),
      ),
  );
}

/** The output of kind `wanted` of the first stage that takes something of `stage` and has one. */
function fitTo(
  stage: string,
  wanted: ArtifactKind | undefined,
  stages: readonly CheckedStage[],
): Pick<PlannedFigure, 'fit'> {
  for (const { name, kind, edges } of stages) {
    const [output] = Object.entries(kind.outputs).find(([, made]) => made === wanted) ?? [];
    if (output !== undefined && edges.some(({ to }) => to === stage)) return { fit: { stage: name, output } };
  }
  return {};
}
