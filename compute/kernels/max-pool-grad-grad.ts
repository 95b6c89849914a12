import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../tensorflow.ts';

interface PoolingAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid';
}

interface PoolingInputs {
  readonly input: Tensor4D;
  readonly output: Tensor;
  readonly dd: Tensor4D;
}

/**
 * Registers the operation `MaxPoolGradGrad`, which TensorFlow has and TensorFlow.js does not expose: from each window of `dd` it takes the
 * element whose place is that of the window's first largest element of `input`.
 */
export function registerMaxPoolGradGrad(tf: TensorFlow): void {
  if (tf.getKernel('MaxPoolGradGrad', tf.getBackend()) !== undefined) return;
  const pick = tf.getBackend() === 'tensorflow' ? pickNatively : pickInJavaScript;
  tf.registerKernel({
    kernelName: 'MaxPoolGradGrad',
    backendName: tf.getBackend(),
    kernelFunc: ({ inputs, attrs }) =>
      pick(tf, inputs as unknown as PoolingInputs, attrs as unknown as PoolingAttributes),
  });
}

function pickNatively(tf: TensorFlow, inputs: PoolingInputs, attributes: PoolingAttributes): TensorInfo {
  const backend = nativeBackend(tf);
  const { TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_STRING, TF_FLOAT } = backend.binding;
  const window = (size: number | [number, number]) => [1, ...(Array.isArray(size) ? size : [size, size]), 1];
  return backend.executeSingleOutput(
    'MaxPoolGradGrad',
    [
      { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
      { name: 'ksize', type: TF_ATTR_INT, value: window(attributes.filterSize) },
      { name: 'strides', type: TF_ATTR_INT, value: window(attributes.strides) },
      { name: 'padding', type: TF_ATTR_STRING, value: attributes.pad.toUpperCase() },
      { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
    ],
    [inputs.input, inputs.output, inputs.dd],
  );
}

function pickInJavaScript(
  tf: TensorFlow,
  { input, dd }: PoolingInputs,
  { filterSize, strides, pad }: PoolingAttributes,
): TensorInfo {
  const pool = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad);
  const { inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = pool;
  const values = input.dataSync();
  const directions = dd.dataSync();
  const picked = new Float32Array(pool.batchSize * outHeight * outWidth * inChannels);
  for (let to = 0; to < picked.length; to++) {
    const channel = to % inChannels;
    const column = Math.floor(to / inChannels) % outWidth;
    const row = Math.floor(to / inChannels / outWidth) % outHeight;
    const image = Math.floor(to / inChannels / outWidth / outHeight);
    let largest = -1;
    for (let a = 0; a < pool.filterHeight; a++) {
      const y = row * pool.strideHeight - padInfo.top + a;
      for (let b = 0; b < pool.filterWidth; b++) {
        const x = column * pool.strideWidth - padInfo.left + b;
        if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) continue;
        const from = ((image * inHeight + y) * inWidth + x) * inChannels + channel;
        if (largest < 0 || values[from]! > values[largest]!) largest = from;
      }
    }
    picked[to] = directions[largest]!;
  }
  return tf.tensor(picked, pool.outShape);
}
