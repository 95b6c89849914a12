import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Step } from '../../artifacts/store/step.ts';
import type { Holdings } from '../../compute/tensorflow.ts';
import type { NoteKind, Progress } from '../kinds/stage.ts';
import type { StageAccount } from './stage-account.ts';

/** What of a step is written into every output. */
export type WrittenStep = Pick<Step, 'uses' | 'key' | 'inputs'>;

/** What a compute process is asked to do: a step. */
export interface ComputeRequest extends WrittenStep {
  /** Evaluated `with`, references resolved. */
  readonly with: Readonly<Record<string, unknown>>;
  readonly storeUri: string;
  readonly threads: number;
  readonly baseDirectory: string;
  /** The span of the worker that this is a part of, in the form of the W3C: the account of the stage then has spans. */
  readonly trace?: string;
}

/** What a compute process is told before there is a step for it: to load what most of them need, with so many threads. */
export interface Preparation {
  readonly prepares: number;
}

/** Exit code of a compute process that SIGTERM has ended in the middle of a stage. */
export const toldToEnd = 143;

/** Tells a compute process to give up its stage, if it has not ended it yet. */
export interface Stop {
  readonly stops: true;
}

/** What computed: "tensorflow" and the version of its library, or "none". */
export interface ComputeBackend {
  readonly backend: string;
  readonly library: string;
  /** The processor's widest instructions, on which the last bits depend. */
  readonly instructions?: string;
  /** What the binding says that it computes on. */
  readonly device?: 'cpu' | 'gpu';
  /** The GPUs, if it is one, and their driver. */
  readonly gpu?: string;
}

/** What a compute process has become by what it has done. */
export interface ProcessState {
  /** How threads are shared, once TensorFlow is loaded. */
  readonly sharing?: string | undefined;
  /** Bytes of memory that it holds. */
  readonly memory: number;
  /** What keeps it waiting at the moment (sockets, timers, files being read): its worker alone, between two stages. */
  readonly resources: number;
  /** What it holds in TensorFlow, once that is loaded. */
  readonly holds?: Holdings | undefined;
  /** True if it can take no further stage. */
  readonly spent: boolean;
}

/** An error that a stage threw. */
export interface ErrorWords {
  readonly name: string;
  readonly message: string;
  readonly cure?: string | undefined;
  readonly stack?: string | undefined;
}

/** From a compute process to its worker. */
export type ComputeMessage =
  | { readonly type: 'prepared'; readonly state: ProcessState }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'note'; readonly text: string; readonly kind?: NoteKind | undefined }
  /** What the stage has done, before what ends it. */
  | { readonly type: 'account'; readonly account: StageAccount }
  | {
      readonly type: 'done';
      readonly outputs: Readonly<Record<string, ArtifactRef>>;
      readonly backend: ComputeBackend;
      readonly state: ProcessState;
    }
  /** The stage has failed in a way that is foreseen: the process can take another. */
  | { readonly type: 'failed'; readonly error: ErrorWords; readonly state: ProcessState }
  /** It was given up; what it had done is in its checkpoint. */
  | { readonly type: 'stopped'; readonly state: ProcessState }
  /** It has failed in another way, and the process ends. */
  | { readonly type: 'broken'; readonly error: ErrorWords }
  /** Another process has to do it: TensorFlow runs in this one with its threads shared otherwise. */
  | { readonly type: 'unfit'; readonly error: ErrorWords; readonly state: ProcessState };
