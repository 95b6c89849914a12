/** Entry of a short process that loads TensorFlow and says what it found, as JSON: see `ask-tensorflow.mjs`. */
import { createRequire } from 'node:module';
import { nativePackage } from '../compute/native-package.ts';
import { loadTensorFlow } from '../compute/tensorflow.ts';

try {
  const { tf, library, device } = await loadTensorFlow({ threads: 1 });
  if (tf.add(1, 2).dataSync()[0] !== 3) throw new Error('TensorFlow does not add 1 and 2.');
  const { version } = createRequire(import.meta.url)(`${nativePackage()}/package.json`) as {
    version: string;
  };
  console.log(JSON.stringify({ library, binding: version, device }));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
