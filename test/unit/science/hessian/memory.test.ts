import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { createHessianProduct } from '../../../../science/hessian/product.ts';
import { zoo } from '../models/zoo.ts';

const { tf } = await loadTensorFlow({ threads: 1 });

test.each(zoo(40))(
  'products of $name have the same bits whatever is kept between them, and keep no more than they may',
  async ({ model, data, weights }) => {
    const productsWith = async (cacheBytes: number) => {
      const hessian = createHessianProduct({
        ...{ tf, model, data, standardize: 'scale', loss: 'cross-entropy', l2: 1e-3, weights, batchSize: 7 },
        cacheBytes,
      });
      const before = tf.memory().numBytes;
      const first = await hessian.product(weights);
      const kept = tf.memory().numBytes - before;
      const second = await hessian.product(weights);
      expect(second).toEqual(first);
      expect(tf.memory().numBytes - before).toBe(kept);
      hessian.dispose();
      return { kept, product: first };
    };
    const all = await productsWith(1e9);
    const half = await productsWith(all.kept / 2);
    const none = await productsWith(0);
    expect(half.product).toEqual(all.product);
    expect(none.product).toEqual(all.product);
    expect(half.kept).toBeGreaterThan(all.kept / 4);
    expect(half.kept).toBeLessThanOrEqual(all.kept / 2);
    expect(none.kept).toBe(0);
  },
);
