import { RefusedError } from '../artifacts/errors.ts';

/** The workflows that a worker serves. */
export { cell } from './cell.ts';
export { study } from './study.ts';

/** Stands for every other name, which no worker could ever serve. */
export default async function unknown(): Promise<never> {
  throw new RefusedError('There is no workflow of this name.');
}
