import { createRequire } from 'node:module';
import type { Tensor } from '@tensorflow/tfjs-node';
import { CaptureError } from './capture-error.ts';
import {
  type NativeBackend,
  type NativeBinding,
  nativeBackend,
  type OpAttribute,
  type TensorFlow,
} from './tensorflow.ts';

const require = createRequire(import.meta.url);

/** tfjs-node ships TensorFlow's protobuf classes without types; these are the parts that a graph needs. */
// biome-ignore lint/suspicious/noExplicitAny: generated JavaScript without types
type Message = any;
let messages: Message;

/** Stands in for the native binding while a function is recorded: every operation still runs, and becomes a node of a graph. */
export class GraphRecorder {
  readonly #backend: NativeBackend;
  readonly #real: NativeBinding;
  readonly #nodes: Message[] = [];
  /** Tensor id -> `node:output`. */
  readonly #names = new Map<number, string>();
  /** The tensors that operations took, by id. */
  readonly #tensors = new Map<number, Tensor>();

  constructor(tf: TensorFlow, inputs: readonly Tensor[]) {
    require('@tensorflow/tfjs-node/dist/proto/api_pb.js');
    messages = (globalThis as unknown as { proto: { tensorflow: Message } }).proto.tensorflow;
    this.#backend = nativeBackend(tf);
    this.#real = this.#backend.binding;
    for (const [index, id] of this.#backend.getInputTensorIds(inputs).entries()) {
      const type = new messages.AttrValue();
      type.setType(this.#backend.getDTypeInteger(inputs[index]!.dtype));
      this.#names.set(id, `${this.#add(`input${index}`, 'Placeholder', [], [['dtype', type]])}:0`);
    }
  }

  get nodes(): number {
    return this.#nodes.length;
  }

  /** Runs `fn` with every operation recorded, and gives the names of its results in the graph. */
  record(fn: () => readonly Tensor[]): string[] {
    const backend = this.#backend;
    const { getInputTensorIds } = backend;
    backend.binding = this.#standIn();
    backend.getInputTensorIds = (tensors) => {
      const ids = getInputTensorIds.call(backend, tensors);
      for (const [index, id] of ids.entries()) this.#tensors.set(id, tensors[index] as Tensor);
      return ids;
    };
    try {
      const results = fn();
      return backend.getInputTensorIds(results).map((id, index) => this.#result(id, results[index]!));
    } finally {
      backend.binding = this.#real;
      backend.getInputTensorIds = getInputTensorIds;
    }
  }

  /** The recorded graph as a serialized SavedModel with the tag `serve`. */
  savedModel(): Uint8Array {
    const graph = new messages.GraphDef();
    graph.setNodeList(this.#nodes);
    const versions = new messages.VersionDef();
    // GraphDef producer of TensorFlow 2.16, which every later release reads.
    versions.setProducer(1882);
    graph.setVersions(versions);
    const info = new messages.MetaGraphDef.MetaInfoDef();
    info.setTagsList(['serve']);
    const meta = new messages.MetaGraphDef();
    meta.setMetaInfoDef(info);
    meta.setGraphDef(graph);
    const model = new messages.SavedModel();
    model.setSavedModelSchemaVersion(1);
    model.setMetaGraphsList([meta]);
    return model.serializeBinary();
  }

  #standIn(): NativeBinding {
    const real = this.#real;
    const overrides: Partial<NativeBinding> = {
      createTensor: (shape, dtype, values) => {
        const id = real.createTensor(shape, dtype, values);
        this.#names.set(id, `${this.#constant(shape, dtype, values)}:0`);
        return id;
      },
      executeOp: (op, attributes, inputs, outputs) => {
        const sources = inputs.map((id) => this.#name(id).replace(/:0$/, ''));
        const name = this.#add(
          `node${this.#nodes.length}`,
          op,
          sources,
          attributes.map((attribute) => this.#attribute(attribute)),
        );
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
      const { shape, dtype } = this.#tensors.get(id)!;
      name = `${this.#constant(shape, this.#backend.getDTypeInteger(dtype), this.#real.tensorDataSync(id))}:0`;
      this.#names.set(id, name);
    }
    return name;
  }

  /** A session does not give back what it is fed, so an input that is handed through becomes a result by a node of its own. */
  #result(id: number, { dtype }: Tensor): string {
    const name = this.#name(id);
    if (!name.startsWith('input')) return name;
    const type = new messages.AttrValue();
    type.setType(this.#backend.getDTypeInteger(dtype));
    return `${this.#add(`node${this.#nodes.length}`, 'Identity', [name], [['T', type]])}:0`;
  }

  #add(
    name: string,
    op: string,
    inputs: readonly string[],
    attributes: readonly (readonly [string, Message])[],
  ): string {
    const node = new messages.NodeDef();
    node.setName(name);
    node.setOp(op);
    node.setInputList(inputs);
    for (const [key, value] of attributes) node.getAttrMap().set(key, value);
    this.#nodes.push(node);
    return name;
  }

  #constant(shape: readonly number[], dtype: number, values: ArrayBufferView): string {
    const dimensions = new messages.TensorShape();
    for (const size of shape) {
      const dimension = new messages.TensorShape.Dim();
      dimension.setSize(size);
      dimensions.addDim(dimension);
    }
    const tensor = new messages.Tensor();
    tensor.setDtype(dtype);
    tensor.setTensorShape(dimensions);
    tensor.setTensorContent(
      new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)),
    );
    const value = new messages.AttrValue();
    value.setTensor(tensor);
    const type = new messages.AttrValue();
    type.setType(dtype);
    return this.#add(
      `constant${this.#nodes.length}`,
      'Const',
      [],
      [
        ['dtype', type],
        ['value', value],
      ],
    );
  }

  #attribute({ name, type, value }: OpAttribute): readonly [string, Message] {
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_STRING, TF_ATTR_FLOAT, TF_ATTR_INT } = this.#real;
    const attribute = new messages.AttrValue();
    const list = new messages.AttrValue.ListValue();
    if (type === TF_ATTR_TYPE) attribute.setType(value);
    else if (type === TF_ATTR_BOOL) attribute.setB(value);
    else if (type === TF_ATTR_STRING) attribute.setS(new TextEncoder().encode(value as string));
    else if (type === TF_ATTR_FLOAT && Array.isArray(value)) list.setFList(value);
    else if (type === TF_ATTR_FLOAT) attribute.setF(value);
    else if (type === TF_ATTR_INT && Array.isArray(value)) list.setIList(value);
    else if (type === TF_ATTR_INT) attribute.setI(value);
    else throw new CaptureError(`Attribute ${name} has a type (${type}) that graphs are not recorded with.`);
    if (Array.isArray(value)) attribute.setList(list);
    return [name, attribute];
  }
}
