import type { Command } from 'commander';
import pc from 'picocolors';
import { formatCount } from '../../report/numbers.ts';
import { listArtifacts } from '../checks/artifact-list.ts';
import { formatArtifacts, formatOrigin, formatVerification } from '../checks/artifact-views.ts';
import { explain } from '../checks/lineage.ts';
import { resolveStudyId } from '../checks/study-records.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput } from '../output/output.ts';
import { addPlaceOptions, handled, openPlace, type PlaceOptions } from './shared.ts';

const shownDamage = 10;

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
      let leftOut = 0;
      const listed = await listArtifacts(store, studyId, ({ message }) => {
        if (++leftOut <= shownDamage) output.warn(`${pc.yellow('left out:')} ${message}`);
      });
      if (leftOut > shownDamage)
        output.warn(
          `${shownDamage} of ${formatCount(leftOut)} damaged records are listed; \`epochal verify ${studyId}\` names all.`,
        );
      if (options.json) output.result({ studyId, ...listed });
      else for (const line of formatArtifacts(studyId, listed, output)) output.line(line);
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
      else output.line(formatOrigin(origin));
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
      const verification = await verifyStudy(store, studyId);
      if (options.json) output.result({ studyId, ...verification });
      else for (const line of formatVerification(studyId, verification, output)) output.line(line);
      return verification.checks.every(({ ok }) => ok) ? exitCode.done : exitCode.failed;
    }),
  );
}
