/** What test files take from `vitest`, for tests that are collected and run many times in one process. */

import { format } from 'node:util';
import {
  chai,
  type ExpectStatic,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';

export interface Collected {
  readonly name: string;
  readonly body: () => unknown;
}

let collected: Collected[] = [];
let titles: string[] = [];

/** The tests that a module has when it is loaded. */
export async function collect(load: () => Promise<unknown>): Promise<Collected[]> {
  collected = [];
  titles = [];
  await load();
  return collected;
}

type Body = (...values: never[]) => unknown;
type Each = (cases: readonly unknown[]) => (name: string, body: Body) => void;

function each(one: (name: string, body: () => unknown) => void): Each {
  return (cases) => (name, body) => {
    for (const values of cases) {
      const list = (Array.isArray(values) ? values : [values]) as never[];
      one(format(name, ...list), () => body(...list));
    }
  };
}

const add = (name: string, body: () => unknown) =>
  void collected.push({ name: [...titles, name].join(' > '), body });
const group = (name: string, body: () => unknown) => {
  titles.push(name);
  body();
  titles.pop();
};

export const test = Object.assign(add, { each: each(add) });
export const it = test;
export const describe = Object.assign(group, { each: each(group) });

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = chai.expect as unknown as ExpectStatic;
Reflect.set(globalThis, GLOBAL_EXPECT, expect);
setState({ ...getState(expect), assertionCalls: 0 }, expect);
