import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { InputError } from '../../artifacts/errors.ts';
import { openStore } from '../../artifacts/open-store.ts';
import { stageKind, stageKinds, toMermaid } from '../../compiler/index.ts';
import { foresee } from '../../runtime/foresight.ts';
import { findHome } from '../../runtime/home.ts';
import { exitCode, tellError } from '../errors.ts';
import { formatForesight } from '../foresight.ts';
import { plural } from '../format.ts';
import { createOutput } from '../output.ts';
import { collectOverride, compileFile } from '../pipeline-file.ts';
import { addPlaceOptions, handled, type PlaceOptions } from './shared.ts';

const schemas = path.join(import.meta.dirname, '..', '..', 'schemas');

/** `validate`, `plan` and `schema`: what can be said of a pipeline without running it. */
export function addPipelineCommands(program: Command): void {
  program
    .command('validate')
    .argument('<files...>', 'pipelines')
    .description('check pipelines; each error has its place and a cure')
    .option('--set <name=value>', 'change a parameter, may be repeated', collectOverride)
    .option('--json', 'the outcome as JSON on standard output')
    .action(
      handled(
        async (
          files: string[],
          { set = {}, json = false }: { set?: Record<string, string>; json?: boolean },
        ) => {
          const output = createOutput(json);
          const outcomes: { file: string; valid: boolean; cells?: number }[] = [];
          let worst: number = exitCode.done;
          for (const file of files) {
            try {
              const { plan } = await compileFile(file, set, output);
              outcomes.push({ file, valid: true, cells: plan.cells.length });
              output.line(
                `${pc.green('valid')} ${file}: ${plural(plan.cells.length, 'cell')} of ${plural(plan.cells[0]!.stages.length, 'stage')}`,
              );
            } catch (error) {
              outcomes.push({ file, valid: false });
              worst = Math.max(worst, tellError(error));
            }
          }
          if (json) output.result(outcomes);
          return worst;
        },
      ),
    );

  addPlaceOptions(
    program
      .command('plan')
      .argument('<file>', 'pipeline')
      .description('show what a run would do: cells, stages, what is reused and why')
      .option('--set <name=value>', 'change a parameter, may be repeated', collectOverride)
      .option('--graph', 'the graph of the stages as Mermaid')
      .option('--json', 'the frozen plan as JSON'),
  ).action(
    handled(
      async (
        file: string,
        options: PlaceOptions & { set?: Record<string, string>; graph?: boolean; json?: boolean },
      ) => {
        const output = createOutput(options.json === true);
        const { plan } = await compileFile(file, options.set ?? {}, output);
        if (options.graph) {
          output.line(toMermaid(plan));
          return exitCode.done;
        }
        // A dry run makes no store: one that is not there yet is empty.
        const storeUri = options.store ?? findHome(options.home).store;
        const isThere = storeUri.includes('://') || existsSync(storeUri);
        const store = isThere ? await openStore(storeUri) : undefined;
        const foresight = await foresee(plan, store, path.dirname(path.resolve(file)));
        if (options.json) output.result({ plan, foresight });
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
        process.stdout.write(await readFile(path.join(schemas, file), 'utf8'));
        return exitCode.done;
      }),
    );
}
