import type { ToyContext } from '../../../artifacts/arrow/measurement-contexts.ts';
import { span } from './caption.ts';
import type { CellTable } from './data.ts';

export const noiseNames: Readonly<Record<ToyContext['noise']['name'], string>> = {
  examples: 'SGD',
  none: 'gradient descent',
  white: 'perturbed gradient descent',
  'anti-correlated': 'Anti-PGD',
};

/** `N = 100, S = 5, ...` of toy runs; values that differ are listed. Throws if a cell's series is not that of a toy. */
export function toyParts(cells: readonly CellTable[]): string[] {
  const toys = cells.map(toyOf);
  const values = (select: (toy: ToyContext) => number) => span(toys.map(select));
  const ofExamples = toys.some(({ noise }) => noise.name === 'examples');
  const sizes = ofExamples
    ? [
        `N = ${values((t) => t.examples)}`,
        `S = ${values((t) => t.batchSize)}`,
        `M = ${values((t) => t.batchesPerEpoch)}`,
      ]
    : [];
  return [
    ...sizes,
    `η = ${values((t) => t.learningRate)}`,
    `β = ${values((t) => t.momentum)}`,
    `${new Set(toys.map((t) => t.seed)).size === 1 ? 'seed' : 'seeds'} ${values((t) => t.seed)}`,
  ];
}

/** What the toy run of a cell was. */
export function toyOf({ toy, cellId }: CellTable): ToyContext {
  if (toy === undefined) throw new Error(`The series of cell ${cellId} was not written by a toy stage.`);
  return toy;
}
