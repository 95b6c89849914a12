import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  RetryCount,
  type RetryRule,
  retryRuleOf,
  retryRules,
  retryWaitMs,
} from '../../../workflows/retries.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../../docs/retries.md'), 'utf8');

const seconds = (ms: number) => `${ms / 1000} s`;

/** A row of the table in docs/retries.md. */
function rowOf(rule: RetryRule): string {
  const { what, types, by, retries, waitMs, factor, longestWaitMs, change } = rule;
  const often = retries === 'attempts' ? '`retry.attempts` - 1' : by === 'nobody' ? 'never' : String(retries);
  const wait =
    by === 'nobody'
      ? ''
      : waitMs === 0
        ? 'at once'
        : `${seconds(waitMs)}, x ${factor}, up to ${seconds(longestWaitMs)}`;
  const names = types.map((type) => `\`${type}\``).join(', ');
  return `| ${[what, names, by, often, wait, change].join(' | ')} |`.replaceAll(/ {2,}/g, ' ');
}

test('the page of retries has the table that the code goes by', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  expect(rows.slice(2)).toEqual(Object.values(retryRules).map(rowOf));
});

test('each type of failure has one rule, and what nobody has named is tried as often as the stage says', () => {
  const types = Object.values(retryRules).flatMap((rule: RetryRule) => rule.types);
  expect(new Set(types).size).toBe(types.length);
  expect(retryRuleOf('InputError')).toBe(retryRules.userError);
  expect(retryRuleOf('NobodyKnowsError')).toBe(retryRules.other);
});

const waits = (count: RetryCount, rule: RetryRule, times: number) =>
  Array.from({ length: times }, () => count.next(rule));

test('waits grow up to the longest, and end', () => {
  expect(waits(new RetryCount(1), retryRules.storeUnavailable, 9)).toEqual([
    ...[2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000],
    undefined,
  ]);
  expect(retryWaitMs(retryRules.lostWorker, 1)).toBe(1000);
  expect(retryWaitMs(retryRules.lostWorker, 49)).toBe(10_000);
});

test('what befalls a stage from outside costs none of its own attempts', () => {
  const count = new RetryCount(3);
  expect(waits(count, retryRules.other, 1)).toEqual([2000]);
  expect(waits(count, retryRules.crashed, 5)).toEqual([2000, 4000, 8000, 16_000, 32_000]);
  expect(waits(count, retryRules.outOfMemory, 2)).toEqual([2000, undefined]);
  expect(waits(count, retryRules.other, 2)).toEqual([4000, undefined]);
});

test('wrong input is never tried again, nor by the cell what the server has tried', () => {
  const count = new RetryCount(9);
  for (const rule of [retryRules.userError, retryRules.sameAgain, retryRules.lostWorker, retryRules.killed])
    expect(count.next(rule)).toBeUndefined();
});
