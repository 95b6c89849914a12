import { expect, test } from 'vitest';
import { stepOfStage } from '../../../activities/engine/step.ts';
import { derivedStep } from '../../../runtime/cost/derived-steps.ts';
import { plannedStage, resultOf } from '../../fixtures/plans.ts';

const state = { uri: 'file:///a', sha256: 'ab'.repeat(32), kind: 'state', bytes: 1 } as const;
const available = { train: { result: state } };
const recorded = (uses: string, device?: 'gpu') => {
  const stage = plannedStage('step', uses, { from: resultOf('train') }, { needs: ['train'] });
  const resolved = { with: { from: state }, inputs: { from: state.sha256 } };
  return { stage, step: stepOfStage(stage, resolved, { './kinds/own.ts': 'c'.repeat(64) }, device) };
};

// What `verify` holds the record of a step against.
test.each([
  ['record', undefined],
  ['record', 'gpu'],
  ['./kinds/own.ts', undefined],
  ['./kinds/own.ts', 'gpu'],
] as const)('the step of a %s on device %s is derived as it was', (uses, device) => {
  const { stage, step } = recorded(uses, device);
  expect(derivedStep(stage, available, step)).toEqual(step);
  const elsewhere = derivedStep(stage, available, {
    inputs: step.inputs,
    ...(device ? {} : { device: 'gpu' }),
  });
  expect(elsewhere.key).not.toBe(step.key);
});
