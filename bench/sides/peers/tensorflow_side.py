"""TensorFlow for Python: tf.function, with the loops over steps and batches in the graph; Hessian products by differentiating backwards twice."""
from protocol import Layout, load, problem, product_tasks, serve, threads

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
l2, chunk = problem['l2'], problem['chunk']


def logits(p, x):
    h = x
    for layer in (0, 2):
        h = tf.nn.max_pool2d(tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(h, p[layer], 1, 'SAME'), p[layer + 1])), 2, 2, 'SAME')
    h = tf.reshape(h, [-1, 1024])
    for layer in (4, 6):
        h = tf.nn.relu(tf.nn.bias_add(tf.matmul(h, p[layer]), p[layer + 1]))
    return tf.nn.bias_add(tf.matmul(h, p[8]), p[9])


def mean_loss(p, x, y):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits(p, x)))


def weights():
    return [tf.constant(t) for t in Layout.cut(load('weights'))]


def data(examples):
    return tf.constant(load('images')[:examples]), tf.constant(load('labels')[:examples])


def sgd(size, steps):
    def task():
        x, y = data(problem['examples'])
        order = tf.constant(load(f'order-{size}')[: steps * size].reshape(steps, size))

        @tf.function
        def train(p, x, y, order):
            v = [tf.zeros_like(t) for t in p]
            losses = tf.TensorArray(tf.float32, steps)
            for k in tf.range(steps):
                with tf.GradientTape() as tape:
                    tape.watch(p)
                    value = mean_loss(p, tf.gather(x, order[k]), tf.gather(y, order[k]))
                    value += l2 * tf.add_n([tf.reduce_sum(w * w) for w in p[::2]])
                g = tape.gradient(value, p)
                v = [problem['momentum'] * a - problem['learningRate'] * b for a, b in zip(v, g)]
                p = [a + b for a, b in zip(p, v)]
                losses = losses.write(k, value)
            return losses.stack(), p

        def run():
            losses, p = train(weights(), x, y, order)
            return np.concatenate([losses.numpy(), Layout.join([t.numpy() for t in p]) - load('weights')])

        return run

    return task


def mean_over_batches(part, examples):
    """The mean over batches of part(x, y), a list like the weights, in one graph."""

    def total(p, x, y, *rest):
        sums = [tf.zeros_like(t) for t in p]
        for k in tf.range(examples // chunk):
            batch = slice(k * chunk, (k + 1) * chunk)
            sums = [a + b for a, b in zip(sums, part(p, x[batch.start : batch.stop], y[batch.start : batch.stop], *rest))]
        return [t * (chunk / examples) for t in sums]

    return tf.function(total)


def gradient_of(p, x, y):
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = mean_loss(p, x, y)
    return tape.gradient(value, p)


def product_of(p, x, y, v):
    with tf.GradientTape() as tape:
        tape.watch(p)
        g = gradient_of(p, x, y)
    return tape.gradient(g, p, output_gradients=v)


def plus_penalty(parts, w):
    return Layout.join([part.numpy() + (2 * l2 * t.numpy() if len(t.shape) > 1 else 0) for part, t in zip(parts, w)])


def gradient(examples):
    def task():
        x, y = data(examples)
        p, total = weights(), mean_over_batches(gradient_of, examples)
        return lambda: plus_penalty(total(p, x, y), p)

    return task


def hvp_of(examples):
    x, y = data(examples)
    p, total = weights(), mean_over_batches(product_of, examples)

    def product(vector):
        v = [tf.constant(t) for t in Layout.cut(vector)]
        return plus_penalty(total(p, x, y, v), v)

    return product


sgd_tasks = {
    'sgd-50': sgd(50, problem['steps50']),
    'sgd-500': sgd(500, problem['steps500']),
    'gradient': gradient(problem['examples']),
}
serve(sgd_tasks | product_tasks(hvp_of), {'tensorflow': tf.__version__})
