import { InputError } from '../artifacts/errors.ts';
import { RandomStream } from '../science/random.ts';
import { type LabelledImages, pick } from './labelled-images.ts';

/**
 * `count` examples, drawn without replacement and evenly over the classes as far as their numbers allow, then shuffled; all of them in their
 * own order without `count`. Depends on the seed alone. Throws `InputError` if there are fewer.
 */
export function select(
  data: LabelledImages,
  count: number | undefined,
  seed: number,
  part: 'train' | 'test',
): LabelledImages {
  const present = data.labels.length;
  if (count === undefined) return data;
  checkCount(count, present, part);
  const random = new RandomStream(seed, `selection/${part}`);
  const byClass = Array.from({ length: data.classes }, (): number[] => []);
  for (const index of random.permutation(present)) byClass[data.labels[index]!]!.push(index);
  const chosen: number[] = [];
  for (let round = 0; chosen.length < count; round++) {
    for (const indices of byClass)
      if (round < indices.length && chosen.length < count) chosen.push(indices[round]!);
  }
  const order = random.permutation(count);
  return pick(
    data,
    Array.from(order, (position) => chosen[position]!),
  );
}

/** Throws `InputError` if more examples are asked for than there are. */
export function checkCount(count: number | undefined, present: number, part: 'train' | 'test'): void {
  if (count === undefined || count <= present) return;
  const key = part === 'train' ? 'examples' : 'testExamples';
  throw new InputError(
    `${key} is ${count}, but the ${part === 'train' ? 'training' : 'test'} set has only ${present} examples.`,
    `Lower ${key}, or leave it out to take all.`,
    key,
  );
}
