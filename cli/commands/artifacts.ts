import type { Command } from 'commander';
import pc from 'picocolors';
import { formatBytes, formatDuration, plural } from '../../report/numbers.ts';
import { explain, type Origin } from '../checks/lineage.ts';
import { listArtifacts, resolveStudyId } from '../checks/study-records.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput, table } from '../output/output.ts';
import { addPlaceOptions, handled, openPlace, type PlaceOptions } from './shared.ts';

interface ArtifactOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** `artifacts`, `explain`, `verify`: what a study has made. */
export function addArtifactCommands(program: Command): void {
  const command = (usage: string, description: string): Command =>
    addPlaceOptions(program.command(usage).description(description)).option(
      '--json',
      'as JSON on standard output',
    );

  command('artifacts [study]', 'the files that a study has made').action(
    handled(async (wanted: string | undefined, options: ArtifactOptions) => {
      const output = createOutput(options.json === true);
      const { store } = await openPlace(options);
      const studyId = await resolveStudyId(store, wanted);
      const artifacts = await listArtifacts(store, studyId, ({ message }) =>
        output.warn(`${pc.yellow('left out:')} ${message}`),
      );
      if (options.json) output.result({ studyId, artifacts });
      else {
        const rows = artifacts.map(({ cell, stage, output: name, kind, bytes, path, uri }) => [
          cell,
          `${stage}.${name}`,
          kind,
          formatBytes(bytes),
          path ?? uri,
        ]);
        output.line(
          rows.length === 0
            ? `${studyId} has made no artifacts yet.`
            : table(rows, ['cell', 'output', 'kind', 'size', 'file']),
        );
      }
      return exitCode.done;
    }),
  );

  command(
    'explain <artifact>',
    'where an artifact comes from, back to the data; by digest, its beginning, or file',
  ).action(
    handled(async (wanted: string, options: ArtifactOptions) => {
      const output = createOutput(options.json === true);
      const { store } = await openPlace(options);
      const origin = await explain(store, wanted);
      if (options.json) output.result(origin);
      else output.line(formatOrigin(origin, ''));
      return exitCode.done;
    }),
  );

  command(
    'verify [study]',
    'check every file of a study: records, steps, artifacts, and what they claim; say what a rerun would do',
  ).action(
    handled(async (wanted: string | undefined, options: ArtifactOptions) => {
      const output = createOutput(options.json === true);
      const { store } = await openPlace(options);
      const studyId = await resolveStudyId(store, wanted);
      const { verifyStudy } = await import('../checks/verify.ts');
      const { checks, unknown, again } = await verifyStudy(store, studyId);
      const bad = checks.filter(({ ok }) => !ok);
      if (options.json) output.result({ studyId, checks, unknown, again });
      else {
        for (const { ok, what, found } of checks)
          if (!ok || output.interactive)
            output.line(`${ok ? pc.green('ok  ') : pc.red('BAD ')} ${what}: ${found}`);
        for (const name of unknown) output.line(`unknown file ${name}: no part of the study`);
        output.line(`${studyId}: ${plural(checks.length, 'check')}, ${bad.length} bad`);
        if (bad.length > 0) {
          output.line(
            'Run the pipeline again: records are written anew, and what is damaged is computed again.',
          );
          for (const line of again) output.line(`run again: ${line}`);
        }
      }
      return bad.length === 0 ? exitCode.done : exitCode.failed;
    }),
  );
}

/** The lineage as an indented tree; what stands in it already is named, not told again. */
function formatOrigin(origin: Origin, indent: string, told = new Set<string>()): string {
  const { output, sha256, whole, kind, uses, key, seconds, provenance, inputs, sources } = origin;
  const head = `${indent}${pc.bold(`${kind} ${sha256.slice(0, 12)}`)}  output ${output} of ${uses}, step ${key.slice(0, 12)}${whole ? '' : ' (damaged or gone)'}`;
  if (told.has(key)) return `${head}, see above`;
  told.add(key);
  const made = `${provenance.startedAt.slice(0, 16).replace('T', ' ')} UTC in ${formatDuration(seconds)}`;
  const { backend } = provenance;
  const library = backend === 'none' ? 'without a library' : `${backend} ${provenance.library}`;
  const machine = `${provenance.host}, ${provenance.cpu}, ${library}, Node ${provenance.node}`;
  return [
    head,
    `${indent}  made ${made} on ${machine}`,
    ...Object.entries(sources).map(([name, digest]) => `${indent}  data ${name} ${digest.slice(0, 12)}`),
    ...inputs.map(({ name, origin: input }) =>
      typeof input === 'string'
        ? `${indent}  ${name}: ${input.slice(0, 12)}, of which no step is known`
        : `${indent}  ${name}:\n${formatOrigin(input, `${indent}    `, told)}`,
    ),
  ].join('\n');
}
