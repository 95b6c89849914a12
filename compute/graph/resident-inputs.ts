import type { Tensor } from '@tensorflow/tfjs-node';
import type { GraphDef } from './graph-def.ts';

/** On a GPU, inputs of so many bytes stay there from call to call. */
export const residentBytes = 1e6;

/**
 * An input of a graph that stays on the device. The binding copies what it feeds to a session from the device to the host, and the session copies it back, with
 * each call: so such an input is assigned to a variable of the graph when it is another tensor than in the call before, and read from there.
 */
export interface ResidentInput {
  /** What the graph reads, `node:output`. */
  readonly read: string;
  /** What is fed to assign it. */
  readonly feed: string;
  /** What is computed by that. */
  readonly assigned: string;
}

/** Adds an input `name` to a graph as a variable. */
export function addResidentInput(graph: GraphDef, name: string, dtype: number): ResidentInput {
  const feed = graph.placeholder(name, dtype);
  const variable = graph.variable(`${name}/variable`, dtype);
  const assign = graph.add(
    'AssignVariableOp',
    [variable, feed],
    { dtype: { type: dtype } },
    `${name}/assign`,
  );
  const read = graph.add('ReadVariableOp', [variable], { dtype: { type: dtype } }, `${name}/read`);
  // An assignment has no result, and the binding can only ask for one.
  const assigned = graph.add('VarIsInitializedOp', [variable, `^${assign}`], {}, `${name}/assigned`);
  return { read: `${read}:0`, feed: `${feed}:0`, assigned: `${assigned}:0` };
}

/** Whether an input of this type and shape stays on the device, where those of `least` bytes do. */
export function isResident({ dtype, size }: Tensor, least: number): boolean {
  return dtype === 'float32' && size * 4 >= least;
}

/** Runs a part of a graph: computes `to` from `from`. */
type Run = (inputs: readonly Tensor[], from: readonly string[], to: readonly string[]) => Tensor[];

/** What the variables of one loaded graph hold. */
export class ResidentValues {
  readonly #inputs: ReadonlyMap<string, ResidentInput>;
  readonly #run: Run;
  /** The values of the tensor that each holds, by `read`. */
  readonly #held = new Map<string, object>();

  constructor(inputs: readonly ResidentInput[], run: Run) {
    this.#inputs = new Map(inputs.map((input) => [input.read, input]));
    this.#run = run;
  }

  /** Computes `to`, as `run` does, after assigning what has changed. Tensors never change their values. */
  run(inputs: readonly Tensor[], from: readonly string[], to: readonly string[]): Tensor[] {
    if (this.#inputs.size === 0) return this.#run(inputs, from, to);
    const fed: number[] = [];
    for (const [index, name] of from.entries()) {
      const input = this.#inputs.get(name);
      if (input === undefined) fed.push(index);
      else if (this.#held.get(name) !== inputs[index]!.dataId) this.#assign(input, inputs[index]!);
    }
    return this.#run(
      fed.map((index) => inputs[index]!),
      fed.map((index) => from[index]!),
      to,
    );
  }

  /** Gives the memory back; `empty` is a tensor of no values. */
  forget(empty: () => Tensor): void {
    for (const read of [...this.#held.keys()]) {
      const nothing = empty();
      this.#assign(this.#inputs.get(read)!, nothing);
      nothing.dispose();
    }
    this.#held.clear();
  }

  #assign({ read, feed, assigned }: ResidentInput, tensor: Tensor): void {
    this.#held.delete(read);
    for (const result of this.#run([tensor], [feed], [assigned])) result.dispose();
    this.#held.set(read, tensor.dataId);
  }
}
