import type { Tensor } from '@tensorflow/tfjs-node';
import {
  type NativeBackend,
  type NativeBinding,
  nativeBackend,
  type OpAttribute,
  type TensorFlow,
} from '../tensorflow.ts';
import { CaptureError } from './capture-error.ts';
import { type Attribute, GraphDef } from './graph-def.ts';
import { addResidentInput, isResident, type ResidentInput } from './resident-inputs.ts';

/** Operations whose result has a shape that depends on values. */
const shapedByValues: ReadonlySet<string> = new Set([
  'DynamicPartition',
  'NonMaxSuppressionV2',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV5',
  'SparseFillEmptyRows',
  'SparseReshape',
  'Unique',
  'UniqueV2',
  'Where',
]);

/** Stands in for the native binding while a function is recorded: every operation still runs, and becomes a node of a graph. */
export class GraphRecorder {
  readonly #backend: NativeBackend;
  readonly #real: NativeBinding;
  readonly #graph = new GraphDef();
  /** Tensor id -> `node:output`. */
  readonly #names = new Map<number, string>();
  /** The tensors that operations took, by id. */
  readonly #tensors = new Map<number, Tensor>();
  /** Tensors from outside that became constants of the graph. */
  #outside = 0;
  /** Those of the inputs that stay on the device. */
  readonly residents: readonly ResidentInput[];
  /** The inputs as the graph reads them, `node:output`. */
  readonly inputs: readonly string[];

