import { type Formula, paramsOf } from '../expressions/formula.ts';
import type { Axis, Matrix } from '../matrix/matrix.ts';
import type { Params } from '../matrix/params.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import type { CheckedReport } from './report.ts';
import type { CheckedStage } from './stages.ts';

/** The compiled parts of a pipeline in which a param can be used. */
export interface CompiledParts {
  readonly stages: readonly CheckedStage[];
  readonly collects: readonly CheckedStage[];
  readonly report: CheckedReport;
  readonly strategy: Formula;
  readonly defaults: Formula;
  readonly matrix: Matrix | undefined;
  readonly params: Params;
  readonly axes: readonly string[];
}

/** Warns of params that nothing reads, and of axes along which all cells would be equal: most often a misspelling or a forgotten line. */
export function warnOfUnused(parts: CompiledParts, diagnostics: Diagnostics): void {
  const inCells = [...parts.stages.flatMap((stage) => [stage.with, stage.execution]), parts.defaults];
  const elsewhere = [
    ...parts.collects.map((stage) => stage.with),
    ...parts.report.formulas,
    parts.strategy,
    ...(parts.matrix?.steps.flat().flatMap(axisFormulas) ?? []),
    ...[...(parts.matrix?.include ?? []), ...(parts.matrix?.exclude ?? [])].flatMap(({ values }) =>
      Object.values(values),
    ),
  ];
  const readBy = (formulas: readonly Formula[]) => parts.params.reads(formulas.flatMap(paramsOf));
  const used = readBy([...inCells, ...elsewhere]);
  for (const name of parts.params.names) {
    if (used.has(name) || parts.axes.includes(name)) continue;
    const span = diagnostics.spanOfKey(['params', name]);
    diagnostics.warning(
      'unused-param',
      span,
      `nothing uses the param \`${name}\``,
      `use it as \`\${{ params.${name} }}\`, or remove it`,
    );
  }
  for (const name of parts.axes) {
    if (used.has(name)) continue;
    const span = diagnostics.spanOfKey(['strategy', 'matrix', name]);
    const message = `nothing uses the axis \`${name}\`, so its cells only repeat each other`;
    diagnostics.warning('unused-axis', span, message, `use it as \`\${{ params.${name} }}\` in a stage`);
  }
}

function axisFormulas(axis: Axis): readonly Formula[] {
  if (axis.kind === 'list') return axis.items;
  return axis.kind === 'range' ? axis.bounds : [axis.list];
}
