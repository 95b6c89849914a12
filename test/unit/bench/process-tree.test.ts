import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { processTree } from '../../../bench/sweep/running/process-tree.ts';

/** Starts a child that holds 200 MB and has worked, then says its process id. */
const grandchild = `
const held = Buffer.alloc(2e8, 1);
while (process.cpuUsage().user < 3e5);
console.log(process.pid);
process.stdin.once('end', () => process.exit(held.length > 0 ? 0 : 1)).resume();
`;
const child = `
require('node:child_process').spawn(process.execPath, ['-e', process.argv[1]], { stdio: 'inherit' });
`;

test('a process and its descendants are found, with their memory and processor time, and no others', async () => {
  const start = (script: string, ...args: string[]) =>
    spawn(process.execPath, ['-e', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [parent, other] = [start(child, grandchild), start(grandchild)];
  const [[line], [otherLine]] = await Promise.all([once(parent.stdout, 'data'), once(other.stdout, 'data')]);
  const pid = Number(String(line));
  const tree = processTree(parent.pid!);
  expect(tree.map((state) => state.pid).sort()).toEqual([parent.pid!, pid].sort());
  expect(Number(String(otherLine))).toBe(other.pid);
  const state = tree.find((one) => one.pid === pid)!;
  expect(state.parent).toBe(parent.pid);
  expect(state.command).toContain('Buffer.alloc');
  expect(state.bytes).toBeGreaterThan(2e8);
  expect(state.processorSeconds).toBeGreaterThanOrEqual(0.3);
  const ended = Promise.all([once(parent, 'exit'), once(other, 'exit')]);
  parent.stdin.end();
  other.stdin.end();
  await ended;
  expect(processTree(parent.pid!)).toEqual([]);
});
