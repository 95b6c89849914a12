import { readStamp } from './setup/stamp.mjs';

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
  /** Python with the linters of `deploy/`. */
  readonly linters?: { readonly program: string };
  readonly benchPython?: { readonly program: string };
  /** An S3 server for tests. */
  readonly versitygw?: { readonly program: string };
}

/** Empty where no set-up has been run, or its record is broken or not to be trusted. */
export function readSetupStamp(): SetupStamp {
  return readStamp() as SetupStamp;
}
