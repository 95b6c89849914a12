/** The text of a pipeline whose cells each train a small network on few examples; `more` are further stages. */
export function trainings(study: {
  readonly name: string;
  /** Axes, `seed` among them. */
  readonly matrix: string;
  readonly epochs: number;
  readonly optimizer: string;
  readonly more?: string;
}): string {
  return `version: 1
name: ${study.name}
strategy: { matrix: { ${study.matrix} } }
stages:
  data: { uses: dataset, with: { name: gaussian-mixture, examples: 400 } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp, hidden: [8] }
      epochs: ${study.epochs}
      optimizer: { name: sgd, ${study.optimizer} }
      batchSize: 4
      seed: \${{ params.seed }}
${study.more ?? ''}`;
}
