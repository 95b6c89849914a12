import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { driverVersion, listGpus } from '../../../compute/gpus.ts';

let driver: string;
const information = (model: string, uuid: string) =>
  `Model: \t\t ${model}\nIRQ:   \t\t 42\nGPU UUID: \t ${uuid}\nBus Type: \t PCIe\n`;

beforeAll(() => {
  driver = mkdtempSync(path.join(tmpdir(), 'epochal-driver-'));
  for (const [address, text] of [
    ['0000:c1:00.0', information('NVIDIA L4', 'GPU-22222222-aaaa')],
    ['0000:1b:00.0', information('NVIDIA H200', 'GPU-11111111-bbbb')],
  ] as const) {
    mkdirSync(path.join(driver, 'gpus', address), { recursive: true });
    writeFileSync(path.join(driver, 'gpus', address, 'information'), text);
  }
});
afterAll(() => rmSync(driver, { recursive: true, force: true }));

const h200 = { name: '0', address: '0000:1b:00.0', model: 'NVIDIA H200' };
const l4 = { name: '1', address: '0000:c1:00.0', model: 'NVIDIA L4' };

describe('the GPUs that a process may use', () => {
  test.each([
    ['all that the driver lists, in the order of their addresses', undefined, [h200, l4]],
    ['none of an empty list', '', []],
    ['none of -1', '-1', []],
    ['those of the list, in its order', '1, 0', [l4, h200]],
    ['those before one that there is not, as CUDA does', '1,7,0', [l4]],
    ['one by its UUID, or the beginning of it', 'GPU-2222', [{ ...l4, name: 'GPU-2222' }]],
    ['a part of one, of which nothing is known', 'MIG-5', [{ name: 'MIG-5' }]],
  ])('are %s', (_, visible, expected) => {
    const environment = visible === undefined ? {} : { CUDA_VISIBLE_DEVICES: visible };
    expect(listGpus({ environment, driver })).toEqual(expected);
  });

  test('are believed where no driver lists any, and none without a word', () => {
    const nowhere = path.join(driver, 'nowhere');
    expect(listGpus({ environment: {}, driver: nowhere })).toEqual([]);
    expect(listGpus({ environment: { CUDA_VISIBLE_DEVICES: '3' }, driver: nowhere })).toEqual([
      { name: '3' },
    ]);
  });
});

test.each([
  [
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version: 12\n',
    '535.129.03',
  ],
  [
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (root)\n',
    '570.86.15',
  ],
  ['what nobody knows', undefined],
])('the driver says its version: %s', (text, version) => {
  writeFileSync(path.join(driver, 'version'), text);
  expect(driverVersion({ driver })).toBe(version);
});
