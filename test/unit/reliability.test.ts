import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { drawEvents } from '../cluster/events.ts';
import { countEvents, pageWith, readChaos } from '../cluster/report.ts';
import { pageWithMutation, readMutation } from '../mutation/report.ts';

const figures = readChaos();

test('docs/reliability.md has the tables of docs/reliability/chaos.json', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/reliability.md'), 'utf8');
  expect(page).toBe(pageWith(figures));
});

test('docs/reliability.md has the table of docs/reliability/mutation.json', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/reliability.md'), 'utf8');
  expect(page).toBe(pageWithMutation(readMutation()));
});

test('the events of the page are those that its seed draws', () => {
  expect(figures.events).toEqual(countEvents(drawEvents(figures.seed, figures.kills)));
});
