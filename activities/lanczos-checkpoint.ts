import { deserialize, serialize } from 'node:v8';
import type { Checkpoint } from '../artifacts/store.ts';
import type {
  LanczosState,
  LanczosStep,
  Looks,
  Missing,
  RestartedState,
  SweepMemory,
} from '../science/hessian/lanczos.ts';

/** Steps, or residuals, between two checkpoints. */
const checkpointEvery = 10;

/** Part of the basis: the steps since the file before, or some of the vectors that a restart kept. */
interface SavedSteps {
  readonly vectors: readonly Float32Array[];
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
  /** What follows these vectors; of a restart's only in the last part. */
  readonly next?: Float32Array;
  readonly products: number;
  /** What the generation is looking for; in the last part of a restart. */
  readonly missing?: Missing | undefined;
  readonly looks?: Looks | undefined;
}

export interface LanczosCheckpoint {
  /** Where the run before stood. */
  readonly state: LanczosState | undefined;
  /** Residuals that it had measured. */
  readonly residuals: readonly number[];
  /** What its last sweep outside of the basis had come to. */
  readonly sweep: SweepMemory | undefined;
  addSweep(memory: SweepMemory): Promise<void>;
  addStep(step: LanczosStep): Promise<void>;
  restart(state: RestartedState): Promise<void>;
  addResidual(residual: number): Promise<void>;
}

/**
 * The progress of Lanczos as files that are only ever added: each holds the few vectors since the one before. A restart begins a new generation,
 * which counts once all that was kept is written; the generation before is removed after that.
 */
export async function openLanczosCheckpoint(checkpoint: Checkpoint): Promise<LanczosCheckpoint> {
  const names = await checkpoint.list();
  const begun = names.filter((name) => name.startsWith('begun-')).map((name) => Number(name.slice(6)));
  let generation = Math.max(0, ...begun);
  const state = await readState(checkpoint, generation);
  let parts = state?.parts ?? 0;
  let pending: LanczosStep[] = [];
  const residuals = ((await readValue(checkpoint, 'residuals')) as number[] | undefined) ?? [];
  const sweep = (await readValue(checkpoint, 'sweep')) as SweepMemory | undefined;

  const removeOthers = async () => {
    for (const name of await checkpoint.list()) {
      const [, number] = /^(?:begun|basis)-(\d+)/.exec(name) ?? [];
      if (number !== undefined && Number(number) !== generation) await checkpoint.remove(name);
    }
  };
  if (state === undefined) {
    generation = 0;
    for (const name of names) if (/^(begun|basis)-/.test(name)) await checkpoint.remove(name);
  }
  await removeOthers();

  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    await checkpoint.write(partName(generation, parts++), serialize(savedSteps(pending)));
    pending = [];
  };

  return {
    state,
    residuals: [...residuals],
    sweep,
    async addSweep(memory) {
      const steps = memory.state?.alphas.length ?? 0;
      if (steps % checkpointEvery === 0) {
        await flush();
        await checkpoint.write('sweep', serialize(memory));
      }
    },
    async addStep(step) {
      pending.push(step);
      if (pending.length >= checkpointEvery) await flush();
    },
    async restart({ basis, alphas, betas, next, products, missing, looks }) {
      pending = [];
      generation++;
      parts = 0;
      for (let start = 0; start < basis.length; start += checkpointEvery) {
        const end = Math.min(start + checkpointEvery, basis.length);
        const part: SavedSteps = {
          vectors: basis.slice(start, end),
          alphas: alphas.slice(start, end),
          betas: betas.slice(start, end),
          ...(end === basis.length ? { next, missing, looks } : {}),
          products,
        };
        await checkpoint.write(partName(generation, parts++), serialize(part));
      }
      await checkpoint.write(`begun-${generation}`, new Uint8Array(0));
      await removeOthers();
    },
    async addResidual(residual) {
      residuals.push(residual);
      if (residuals.length % checkpointEvery === 0) await checkpoint.write('residuals', serialize(residuals));
    },
  };
}

function savedSteps(steps: readonly LanczosStep[]): SavedSteps {
  const { next, products, looks } = steps.at(-1)!;
  return {
    vectors: steps.map(({ vector }) => vector),
    alphas: steps.map(({ alpha }) => alpha),
    betas: steps.map(({ beta }) => beta),
    next,
    products,
    looks,
  };
}

function partName(generation: number, part: number): string {
  return `basis-${generation}-${String(part).padStart(6, '0')}`;
}

/**
 * What a generation holds up to the first part that is absent or torn; undefined if there is nothing, or if what a restart kept is not whole.
 * The vectors are read again when they are asked for, part by part, so that they are never in memory twice.
 */
async function readState(
  checkpoint: Checkpoint,
  generation: number,
): Promise<(LanczosState & { readonly parts: number }) | undefined> {
  const alphas: number[] = [];
  const betas: number[] = [];
  let last: SavedSteps | undefined;
  let missing: Missing | undefined;
  let parts = 0;
  for (;;) {
    const part = await readPart(checkpoint, generation, parts);
    if (part === undefined) break;
    alphas.push(...part.alphas);
    betas.push(...part.betas);
    last = part;
    missing ??= part.missing;
    parts++;
  }
  if (last?.next === undefined) return undefined;
  const basis = vectorsOf(checkpoint, generation, parts);
  return {
    products: last.products,
    basis,
    next: last.next,
    alphas,
    betas,
    missing,
    looks: last.looks,
    parts,
  };
}

async function* vectorsOf(
  checkpoint: Checkpoint,
  generation: number,
  parts: number,
): AsyncGenerator<Float32Array> {
  for (let part = 0; part < parts; part++) yield* (await readPart(checkpoint, generation, part))!.vectors;
}

async function readPart(
  checkpoint: Checkpoint,
  generation: number,
  part: number,
): Promise<SavedSteps | undefined> {
  return (await readValue(checkpoint, partName(generation, part))) as SavedSteps | undefined;
}

async function readValue(checkpoint: Checkpoint, name: string): Promise<unknown> {
  const bytes = await checkpoint.read(name);
  return bytes === undefined ? undefined : deserialize(bytes);
}
