import { expect, test } from 'vitest';
import { unhurried } from '../../../activities/processes/unhurried-checkpoint.ts';
import { folderCheckpoint } from '../../../artifacts/store/checkpoint.ts';
import type { Checkpoint } from '../../../artifacts/store/store.ts';
import { temporaryFolder } from '../artifacts/folders.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = async (checkpoint: Checkpoint, name: string) => {
  const read = await checkpoint.read(name);
  return read === undefined ? undefined : new TextDecoder().decode(read);
};
const never = Number.POSITIVE_INFINITY;

/** A checkpoint in a folder that tells what is done to it, in order. */
function watched(): { checkpoint: Checkpoint; done: string[] } {
  const real = folderCheckpoint(temporaryFolder());
  const done: string[] = [];
  return {
    done,
    checkpoint: {
      ...real,
      write: (name, value) => {
        done.push(`write ${name}`);
        return real.write(name, value);
      },
      remove: (name) => {
        done.push(`remove ${name}`);
        return real.remove(name);
      },
    },
  };
}

test('reads what it holds back, and nothing of it is written until it is time', async () => {
  const { checkpoint, done } = watched();
  await checkpoint.write('old', bytes('1'));
  done.length = 0;
  const slow = unhurried(checkpoint, never);
  const value = bytes('2');
  await slow.write('new', value);
  value.fill(0);
  await slow.remove('old');
  expect(await text(slow, 'new')).toBe('2');
  expect(await text(slow, 'old')).toBeUndefined();
  expect(await slow.list()).toEqual(['new']);
  expect(done).toEqual([]);
  expect(await checkpoint.list()).toEqual(['old']);
  await slow.flush();
  expect(await checkpoint.list()).toEqual(['new']);
  expect(await text(checkpoint, 'new')).toBe('2');
  done.length = 0;
  await slow.flush();
  expect(done).toEqual([]);
});

test('what was replaced or removed meanwhile is not written, and a file that speaks of others comes after them and before they go', async () => {
  const { checkpoint, done } = watched();
  const slow = unhurried(checkpoint, never);
  for (let epoch = 1; epoch <= 3; epoch++) {
    await slow.write(`rows-${epoch}`, bytes(`${epoch}`));
    await slow.write('after-epoch', bytes(`${epoch}`));
    if (epoch > 1) await slow.remove(`rows-${epoch - 1}`);
  }
  await slow.flush();
  expect(done).toEqual(['write rows-3', 'write after-epoch', 'remove rows-1', 'remove rows-2']);
  expect(await checkpoint.list()).toEqual(['after-epoch', 'rows-3']);
  expect(await text(checkpoint, 'after-epoch')).toBe('3');
});

test('writes at once when it is time, as it does where there is nothing to wait for', async () => {
  const { checkpoint, done } = watched();
  const quick = unhurried(checkpoint, 0);
  await quick.write('a', bytes('1'));
  await quick.remove('b');
  expect(done).toEqual(['write a', 'remove b']);
});

test('is cleared with what it holds back', async () => {
  const { checkpoint } = watched();
  await checkpoint.write('a', bytes('1'));
  const slow = unhurried(checkpoint, never);
  await slow.write('b', bytes('2'));
  await slow.clear();
  await slow.flush();
  expect(await checkpoint.list()).toEqual([]);
  expect(await slow.list()).toEqual([]);
});
