/** Prints the digest of a network's first steps, computed by TensorFlow in this process. */
import { createHash } from 'node:crypto';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
const image = random([8, 16, 16, 3], 1) as never;
const kernel = random([5, 5, 3, 16], 2) as never;
const hash = createHash('sha256');
for (const tensor of [
  tf.conv2d(image, kernel, 1, 'same'),
  tf.matMul(random([64, 97], 3), random([97, 33], 4)),
])
  hash.update((await tensor.data()) as Float32Array);
console.log(hash.digest('hex'));
