/**
 * What is done about a failure, by its kind. The server retries what has befallen a worker, the cell what has befallen the stage; a stage goes on from its
 * checkpoint in each case. `docs/retries.md` has the same table for people.
 */
export interface RetryRule {
  /** What has happened. */
  readonly what: string;
  /** Types of the failures: names of errors. */
  readonly types: readonly string[];
  /** Who tries again. All that the server retries is counted together. */
  readonly by: 'server' | 'cell' | 'nobody';
  /** Further attempts; `attempts`: as many as `retry.attempts` of the stage leaves, counted together. */
  readonly retries: number | 'attempts';
  /** Wait before the first of them, in milliseconds, by how much it grows with each, and the longest. */
  readonly waitMs: number;
  readonly factor: number;
  readonly longestWaitMs: number;
  /** What is different then. */
  readonly change: string;
}

/** Preempted nodes are ordinary: what befalls workers costs a stage none of its own attempts. */
const byServer = { by: 'server', retries: 49, waitMs: 1000, factor: 1.5, longestWaitMs: 10_000 } as const;
const byCell = { by: 'cell', waitMs: 2000, factor: 2, longestWaitMs: 64_000 } as const;
const never = { by: 'nobody', retries: 0, waitMs: 0, factor: 1, longestWaitMs: 0 } as const;

export const retryRules = {
  handedBack: {
    ...byServer,
    what: 'its worker was told to stop (a preempted node, Ctrl-C)',
    types: ['WorkerShutdownError'],
    change: 'another worker',
  },
  lostWorker: {
    ...byServer,
    what: 'its worker is lost: no heartbeat for 15 s',
    types: ['TimeoutFailure'],
    change: 'another worker',
  },
  noRoom: {
    ...byServer,
    what: 'the disk of its worker is full: its temporary folder, or its copies of a store in S3',
    types: ['NoRoomError'],
    change: 'another worker; this one takes no stage before there is room',
  },
  otherVersion: {
    ...byServer,
    what: 'its worker computes another version of the stage kind than the plan asks for',
    types: ['OtherVersionError'],
    waitMs: 1000,
    factor: 2,
    longestWaitMs: 60_000,
    change: 'a worker that knows this version',
  },
  killed: {
    ...byServer,
    what: 'its compute process was killed by somebody',
    types: ['ComputeProcessError'],
    change: 'a new process',
  },
  crashed: {
    ...byCell,
    what: 'its compute process crashed',
    types: ['ProcessCrashError'],
    retries: 5,
    change: 'a new process',
  },
  outOfMemory: {
    ...byCell,
    what: 'it ran out of memory',
    types: ['OutOfMemoryError'],
    retries: 1,
    change: 'alone on its worker, in a new process',
  },
  damagedInput: {
    ...byCell,
    what: 'a file that it reads is damaged or gone',
    types: ['DamagedArtifactError'],
    retries: 5,
    waitMs: 0,
    change: 'the file is made anew; counted for the whole cell',
  },
  storeUnavailable: {
    ...byCell,
    what: 'the disk is full, or the store cannot be reached',
    types: ['StoreUnavailableError'],
    retries: 8,
    change: 'nothing: somebody frees the disk, or the store comes back',
  },
  userError: {
    ...never,
    what: 'the input is wrong, or a message was refused',
    types: ['InputError', 'RefusedError', 'ModelError', 'MismatchError', 'ColumnError'],
    change: '',
  },
  sameAgain: {
    ...never,
    what: 'the computation itself fails: it would end the same again, to the bit',
    types: [
      ...['UnconvergedError', 'DivergedError', 'ToyDivergedError', 'NotFiniteError'],
      ...['SecondDerivativeError', 'CaptureError'],
    ],
    change: '',
  },
  other: {
    ...byCell,
    what: 'anything else, its time limit included',
    types: [],
    retries: 'attempts',
    change: 'nothing',
  },
} as const satisfies Readonly<Record<string, RetryRule>>;

const rules: readonly RetryRule[] = Object.values(retryRules);

/** The rule for a failure of this type. */
export function retryRuleOf(type: string): RetryRule {
  return rules.find(({ types }) => types.includes(type)) ?? retryRules.other;
}

/** Milliseconds to wait after the failure of this number, from 1. */
export function retryWaitMs({ waitMs, factor, longestWaitMs }: RetryRule, failed: number): number {
  return Math.min(longestWaitMs, waitMs * factor ** (failed - 1));
}

/** Counts the failures of one stage by what is done about them. */
export class RetryCount {
  readonly #attempts: number;
  readonly #failed = new Map<RetryRule | 'attempts', number>();

  /** @param attempts Of `retry` of the stage, the first included. */
  constructor(attempts: number) {
    this.#attempts = attempts;
  }

  /** Counts a failure. Gives the milliseconds to wait before the cell tries again, or undefined if it does not. */
  next(rule: RetryRule): number | undefined {
    const counted = rule.retries === 'attempts' ? 'attempts' : rule;
    const failed = (this.#failed.get(counted) ?? 0) + 1;
    this.#failed.set(counted, failed);
    const most = rule.retries === 'attempts' ? this.#attempts - 1 : rule.retries;
    return rule.by === 'cell' && failed <= most ? retryWaitMs(rule, failed) : undefined;
  }
}
