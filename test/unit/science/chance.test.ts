import { expect, test } from 'vitest';
import { chanceLoss } from '../../../science/chance.ts';

/** The least mean loss of logits that are the same for each example, by gradient descent on their softmax in double precision. */
function leastCrossEntropy(labels: readonly number[], classes: number): number {
  const shares = Array.from(
    { length: classes },
    (_, c) => labels.filter((label) => label === c).length / labels.length,
  );
  const logits = shares.map(() => 0);
  const softmax = () => {
    const exponentials = logits.map(Math.exp);
    const sum = exponentials.reduce((a, b) => a + b, 0);
    return exponentials.map((one) => one / sum);
  };
  for (let step = 0; step < 20_000; step++) {
    softmax().forEach((p, c) => {
      logits[c]! -= 0.5 * (p - shares[c]!);
    });
  }
  return -softmax().reduce((sum, p, c) => sum + (shares[c] === 0 ? 0 : shares[c]! * Math.log(p)), 0);
}

const labels = [0, 0, 0, 0, 1, 1, 1, 2, 2, 0];

test('is the least cross-entropy of a guess', () => {
  expect(chanceLoss('cross-entropy', labels)).toBeCloseTo(leastCrossEntropy(labels, 3), 8);
  expect(chanceLoss('cross-entropy', [0, 1, 2, 3])).toBeCloseTo(Math.log(4), 12);
});

test('is the least mean squared error of a guess, half the variances of the one-hot labels', () => {
  const variances = [0, 1, 2].map((c) => {
    const hot: number[] = labels.map((label) => Number(label === c));
    const mean = hot.reduce((a, b) => a + b, 0) / hot.length;
    return hot.reduce((sum, one) => sum + (one - mean) ** 2, 0) / hot.length;
  });
  expect(chanceLoss('mean-squared-error', labels)).toBeCloseTo(variances.reduce((a, b) => a + b, 0) / 2, 12);
});

test('is nothing where all examples are of one class', () => {
  expect(chanceLoss('cross-entropy', [3, 3, 3])).toBe(0);
});
