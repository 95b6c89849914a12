import { deserialize, serialize } from 'node:v8';
import type { Checkpoint } from '../../artifacts/store/store.ts';
import type { LanczosState, LanczosStep, RestartedState } from '../../science/hessian/lanczos.ts';
import type { Sweep } from '../../science/hessian/outside.ts';

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
  readonly sweep: Sweep;
}

export interface LanczosCheckpoint {
  /** Where the run before stood. */
  readonly state: LanczosState | undefined;
  /** Residuals that it had measured. */
  readonly residuals: readonly number[];
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

  return {
    state,
    residuals: [...residuals],
    async addStep(step) {
      pending.push(step);
      if (pending.length < checkpointEvery) return;
      await checkpoint.write(partName(generation, parts++), serialize(savedSteps(pending)));
      pending = [];
    },
    async restart({ basis, alphas, betas, next, products, sweep }) {
      pending = [];
      generation++;
      parts = 0;
      for (let start = 0; start < basis.length; start += checkpointEvery) {
        const end = Math.min(start + checkpointEvery, basis.length);
        const part: SavedSteps = {
          vectors: basis.slice(start, end),
          alphas: alphas.slice(start, end),
          betas: betas.slice(start, end),
          ...(end === basis.length ? { next } : {}),
          ...{ products, sweep },
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
  const { next, products, sweep } = steps.at(-1)!;
  return {
    vectors: steps.map(({ vector }) => vector),
    alphas: steps.map(({ alpha }) => alpha),
    betas: steps.map(({ beta }) => beta),
    next,
    products,
    sweep,
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
  let parts = 0;
  for (;;) {
    const part = await readPart(checkpoint, generation, parts);
    if (part === undefined) break;
    alphas.push(...part.alphas);
    betas.push(...part.betas);
    last = part;
    parts++;
  }
  if (last?.next === undefined) return undefined;
  const basis = vectorsOf(checkpoint, generation, parts);
  const { products, next, sweep } = last;
  return { ...{ products, basis, next, alphas, betas, sweep }, parts };
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
