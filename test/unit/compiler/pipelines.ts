import { compile, PipelineError } from '../../../compiler/index.ts';

/** A small pipeline in block style; the tests change single lines of it. Line numbers matter to them. */
export const tiny = `version: 1
name: tiny
params:
  batchSize: 50
  rate: 0.1
  size: small
stages:
  data:
    uses: dataset
    with:
      name: mnist-digits
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp }
      epochs: 3
      batchSize: \${{ params.batchSize }}
      optimizer: { name: sgd, learningRate: "\${{ params.rate }}" }
  record:
    uses: record
    with: { from: "\${{ stages.train.state }}", epochs: 1 }
`;

/** The example of the language: every section, a matrix, a collect and a report. */
export const sweep = `# yaml-language-server: $schema=../schemas/pipeline.schema.json
version: 1
name: lenet-cifar10-variances
description: Weight and velocity variance against Hessian eigenvalue

params:
  batchSize: 50
  learningRate: 0.005
  momentum: 0.9
  seed: 1

strategy:
  matrix:
    batchSize: [50, 75, 100, 125]
    seed: { range: [1, 5] }
    epochs: ["\${{ 2 * params.batchSize }}"]
    include: [{ batchSize: 200, seed: 1 }]
    exclude: [{ batchSize: 125, seed: 5 }]
    zip: []
  maxParallel: 8
  failFast: false
  minSuccess: 0.9

stages:
  fit:      { uses: fit,      with: { spectrum: "\${{ stages.analyze.spectrum }}" } }
  data:     { uses: dataset,  with: { name: cifar10, examples: 50000 } }
  train:    { uses: train,    with: { data: "\${{ stages.data.train }}", model: { name: lenet }, epochs: "\${{ params.epochs }}",
              optimizer: { name: sgd, learningRate: "\${{ params.learningRate }}", decay: 0.98,
                           momentum: "\${{ params.momentum }}" }, batchSize: "\${{ params.batchSize }}",
              sampling: without-replacement, l2: 1e-4, seed: "\${{ params.seed }}" },
              resources: { gpu: 1 }, retry: { attempts: 5 }, timeout: 12h }
  record:   { uses: record,   with: { from: "\${{ stages.train.state }}", epochs: 20 } }
  hessian:  { uses: hessian,  with: { at: "\${{ stages.record.mean }}", top: 200 } }
  project:  { uses: project,  with: { trajectory: "\${{ stages.record.trajectory }}", basis: "\${{ stages.hessian.eigenpairs }}" } }
  analyze:  { uses: analyze,  with: { series: "\${{ stages.project.series }}" } }

collect:
  sweep:    { uses: collect,  with: { table: "\${{ cells.fit.parameters }}", by: [batchSize, seed] } }

report:
  title: Variances at momentum \${{ params.momentum }}
  figures:
    - { kind: variance-spectrum, from: "\${{ stages.analyze.spectrum }}", caption: Both variances }
    - kind: correlation-time
      from: \${{ stages.analyze.spectrum }}
      fit: \${{ stages.fit.parameters }}
    - kind: collection
      from: \${{ collect.sweep.table }}
`;

/** `text` with `from` replaced; fails if it is not there, so that no test tests nothing. */
export function edit(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`Expected ${JSON.stringify(from)} in the pipeline.`);
  return text.replace(from, () => to);
}

/** `tiny` with this `strategy.matrix`, given without indentation. */
export function withMatrix(matrix: string, text = tiny): string {
  const indented = matrix
    .trim()
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('');
  return edit(text, 'stages:\n', `strategy:\n  matrix:\n${indented}stages:\n`);
}

export function planOf(text: string, overrides: Record<string, string> = {}) {
  return compile(text, { file: 'pipelines/tiny.yaml', overrides }).plan;
}

/** `with` of a stage in the first cell. */
export function withOf(text: string, stage = 'train', overrides: Record<string, string> = {}) {
  return planOf(text, overrides).cells[0]!.stages.find(({ name }) => name === stage)!.with;
}

/** The errors of a wrong pipeline. */
export function errorsOf(text: string, overrides: Record<string, string> = {}) {
  try {
    compile(text, { file: 'pipelines/tiny.yaml', overrides });
  } catch (error) {
    if (error instanceof PipelineError)
      return error.diagnostics.filter(({ severity }) => severity === 'error');
    throw error;
  }
  throw new Error('Expected the pipeline to be wrong.');
}

export function warningsOf(text: string, overrides: Record<string, string> = {}) {
  return compile(text, { file: 'pipelines/tiny.yaml', overrides }).warnings;
}
