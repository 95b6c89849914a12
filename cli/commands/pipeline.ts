import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { InputError } from '../../artifacts/errors.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import { stageKind, stageKinds, toMermaid } from '../../compiler/index.ts';
import { plural } from '../../report/numbers.ts';
import { foresee } from '../../runtime/cost/foresight.ts';
import { findHome } from '../../runtime/home.ts';
import { exitCode, reportDiagnostic, reportError, tellError } from '../output/errors.ts';
import { githubCommands, type ValidateOutcome } from '../output/github.ts';
import { createOutput } from '../output/output.ts';
import { formatForesight } from '../run/foresight.ts';
import { collectOverride, compileFile } from '../run/pipeline-file.ts';
import { addPlaceOptions, handled, type PlaceOptions, placeOfStore } from './shared.ts';

const schemas = path.join(import.meta.dirname, '..', '..', 'schemas');

interface ValidateOptions {
  readonly set?: Record<string, string>;
  readonly json?: boolean;
  readonly format?: 'text' | 'github';
}

/** `validate`, `plan` and `schema`: what can be said of a pipeline without running it. */
export function addPipelineCommands(program: Command): void {
  program
    .command('validate')
    .argument('<files...>', 'pipelines')
    .description('check pipelines; each error has its place and a cure')
    .option('--set <name=value>', 'change a parameter, may be repeated', collectOverride)
    .option('--json', 'the outcome as JSON on standard output')
    .addOption(
      new Option('--format <format>', '`github` marks the places in GitHub Actions')
        .choices(['text', 'github'])
        .conflicts('json'),
    )
    .action(
      handled(async (files: string[], options: ValidateOptions) => {
        const forGithub = options.format === 'github';
        const output = createOutput(forGithub || options.json === true);
        const outcomes: ValidateOutcome[] = [];
        let worst: number = exitCode.done;
        for (const file of files) {
          try {
            const { plan, warnings } = await compileFile(file, options.set ?? {}, output);
            const [cells, stages] = [plan.cells.length, plan.cells[0]!.stages.length];
            outcomes.push({ file, valid: true, cells, diagnostics: warnings.map(reportDiagnostic) });
            output.line(
              `${pc.green('valid')} ${file}: ${plural(cells, 'cell')} of ${plural(stages, 'stage')}`,
            );
          } catch (error) {
            worst = Math.max(worst, tellError(error));
            const { diagnostics = [], ...report } = reportError(error);
            outcomes.push({ file, valid: false, diagnostics, error: report });
          }
        }
        if (options.json) output.result(outcomes);
        if (forGithub) output.text(outcomes.map(githubCommands).join(''));
        return worst;
      }),
    );

  addPlaceOptions(
    program
      .command('plan')
      .argument('<file>', 'pipeline')
      .description('show what a run would do: cells, stages, what is reused and why')
      .option('--set <name=value>', 'change a parameter, may be repeated', collectOverride)
      .addOption(new Option('--graph', 'the graph of the stages as Mermaid').conflicts('json'))
      .option('--json', 'the frozen plan as JSON'),
  ).action(
    handled(
      async (
        file: string,
        options: PlaceOptions & { set?: Record<string, string>; graph?: boolean; json?: boolean },
      ) => {
        const output = createOutput(options.json === true);
        const folder = path.dirname(path.resolve(file));
        const outside = options.graph ? undefined : folder;
        const { plan, warnings } = await compileFile(file, options.set ?? {}, output, outside);
        if (options.graph) {
          output.text(`${toMermaid(plan)}\n`);
          return exitCode.done;
        }
        // A dry run makes no store: one that is not there yet is empty.
        const storeUri = placeOfStore(options, findHome(options.home));
        const isThere = storeUri.includes('://') || existsSync(storeUri);
        const store = isThere ? await openStore(storeUri) : undefined;
        const foresight = await foresee(plan, store, folder);
        if (options.json) output.result({ plan, warnings: warnings.map(reportDiagnostic), foresight });
        else output.line(formatForesight(plan, foresight));
        return exitCode.done;
      },
    ),
  );

  program
    .command('schema')
    .argument('[kind]', 'a stage kind; default: the whole language')
    .description('print the JSON Schema of the pipeline language, or of one stage kind')
    .action(
      handled(async (kind: string | undefined) => {
        if (kind !== undefined && stageKind(kind) === undefined) {
          throw new InputError(
            `There is no stage kind ${kind}.`,
            `There are ${Object.keys(stageKinds).join(', ')}.`,
          );
        }
        const file = kind === undefined ? 'pipeline.schema.json' : path.join('stages', `${kind}.schema.json`);
        createOutput(true).text(await readFile(path.join(schemas, file), 'utf8'));
        return exitCode.done;
      }),
    );
}
