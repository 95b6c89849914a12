import { count, magnitude } from '../../science/options.ts';
import { RandomStream } from '../../science/random.ts';
import { datasetKind } from '../kind.ts';
import { type LabelledImages, numberedClasses } from '../labelled-images.ts';

/** Grey levels that are one standard deviation of a component, around the middle grey. */
const levelsPerDeviation = 32;
const defaultExamples = 1000;

/**
 * A mixture of Gaussians of unit variance, one a class, with centres at random on a sphere of radius `separation` around the origin; stored as
 * images of 1 x dimension x 1 with 32 grey levels a standard deviation.
 */
export const dataset = datasetKind({
  name: 'gaussian-mixture',
  description: 'synthetic, one Gaussian a class',
  options: {
    classes: count({ default: 10, minimum: 2, maximum: 1000, description: 'Gaussians, one a class.' }),
    dimension: count({ default: 16, description: 'Dimension of the space they are in.' }),
    separation: magnitude({
      default: 1,
      description: 'Distance of their centres from the origin, in standard deviations of one of them.',
    }),
  },
  size: ({ classes, dimension, examples = defaultExamples, testExamples = defaultExamples }) => ({
    shape: [1, dimension, 1],
    classes,
    train: examples,
    test: testExamples,
  }),
  sources: async () => ({}),
  load: async (spec) => {
    const centres = drawCentres(spec);
    return {
      train: draw(spec, centres, spec.examples ?? defaultExamples, 'train'),
      test: draw(spec, centres, spec.testExamples ?? defaultExamples, 'test'),
      description: `mixture of ${spec.classes} Gaussians in ${spec.dimension} dimensions, separation ${spec.separation}, seed ${spec.seed}`,
      notes: [],
    };
  },
});

interface Mixture {
  readonly classes: number;
  readonly dimension: number;
  readonly separation: number;
  readonly seed: number;
}

/** One of each class, in random directions from the origin. */
function drawCentres({ classes, dimension, separation, seed }: Mixture): readonly (readonly number[])[] {
  return Array.from({ length: classes }, (_, label) => {
    const random = new RandomStream(seed, 'mixture-centre', label);
    const direction = Array.from({ length: dimension }, () => random.normal());
    const length = Math.hypot(...direction);
    return direction.map((component) => (separation * component) / length);
  });
}

function draw(
  { classes, dimension, seed }: Mixture,
  centres: ReturnType<typeof drawCentres>,
  examples: number,
  part: string,
): LabelledImages {
  const random = new RandomStream(seed, `mixture-${part}`);
  const images = new Uint8Array(examples * dimension);
  const labels = Int32Array.from({ length: examples }, (_, example) => example % classes);
  for (const [example, label] of labels.entries()) {
    for (let i = 0; i < dimension; i++) {
      const value = centres[label]![i]! + random.normal();
      images[example * dimension + i] = Math.min(
        255,
        Math.max(0, Math.round(128 + levelsPerDeviation * value)),
      );
    }
  }
  return { images, labels, shape: [1, dimension, 1], classes, classNames: numberedClasses(classes) };
}
