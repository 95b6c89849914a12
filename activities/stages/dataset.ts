import { datasetSources, loadDataset } from '../../datasets/index.ts';
import type { LabelledImages } from '../../datasets/labelled-images.ts';
import type { DatasetWith } from '../../schemas/types.ts';
import type { Stage, StageContext } from '../stage.ts';

/** `uses: dataset`: loads examples and writes them as two artifacts, `train` and `test`. */
export const stage: Stage<DatasetWith> = {
  uses: 'dataset',
  sources: datasetSources,
  async run(context) {
    const loaded = await loadDataset(context.with, context.baseDirectory);
    for (const note of loaded.notes) context.note(note);
    await context.breathe();
    const source = JSON.stringify(loaded.source);
    return {
      train: await writeExamples(context, loaded.train, source, 'train'),
      test: await writeExamples(context, loaded.test, source, 'test'),
    };
  },
};

function writeExamples(
  context: StageContext<DatasetWith>,
  data: LabelledImages,
  source: string,
  part: string,
) {
  const metadata = {
    'epochal.shape': JSON.stringify(data.shape),
    'epochal.classes': String(data.classes),
    'epochal.classNames': JSON.stringify(data.classNames),
    'epochal.source': source,
    'epochal.part': part,
  };
  return context.write('dataset', metadata, (writer) =>
    writer.append({ image: data.images, label: data.labels }),
  );
}
