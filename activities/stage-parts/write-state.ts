import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { DataDigests, TrainingContext } from '../../artifacts/arrow/training-context.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Model } from '../../science/models/index.ts';
import type { SgdState } from '../../science/sgd.ts';
import type { StageContext } from '../kinds/stage.ts';

/** Writes a `state` artifact: one row of step, epoch, weights and velocity, and in its metadata how it came to be. */
export function writeState(
  context: Pick<StageContext<unknown>, 'write'>,
  state: SgdState & { readonly epoch: number },
  training: TrainingContext,
  model: Model,
  data: DataDigests,
): Promise<ArtifactRef> {
  const metadata = writeMetadata({ training, data, layout: model.layout });
  return context.write('state', metadata, (writer) =>
    writer.append({
      step: [state.step],
      epoch: [state.epoch],
      weights: state.weights,
      velocity: state.velocity,
    }),
  );
}
