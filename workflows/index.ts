/** The workflows that a worker serves. */
export { cell } from './cell.ts';
export { study } from './study.ts';
