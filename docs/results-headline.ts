import { openStore } from '../artifacts/store/open-store.ts';
import { readKeyResults } from '../report/key-results.ts';
import { readStudy } from '../report/read-study.ts';
import { putBetween } from './between-marks.ts';
import { meanOverSeeds, table } from './result-tables.ts';
import { keptFolder, keptNames } from './results-page.ts';

/** The study whose means over seeds README tells, if it is kept. */
const headline = 'quickstart';

const rows = [
  ['λ_cross', 'lambda_cross'],
  ['τ_SGD (steps)', 'tau_sgd'],
] as const;

const [begin, end] = ['<!-- written by npm run results -->', '<!-- up to here -->'];

/** README with its table of results as the kept studies say; as it is if that study is not kept. */
export async function withHeadline(readme: string, folder: string): Promise<string> {
  if (!(await keptNames(folder)).includes(headline)) return readme;
  const store = await openStore(keptFolder(folder, headline));
  const [studyId] = await store.listFolder('studies');
  const { parameters } = await readKeyResults(store, await readStudy(store, studyId!));
  const lines = rows.map(([name, column]) => {
    const plain = meanOverSeeds(parameters, column);
    const corrected = meanOverSeeds(parameters, `${column}_leftover`);
    const of = (mean: typeof plain) => (mean === undefined ? '–' : `${mean.value} (${mean.interval})`);
    return [name, plain?.theory ?? '–', of(plain), of(corrected)];
  });
  const seeds = parameters.length;
  const text = table(
    [
      '',
      'theory',
      `fitted, mean over ${seeds} seeds (95 % interval)`,
      'with the noise that is left over an epoch',
    ],
    lines,
  );
  return putBetween(readme, begin, end, `\n${text}\n`);
}
