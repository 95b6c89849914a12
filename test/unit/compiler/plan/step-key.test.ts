import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { StepIdentity } from '../../../../artifacts/store/step.ts';
import { canonicalWith, stageKinds, stepOf } from '../../../../compiler/index.ts';

const state = { uri: 'file:///a/state.arrow', sha256: 'ab'.repeat(32), kind: 'state', bytes: 12 } as const;
const hessian = {
  uses: 'hessian',
  version: 1,
  with: { at: state, top: 5, tolerance: 1e-4, seed: 0 },
  inputs: { at: state.sha256 },
  threads: 1,
};

const stepKey = (identity: StepIdentity) => stepOf(identity).key;

describe('the key of a step', () => {
  it('is the SHA-256 of the canonical JSON', () => {
    const text =
      `{"inputs":{"at":"${state.sha256}"},"threads":1,"uses":"hessian","version":1,` +
      `"with":{"at":{"kind":"state","sha256":"${state.sha256}"},"seed":0,"tolerance":0.0001,"top":5}}`;
    expect(stepKey(hessian)).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('does not depend on where artifacts lie, how references were shortened, or the order of keys', () => {
    const elsewhere = { ...state, uri: 's3://bucket/state.arrow' };
    const shortened = { sha256: state.sha256, kind: state.kind };
    for (const at of [elsewhere, shortened])
      expect(stepKey({ ...hessian, with: { seed: 0, tolerance: 1e-4, top: 5, at } })).toBe(stepKey(hessian));
  });

  it.each([
    ['version', { ...hessian, version: 2 }],
    ['with', { ...hessian, with: { ...hessian.with, top: 6 } }],
    ['inputs', { ...hessian, inputs: { at: 'cd'.repeat(32) } }],
    ['threads', { ...hessian, threads: 2 }],
  ])('depends on %s', (_, other) => {
    expect(stepKey(other)).not.toBe(stepKey(hessian));
  });

  it('depends on threads only where TensorFlow computes, and asks for them there', () => {
    const fit = { uses: 'fit', version: 1, with: {}, inputs: {} };
    expect(stepKey({ ...fit, threads: 4 })).toBe(stepKey(fit));
    const { threads: _, ...without } = hessian;
    expect(() => stepKey(without)).toThrow('Expected the number of threads of a "hessian" step');
  });

  it("of a stage kind of one's own depends on all that is set, threads and GPU", () => {
    const own = {
      uses: 'counter',
      version: 1,
      with: { path: '../data', from: state },
      inputs: {},
      threads: 2,
    };
    const text =
      `{"device":"gpu","inputs":{},"threads":2,"uses":"counter","version":1,` +
      `"with":{"from":{"kind":"state","sha256":"${state.sha256}"},"path":"../data"}}`;
    expect(stepKey({ ...own, device: 'gpu' })).toBe(createHash('sha256').update(text).digest('hex'));
    expect(stepKey(own)).not.toBe(stepKey({ ...own, threads: 1 }));
  });

  it('comes with the step as it is recorded: canonical, and without what does not count', () => {
    const dataset = { uses: 'dataset', version: 1, inputs: {}, threads: 4, device: 'gpu' as const };
    expect(stepOf({ ...dataset, with: { name: 'cifar10', path: '../data' } })).toEqual({
      ...{ uses: 'dataset', version: 1, inputs: {}, with: { name: 'cifar10' } },
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});

describe('canonicalWith', () => {
  it('leaves locations out', () => {
    expect(canonicalWith('dataset', { name: 'cifar10', path: '../data', seed: 0 })).toEqual({
      name: 'cifar10',
      seed: 0,
    });
  });

  it('does not change what it is given', () => {
    const given = Object.freeze({ name: 'cifar10', path: '../data' });
    canonicalWith('dataset', given);
    expect(given).toEqual({ name: 'cifar10', path: '../data' });
  });

  it('refuses an unknown stage kind', () => {
    expect(() => canonicalWith('toString', {})).toThrow('Expected a stage kind, got "toString"');
  });
});

describe('stageKinds', () => {
  it('come from the schemas', () => {
    expect(stageKinds.train).toMatchObject({
      uses: 'train',
      version: 2,
      scope: 'cell',
      compute: true,
      inputs: { data: 'dataset', test: 'dataset' },
      outputs: { state: 'state', history: 'history' },
    });
    expect(stageKinds.collect).toMatchObject({ scope: 'study', compute: false });
  });
});

it('depends on whether a GPU computes it', () => {
  const step = { uses: 'evaluate', version: 1, inputs: {}, threads: 1 };
  const artifact = (kind: string) => ({ sha256: 'a'.repeat(64), uri: 'file:///x', kind, bytes: 1 });
  const withs = { state: artifact('state'), data: artifact('dataset') };
  expect(stepKey({ ...step, with: withs, device: 'gpu' })).not.toBe(stepKey({ ...step, with: withs }));
});

it('of a data set depends on its test examples, also for what only takes the training examples', () => {
  const step = { uses: 'dataset', version: 1, inputs: {} };
  const withs = { name: 'mnist-digits', examples: 10, seed: 0, classes: 10, dimension: 16, separation: 1 };
  expect(stepKey({ ...step, with: { ...withs, testExamples: 5 } })).not.toBe(
    stepKey({ ...step, with: { ...withs, testExamples: 6 } }),
  );
});
