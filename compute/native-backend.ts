/** The TensorFlow.js API with the native backend loaded. */
export type TensorFlow = typeof import('@tensorflow/tfjs-node');

/** The part of tfjs-node's native binding that this project builds on. */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_FLOAT: number;
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayBufferView;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): TensorMetadata[];
}

export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** tfjs-node's backend object, as far as this project uses it. */
export interface NativeBackend {
  binding: NativeBinding;
  readonly isUsingGpuDevice: boolean;
  /** Whether the package is that for GPU nodes. */
  readonly isGPUPackage: boolean;
  getDTypeInteger(dtype: string): number;
  /** Values wait in JavaScript until an operation first takes the tensor; then they are null. */
  readonly tensorMap: { get(dataId: object): { readonly values: unknown } };
  /** Takes values for a tensor, which the result stands for. */
  write(values: unknown, shape: number[], dtype: string): object;
  getInputTensorIds(tensors: readonly unknown[]): number[];
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly unknown[],
  ): import('@tensorflow/tfjs-node').Tensor;
  createOutputTensor(metadata: TensorMetadata): import('@tensorflow/tfjs-node').Tensor;
}

export function nativeBackend(tf: TensorFlow): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}
