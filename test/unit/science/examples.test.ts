import { describe, expect, test } from 'vitest';
import { asLasting, inputsFor, standardize } from '../../../science/examples.ts';
import { RandomStream } from '../../../science/random.ts';

const random = new RandomStream(1, 'images');
const shape = [4, 5, 3] as const;
const data = {
  images: Uint8Array.from({ length: 6 * 60 }, () => random.below(256)),
  labels: new Int32Array(6),
  shape,
  classes: 2,
  examples: 6,
};

describe('per-image', () => {
  test('gives each channel of each image zero mean and unit variance', () => {
    const values = standardize(data, 'per-image');
    for (let example = 0; example < 6; example++) {
      for (let channel = 0; channel < 3; channel++) {
        const own = Array.from({ length: 20 }, (_, pixel) => values[example * 60 + pixel * 3 + channel]!);
        const mean = own.reduce((sum, value) => sum + value, 0) / 20;
        const variance = own.reduce((sum, value) => sum + value ** 2, 0) / 20;
        expect(mean).toBeCloseTo(0, 6);
        expect(variance).toBeCloseTo(1, 6);
      }
    }
  });

  test('is (byte - mean) / deviation', () => {
    const image = {
      images: Uint8Array.of(10, 20, 30, 100),
      labels: new Int32Array(1),
      shape: [2, 2, 1],
      classes: 2,
      examples: 1,
    } as const;
    const deviation = Math.sqrt((30 ** 2 + 20 ** 2 + 10 ** 2 + 60 ** 2) / 4);
    for (const [i, value] of standardize(image, 'per-image').entries()) {
      expect(value).toBeCloseTo(([10, 20, 30, 100][i]! - 40) / deviation, 6);
    }
  });

  test('makes an empty channel zero', () => {
    const empty = { ...data, images: new Uint8Array(360).fill(17) };
    expect(standardize(empty, 'per-image')).toEqual(new Float32Array(360));
  });

  test('bounds the deviation of an almost empty channel from below by 1 / sqrt(pixels)', () => {
    const images = new Uint8Array(400);
    images[3] = 1;
    const image = { images, labels: new Int32Array(1), shape: [20, 20, 1], classes: 2, examples: 1 } as const;
    // The deviation itself, sqrt(399) / 400, is a little less.
    expect(standardize(image, 'per-image')[3]).toBeCloseTo((1 - 1 / 400) * 20, 5);
  });
});

test('scale divides by 255', () => {
  const values = standardize(data, 'scale');
  for (const [i, byte] of data.images.entries()) expect(values[i]).toBe(Math.fround(byte / 255));
});

test('inputs are made once of examples that last, and each time of others, which may have changed', () => {
  const data = () => ({
    images: Uint8Array.of(0, 51),
    labels: Int32Array.of(0),
    ...{ shape: [1, 2, 1] as const, classes: 1, examples: 1 },
  });
  const changing = data();
  expect([...inputsFor(changing, 'none')]).toEqual([0, 51]);
  changing.images[0] = 7;
  expect([...inputsFor(changing, 'none')]).toEqual([7, 51]);
  const still = asLasting(data());
  expect(inputsFor(still, 'scale')).toBe(inputsFor(still, 'scale'));
  expect([...inputsFor(still, 'scale')]).toEqual([0, Math.fround(0.2)]);
  expect([...inputsFor(still, 'none')]).toEqual([0, 51]);
});
