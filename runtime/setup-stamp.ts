import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What the set-up (`runtime/setup/`) has put in place for this clone, and where. */
export interface SetupStamp {
  /** The Node that runs the project. */
  readonly node?: string;
  readonly tensorflow?: {
    readonly version: string;
    readonly flavour: 'cpu' | 'gpu';
    readonly library: string;
  };
  readonly temporal?: { readonly program: string; readonly version: string; readonly source: string };
  /** Python for tests and for benchmarks; studies need none. */
  readonly testPython?: { readonly program: string };
  readonly benchPython?: { readonly program: string };
}

const file = path.join(import.meta.dirname, '..', 'node_modules', '.epochal-setup.json');

/** Empty where no set-up has been run, or its record is broken. */
export function readSetupStamp(): SetupStamp {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SetupStamp;
  } catch {
    return {};
  }
}
