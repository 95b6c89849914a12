import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLanczosCheckpoint } from '../../../../activities/stage-parts/lanczos-checkpoint.ts';
import { folderCheckpoint } from '../../../../artifacts/store/checkpoint.ts';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { type Eigenpairs, lanczos, leastVectors } from '../../../../science/hessian/lanczos.ts';
import { temporaryFolder } from '../../artifacts/folders.ts';
import { matrixWith } from '../oracle/dense-matrix.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const top = 24;
const spectra = {
  'a dense spectrum': Array.from({ length: 160 }, (_, i) => 8 - i / 20),
  'a multiple one': Array.from({ length: 160 }, (_, i) => (i < 72 ? 8 - Math.floor(i / 12) : 1 / (i - 70))),
};

type Matrix = ReturnType<typeof matrixWith>;

class Killed extends Error {}

/** Runs from what the folder holds, until a number of products. */
async function run({ size, product }: Matrix, folder: string, productsLeft = Infinity) {
  const checkpoint = await openLanczosCheckpoint(folderCheckpoint(folder));
  let left = productsLeft;
  let restarts = 0;
  const pairs = await lanczos({
    ...{ tf, size, top, tolerance: 1e-5, maxProducts: 3000, seed: 3, maxVectors: leastVectors(top) },
    async product(vector) {
      if (left-- === 0) throw new Killed();
      return product(vector);
    },
    resume: checkpoint.state,
    residuals: checkpoint.residuals,
    onStep: checkpoint.addStep,
    async onRestart(state) {
      restarts++;
      await checkpoint.restart(state);
    },
    onResidual: checkpoint.addResidual,
  });
  return { pairs, restarts, products: productsLeft - left };
}

describe.each(Object.entries(spectra))('of %s', (_name, spectrum) => {
  const matrix = matrixWith(spectrum);
  let whole: Eigenpairs;

  beforeAll(async () => {
    const { size, product } = matrix;
    whole = await lanczos({
      ...{
        tf,
        size,
        top,
        product,
        tolerance: 1e-5,
        maxProducts: 3000,
        seed: 3,
        maxVectors: leastVectors(top),
      },
    });
    expect(whole.converged).toBe(top);
    // Some of the lives end in a further sweep.
    expect(whole.outside.products).toBeGreaterThan(20);
  });

  test.each([3, 7, 16, 23])('killed again and again (%i), it ends with the same bits', async (kept) => {
    const folder = temporaryFolder();
    // Longer than from the last checkpoint of a step to the first of a residual, or it would never end.
    const lifetime = kept + 20;
    let lives = 0;
    for (;;) {
      lives++;
      try {
        const { pairs } = await run(matrix, folder, lifetime);
        expect(pairs).toEqual(whole);
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        // Of the basis before a restart nothing is left.
        const generations = new Set(
          readdirSync(folder).flatMap((name) => /^basis-(\d+)/.exec(name)?.[1] ?? []),
        );
        expect(generations.size).toBeLessThanOrEqual(1);
      }
    }
    expect(lives).toBeGreaterThan((whole.products + top) / lifetime);
  });

  test('a torn file costs only what came after it; a torn restart, all of it; neither changes a bit', async () => {
    const folder = temporaryFolder();
    const uninterrupted = await run(matrix, folder);
    expect(uninterrupted.pairs).toEqual(whole);
    expect(uninterrupted.restarts).toBeGreaterThan(1);
    const parts = readdirSync(folder).filter((name) => name.startsWith('basis-'));
    truncateSync(join(folder, parts.at(-1)!), 100);
    expect((await run(matrix, folder)).pairs).toEqual(whole);
    truncateSync(join(folder, parts.sort()[0]!), 100);
    expect((await run(matrix, folder)).pairs).toEqual(whole);
  });
});
