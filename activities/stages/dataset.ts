import { type Metadata, writeMetadata } from '../../artifacts/arrow/metadata.ts';
import { isOwnModule } from '../../artifacts/own-module.ts';
import { checkPath, datasetSize, datasetSources, loadDataset } from '../../datasets/index.ts';
import type { DatasetSpec } from '../../datasets/kind.ts';
import type { LabelledImages } from '../../datasets/labelled-images.ts';
import type { DatasetWith } from '../../schemas/types.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';

/** `uses: dataset`: loads examples and writes them as two artifacts, `train` and `test`. */
export const stage: Stage<DatasetWith> = {
  uses: 'dataset',
  sources: (withs, baseDirectory) => datasetSources(withs as DatasetSpec, baseDirectory),
  async prospect(withs, baseDirectory) {
    const spec = withs as DatasetSpec;
    checkPath(spec);
    const size = await datasetSize(spec, baseDirectory);
    if (size === undefined) return undefined;
    const { shape, classes, train, test } = size;
    const part = (examples: number) => ({ examples, imageShape: shape, classes });
    return {
      outputs: { train: part(train), test: part(test) },
      bytes: (train + test) * rowBytes('dataset', shape[0] * shape[1] * shape[2]),
      work: train + test,
      like: spec.name,
    };
  },
  async run(context) {
    const loaded = await loadDataset(context.with as DatasetSpec, context.baseDirectory);
    checkSources(loaded.sources, context.inputs);
    for (const note of loaded.notes) context.note(note);
    await context.breathe();
    const { source } = loaded;
    const [train, test] = await Promise.all([
      writeExamples(context, loaded.train, source, 'train'),
      writeExamples(context, loaded.test, source, 'test'),
    ]);
    return { train, test };
  },
};

/** The key names files by digest: what was read must be those. Throws a plain error, so that the step is tried again under its new key. */
function checkSources(read: Readonly<Record<string, string>>, keyed: Readonly<Record<string, string>>): void {
  const files = Object.keys(keyed).filter((name) => !isOwnModule(name));
  const changed = files.find((name) => read[name] !== keyed[name]);
  if (changed !== undefined) throw new Error(`The source ${changed} changed while it was being read.`);
}

function writeExamples(
  context: StageContext<DatasetWith>,
  data: LabelledImages,
  source: Metadata['source'],
  part: Metadata['part'],
) {
  const { shape, classes, classNames } = data;
  const metadata = writeMetadata({ shape, classes, classNames, source, part });
  return context.write('dataset', metadata, (writer) =>
    writer.append(
      { image: data.images, label: data.labels },
      { image: data.shape[0] * data.shape[1] * data.shape[2] },
    ),
  );
}
