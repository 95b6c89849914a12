import type { ArtifactRef, OwnStage } from 'epochal/kinds';

export const stage: OwnStage<{ readonly state: ArtifactRef; readonly share: number }> = {
  async run(context) {
    const { state, share } = context.with;
    const table = await context.store.open(state);
    const weights = table.floatVector('weights', 0).slice();
    const bySize = [...weights.keys()].sort((a, b) => Math.abs(weights[a]!) - Math.abs(weights[b]!));
    for (const index of bySize.slice(0, Math.round(share * weights.length))) weights[index] = 0;
    context.note(`${Math.round(share * weights.length)} of ${weights.length} weights are zero.`);
    // How the weights came to be stays true of them: later stages read it.
    const { metadata } = await context.store.describe(state);
    const output = await context.write('state', metadata, (writer) =>
      writer.append({
        step: table.numbers('step'),
        epoch: table.numbers('epoch'),
        weights,
        velocity: table.floatVector('velocity', 0),
      }),
    );
    return { state: output };
  },
};
