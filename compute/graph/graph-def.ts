import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** tfjs-node ships TensorFlow's protobuf classes without types; these are the parts that a graph needs. */
// biome-ignore lint/suspicious/noExplicitAny: generated JavaScript without types
type Message = any;

function protobuf(): Message {
  require('@tensorflow/tfjs-node/dist/proto/api_pb.js');
  return (globalThis as unknown as { proto: { tensorflow: Message } }).proto.tensorflow;
}

/** Numbers of TensorFlow's DataType. TensorFlow.js has no tensors of doubles, but a graph may. */
export const doubleType = 2;

/** The value of a node's attribute, by its kind; a list where that is an array. */
export type Attribute =
  | { readonly type: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly int: number | readonly number[] }
  | { readonly float: number | readonly number[] };

/** A graph of TensorFlow operations in the making. */
export class GraphDef {
  readonly #messages: Message = protobuf();
  readonly #nodes: Message[] = [];

  /** Number of nodes. */
  get size(): number {
    return this.#nodes.length;
  }

  /** The nodes in the order they were added, with the names of their inputs. */
  nodes(): { name: string; inputs: string[] }[] {
    return this.#nodes.map((node) => ({ name: node.getName(), inputs: node.getInputList() }));
  }

  /** Adds a node whose inputs are `node` or `node:output`, and gives its name: by default `node` and its number. */
  add(
    operation: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    name = `node${this.size}`,
  ): string {
    const node = this.#node(name, operation, inputs);
    for (const [key, value] of Object.entries(attributes)) node.getAttrMap().set(key, this.#attribute(value));
    return name;
  }

  /** Adds an input of the graph. */
  placeholder(name: string, dtype: number): string {
    return this.add('Placeholder', [], { dtype: { type: dtype } }, name);
  }

  /** Adds a variable, whose shape is that of what is assigned to it. */
  variable(name: string, dtype: number): string {
    const node = this.#node(name, 'VarHandleOp', []);
    const shape = new this.#messages.TensorShape();
    shape.setUnknownRank(true);
    const value = new this.#messages.AttrValue();
    value.setShape(shape);
    node.getAttrMap().set('dtype', this.#attribute({ type: dtype }));
    node.getAttrMap().set('shape', value);
    return name;
  }

  /** Adds a constant tensor. */
  constant(shape: readonly number[], dtype: number, values: ArrayBufferView): string {
    const name = `constant${this.size}`;
    const dimensions = new this.#messages.TensorShape();
    for (const size of shape) {
      const dimension = new this.#messages.TensorShape.Dim();
      dimension.setSize(size);
      dimensions.addDim(dimension);
    }
    const tensor = new this.#messages.Tensor();
    tensor.setDtype(dtype);
    tensor.setTensorShape(dimensions);
    tensor.setTensorContent(
      new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)),
    );
    const value = new this.#messages.AttrValue();
    value.setTensor(tensor);
    const node = this.#node(name, 'Const', []);
    node.getAttrMap().set('dtype', this.#attribute({ type: dtype }));
    node.getAttrMap().set('value', value);
    return name;
  }

  /** The graph as a serialized SavedModel with the tag `serve`. */
  savedModel(): Uint8Array {
    const graph = new this.#messages.GraphDef();
    graph.setNodeList(this.#nodes);
    const versions = new this.#messages.VersionDef();
    // GraphDef producer of TensorFlow 2.16, which every later release reads.
    versions.setProducer(1882);
    graph.setVersions(versions);
    const info = new this.#messages.MetaGraphDef.MetaInfoDef();
    info.setTagsList(['serve']);
    const meta = new this.#messages.MetaGraphDef();
    meta.setMetaInfoDef(info);
    meta.setGraphDef(graph);
    const model = new this.#messages.SavedModel();
    model.setSavedModelSchemaVersion(1);
    model.setMetaGraphsList([meta]);
    return model.serializeBinary();
  }

  #node(name: string, operation: string, inputs: readonly string[]): Message {
    const node = new this.#messages.NodeDef();
    node.setName(name);
    node.setOp(operation);
    node.setInputList(inputs);
    this.#nodes.push(node);
    return node;
  }

  #attribute(value: Attribute): Message {
    const attribute = new this.#messages.AttrValue();
    const list = new this.#messages.AttrValue.ListValue();
    const isList =
      ('int' in value && Array.isArray(value.int)) || ('float' in value && Array.isArray(value.float));
    if ('type' in value) attribute.setType(value.type);
    else if ('bool' in value) attribute.setB(value.bool);
    else if ('string' in value) attribute.setS(new TextEncoder().encode(value.string));
    else if ('int' in value && typeof value.int === 'number') attribute.setI(value.int);
    else if ('int' in value) list.setIList(value.int);
    else if (typeof value.float === 'number') attribute.setF(value.float);
    else list.setFList(value.float);
    if (isList) attribute.setList(list);
    return attribute;
  }
}
