import { expect, test } from 'vitest';
import { formatForesight } from '../../../cli/run/foresight.ts';
import { compile } from '../../../compiler/index.ts';
import { foresee } from '../../../runtime/cost/foresight.ts';

const train = (data: string) =>
  `{ uses: train, with: { data: "\${{ stages.${data}.train }}", model: { name: linear }, epochs: 2, batchSize: 10, optimizer: { name: sgd, learningRate: "\${{ params.rate }}" } } }`;
const data = (examples: number) =>
  `{ uses: dataset, with: { name: gaussian-mixture, examples: ${examples}, testExamples: 10 } }`;

test('steps of SGD are counted by the data that each training takes, and once where cells share them', async () => {
  const text = `version: 1
name: two-sets
params: { rate: 0.1, warmup: 1 }
strategy: { matrix: { warmup: [1, 2] } }
stages:
  small: ${data(100)}
  large: ${data(1000)}
  a: ${train('small')}
  b: ${train('large')}
  record: { uses: record, with: { from: "\${{ stages.a.state }}", warmup: "\${{ params.warmup }}", epochs: 3 } }
`;
  const { plan } = compile(text, { file: 'two-sets.yaml' });
  const foresight = await foresee(plan, undefined, '/');
  const steps = 2 * 10 + 2 * 100 + (1 + 3) * 10 + (2 + 3) * 10;
  const told = formatForesight(plan, foresight);
  expect(told).toContain(`\n${steps} SGD steps in all`);
  expect(told).toMatch(/\nat once: 2 of 2 cells, \d+ stages? of one thread here\n/);
});
