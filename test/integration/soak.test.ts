import { expect, test } from 'vitest';
import { type Sample, soak } from '../fixtures/soak.ts';

/** As many as fit into half a minute; `EPOCHAL_SOAK_STAGES=2000`, or `node test/soak.ts`, is the whole test. */
const stages = Number(process.env.EPOCHAL_SOAK_STAGES ?? 300);
/** By then what is kept is there, and what runs often is compiled. */
const warm = 3;
/** Bytes. What the engine lets pile up before it collects levels off after some thousand stages, at about 100 MB more; what lives does not grow by one. */
const mostGrowth = 150e6;

test('a process does stages of every kind, one after another, with the same bits, and holds no more than after the first of them', async () => {
  const samples: Sample[] = [];
  for await (const sample of soak(stages)) {
    expect(sample.digests).toEqual(samples[0]?.digests ?? sample.digests);
    samples.push(sample);
  }
  const [first] = samples;
  expect(Object.keys(first!.digests).length).toBeGreaterThan(30);
  const last = samples.at(-1)!;
  expect(last).toMatchObject({ processes: 1, tensors: 0 });
  expect(last.stages).toBeGreaterThanOrEqual(stages);
  // Each graph was recorded once, and stays.
  expect(first!.recorded).toBeGreaterThan(10);
  for (const { recorded, graphs, kept } of samples)
    expect([recorded, graphs, kept]).toEqual(Array(3).fill(first!.recorded));
  const settled = samples[warm]!;
  for (const { memory, files, resources } of samples.slice(warm)) {
    expect(memory - settled.memory).toBeLessThan(mostGrowth);
    expect(files).toBeLessThanOrEqual(settled.files);
    expect(resources).toBeLessThanOrEqual(settled.resources);
  }
});
