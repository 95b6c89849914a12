"""JAX: Hessian products forward over reverse. argv[3] is the mode: lax.scan over steps and batches (scan), or one jitted call for each (calls)."""
import sys

from protocol import Layout, load, problem, product_tasks, serve

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

l2, chunk = problem['l2'], problem['chunk']


def logits(p, x):
    pool = lambda h: lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'SAME')
    conv = lambda h, w: lax.conv_general_dilated(h, w, (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
    h = pool(jax.nn.relu(conv(x, p[0]) + p[1]))
    h = pool(jax.nn.relu(conv(h, p[2]) + p[3])).reshape(x.shape[0], -1)
    h = jax.nn.relu(h @ p[4] + p[5])
    h = jax.nn.relu(h @ p[6] + p[7])
    return h @ p[8] + p[9]


def mean_loss(p, x, y):
    z = logits(p, x)
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], 1)[:, 0])


def loss_with_penalty(p, x, y):
    return mean_loss(p, x, y) + l2 * sum((w * w).sum() for w in p[::2])


def over(step):
    """lax.scan of a step, as one compiled function or as a loop of compiled steps, which is faster for convolutions on a CPU."""
    if sys.argv[3] == 'scan':
        return jax.jit(lambda carry, xs: lax.scan(step, carry, xs))
    compiled = jax.jit(step)

    def loop(carry, xs):
        outputs = []
        for k in range(jax.tree.leaves(xs)[0].shape[0]):
            carry, output = compiled(carry, jax.tree.map(lambda x: x[k], xs))
            outputs.append(output)
        return carry, jnp.stack(outputs)

    return loop


def weights():
    return [jnp.asarray(t) for t in Layout.cut(load('weights'))]


def data(examples):
    return jnp.asarray(load('images')[:examples]), jnp.asarray(load('labels')[:examples])


def sgd(size, steps):
    def task():
        x, y = data(problem['examples'])
        order = jnp.asarray(load(f'order-{size}')[: steps * size].reshape(steps, size))

        def step(carry, batch):
            p, v, x, y = carry
            value, g = jax.value_and_grad(loss_with_penalty)(p, x[batch], y[batch])
            v = [problem['momentum'] * a - problem['learningRate'] * b for a, b in zip(v, g)]
            return ([a + b for a, b in zip(p, v)], v, x, y), value

        loop = over(step)

        def train(p, x, y, order):
            (p, _, _, _), losses = loop((p, [jnp.zeros_like(t) for t in p], x, y), order)
            return losses, p

        def run():
            losses, p = train(weights(), x, y, order)
            return np.concatenate([np.asarray(losses), Layout.join(p) - load('weights')])

        return run

    return task


def in_batches(x, y):
    return x.reshape(-1, chunk, *x.shape[1:]), y.reshape(-1, chunk)


def gradient(examples):
    def task():
        x, y = in_batches(*data(examples))

        def add(carry, batch):
            p, total = carry
            return (p, [a + b for a, b in zip(total, jax.grad(mean_loss)(p, *batch))]), 0.0

        loop = over(add)

        def mean_gradient(p, x, y):
            (_, total), _ = loop((p, [jnp.zeros_like(t) for t in p]), (x, y))
            return [t / x.shape[0] + (2 * l2 * w if w.ndim > 1 else 0) for t, w in zip(total, p)]

        p = weights()
        return lambda: Layout.join(mean_gradient(p, x, y))

    return task


def hvp_of(examples):
    x, y = in_batches(*data(examples))

    def add(carry, batch):
        p, v, total = carry
        _, part = jax.jvp(lambda w: jax.grad(mean_loss)(w, *batch), (p,), (v,))
        return (p, v, [a + b for a, b in zip(total, part)]), 0.0

    loop = over(add)

    def multiply(p, v, x, y):
        (_, _, total), _ = loop((p, v, [jnp.zeros_like(t) for t in p]), (x, y))
        return [t / x.shape[0] + (2 * l2 * w if w.ndim > 1 else 0) for t, w in zip(total, v)]

    p = weights()
    return lambda vector: Layout.join(multiply(p, [jnp.asarray(t) for t in Layout.cut(vector)], x, y))


sgd_tasks = {
    'sgd-50': sgd(50, problem['steps50']),
    'sgd-500': sgd(500, problem['steps500']),
    'gradient': gradient(problem['examples']),
}
# lax.scan is the slower one, and eigenpairs take hundreds of products.
serve(sgd_tasks | product_tasks(hvp_of, eigenpairs=sys.argv[3] == 'calls'), {'jax': jax.__version__})
