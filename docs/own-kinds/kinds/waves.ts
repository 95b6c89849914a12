import { type LabelledImages, numberedClasses, type OwnDataset, RandomStream } from 'epochal/kinds';

interface Waves {
  readonly pixels: number;
  readonly noise: number;
  readonly seed: number;
  readonly examples?: number;
  readonly testExamples?: number;
}

/** Lines of pixels, in grey levels around 128: by turns one period and two, each shifted by up to a sixth of a turn. */
function waves({ pixels, noise, seed }: Waves, examples: number, part: string): LabelledImages {
  const random = new RandomStream(seed, `waves-${part}`);
  const images = new Uint8Array(examples * pixels);
  for (let example = 0; example < examples; example++) {
    const phase = (random.uniform() - 0.5) * (Math.PI / 3);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const angle = (2 * Math.PI * (1 + (example % 2)) * pixel) / pixels + phase;
      const value = Math.sin(angle) + noise * random.normal();
      images[example * pixels + pixel] = Math.min(255, Math.max(0, Math.round(128 + 60 * value)));
    }
  }
  return {
    images,
    labels: Int32Array.from({ length: examples }, (_, example) => example % 2),
    shape: [1, pixels, 1],
    classes: 2,
    classNames: numberedClasses(2),
  };
}

export const dataset: OwnDataset<Waves> = {
  load: async (spec) => ({
    train: waves(spec, spec.examples ?? 200, 'train'),
    test: waves(spec, spec.testExamples ?? 100, 'test'),
    description: 'waves of one or two periods',
    notes: [],
  }),
};