  /** @param least Inputs of so many bytes stay on the device. */
  constructor(tf: TensorFlow, inputs: readonly Tensor[], least = Number.POSITIVE_INFINITY) {
    const residents: ResidentInput[] = [];
    this.#backend = nativeBackend(tf);
    this.#real = this.#backend.binding;
    for (const [index, id] of this.#backend.getInputTensorIds(inputs).entries()) {
      const other = this.#names.get(id);
      if (other !== undefined)
        throw new CaptureError(
          `Input ${index} is the tensor of ${other.replace(/(\/read)?:0$/, '')} again: a recorded function must tell its inputs apart. Give a copy.`,
        );
      const dtype = this.#backend.getDTypeInteger(inputs[index]!.dtype);
      if (isResident(inputs[index]!, least)) {
        const resident = addResidentInput(this.#graph, `input${index}`, dtype);
        residents.push(resident);
        this.#names.set(id, resident.read);
      } else this.#names.set(id, `${this.#graph.placeholder(`input${index}`, dtype)}:0`);
    }
    this.residents = residents;
    this.inputs = [...this.#names.values()];
  }

  get nodes(): number {
    return this.#graph.size;
  }

  /** Whether the graph depends on its inputs and on what the function computed itself, and on no other tensor. */
  get isClosed(): boolean {
    return this.#outside === 0;
  }

  /** The nodes in the order of computation, with the names of their inputs. */
  graph(): { name: string; inputs: string[] }[] {
    return this.#graph.nodes();
  }

  /** Runs `fn` with every operation recorded, and gives the names of its results in the graph. */
  record(fn: () => readonly Tensor[]): string[] {
    const backend = this.#backend;
    const { getInputTensorIds, write } = backend;
    /** What the function itself gives values. */
    const own = new WeakSet<object>();
    backend.binding = this.#standIn();
    backend.write = (...args) => {
      const dataId = write.apply(backend, args);
      own.add(dataId);
      return dataId;
    };
    backend.getInputTensorIds = (tensors) => {
      for (const { dataId } of tensors as Partial<Tensor>[])
        if (dataId !== undefined && !own.has(dataId) && backend.tensorMap.get(dataId).values !== null)
          this.#outside++;
      const ids = getInputTensorIds.call(backend, tensors);
      for (const [index, id] of ids.entries()) this.#tensors.set(id, tensors[index] as Tensor);
      return ids;
    };
    try {
      const results = fn();
      checkResults(results);
      return backend.getInputTensorIds(results).map((id, index) => this.#result(id, results[index]!));
    } finally {
      backend.binding = this.#real;
      Object.assign(backend, { getInputTensorIds, write });
    }
  }

  /** The recorded graph as a serialized SavedModel with the tag `serve`. */
  savedModel(): Uint8Array {
    return this.#graph.savedModel();
  }

  #standIn(): NativeBinding {
    const real = this.#real;
    const overrides: Partial<NativeBinding> = {
      createTensor: (shape, dtype, values) => {
        const id = real.createTensor(shape, dtype, values);
        this.#names.set(id, `${this.#graph.constant(shape, dtype, values)}:0`);
        return id;
      },
      executeOp: (op, attributes, inputs, outputs) => {
        if (shapedByValues.has(op)) {
          throw new CaptureError(
            `The shape of the result of ${op} depends on values, which a recorded function must not: multiply with a mask of zeros and ones instead.`,
          );
        }
        const sources = inputs.map((id) => this.#name(id).replace(/:0$/, ''));
        const described = attributes.map(
          (attribute) => [attribute.name, this.#attribute(attribute)] as const,
        );
        const name = this.#graph.add(op, sources, Object.fromEntries(described));
        const results = real.executeOp(op, attributes, inputs, outputs);
        for (const [index, { id }] of results.entries()) this.#names.set(id, `${name}:${index}`);
        return results;
      },
      tensorDataSync: () => {
        throw new CaptureError(
          'A recorded function must not read the value of a tensor: use operations instead of data().',
        );
      },
    };
    // The binding's properties are read-only, so neither assigning nor a Proxy on it would do.
    const copy = Object.fromEntries(
      Object.getOwnPropertyNames(real).map((key) => {
        const value: unknown = real[key as keyof NativeBinding];
        return [key, typeof value === 'function' ? value.bind(real) : value];
      }),
    );
    return { ...(copy as unknown as NativeBinding), ...overrides };
  }

  #name(id: number): string {
    let name = this.#names.get(id);
    if (name === undefined) {
      // Neither an input nor made within: its value now becomes a constant of the graph.
      this.#outside++;
      const { shape, dtype } = this.#tensors.get(id)!;
      const type = this.#backend.getDTypeInteger(dtype);
      name = `${this.#graph.constant(shape, type, this.#real.tensorDataSync(id))}:0`;
      this.#names.set(id, name);
    }
    return name;
  }

  /** A session does not give back what it is fed, so an input that is handed through becomes a result by a node of its own. */
  #result(id: number, { dtype }: Tensor): string {
    const name = this.#name(id);
    if (!name.startsWith('input')) return name;
    return `${this.#graph.add('Identity', [name], { T: { type: this.#backend.getDTypeInteger(dtype) } })}:0`;
  }

  #attribute({ name, type, value }: OpAttribute): Attribute {
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_STRING, TF_ATTR_FLOAT, TF_ATTR_INT } = this.#real;
    if (type === TF_ATTR_TYPE) return { type: value as number };
    if (type === TF_ATTR_BOOL) return { bool: value as boolean };
    if (type === TF_ATTR_STRING) return { string: value as string };
    if (type === TF_ATTR_FLOAT) return { float: value as number | number[] };
    if (type === TF_ATTR_INT) return { int: value as number | number[] };
    throw new CaptureError(`Attribute ${name} has a type (${type}) that graphs are not recorded with.`);
  }
}

function checkResults(results: unknown): asserts results is readonly Tensor[] {
  if (Array.isArray(results) && results.every((result) => result?.dataId !== undefined)) return;
  // What a promise fails with is of no interest beside the promise itself.
  if (results instanceof Promise) results.catch(() => undefined);
  throw new CaptureError(
    'A recorded function must give tensors at once: not a promise, as operations do whose shapes depend on values (whereAsync, booleanMaskAsync).',
  );
}
