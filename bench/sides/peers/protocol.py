"""One side of the benchmark: a process that is asked over stdin for rounds of one task, and answers over stdout, one line of JSON each.

A task is a function that prepares (builds, compiles) and returns a function that runs one round and gives its result as a vector. Only the
round is timed, with its result in memory as numbers.
"""
import contextlib
import json
import os
import resource
import sys
import time

# Before any library starts its threads.
threads = int(sys.argv[2])
for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS'):
    os.environ[name] = str(threads)
os.environ['TF_NUM_INTEROP_THREADS'] = '1'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['XLA_FLAGS'] = f'--xla_cpu_multi_thread_eigen={"true" if threads > 1 else "false"} intra_op_parallelism_threads={threads}'

import numpy as np  # noqa: E402

folder = sys.argv[1]
with open(os.path.join(folder, 'problem.json')) as file:
    problem = json.load(file)


def load(name):
    return np.load(os.path.join(folder, f'{name}.npy'))


def serve(tasks, versions):
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)

    def answer(**values):
        answers.write(json.dumps(values) + '\n')
        answers.flush()

    answer(versions=versions, tasks=sorted(tasks))
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if 'prepare' in request:
                with contextlib.redirect_stdout(sys.stderr):
                    run = tasks[request['prepare']]()
                    if not request['prepare'].startswith('top'):
                        run()
                answer(ready=True)
            else:
                begin, worked = time.perf_counter(), time.process_time()
                result = run()
                seconds, worked = time.perf_counter() - begin, time.process_time() - worked
                np.save(request['result'], np.asarray(result, dtype=np.float64).ravel())
                # Linux gives kilobytes.
                answer(seconds=seconds, processorSeconds=worked, peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        except Exception as error:
            answer(error=f'{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ""}')


def chunks(examples):
    """The examples in batches of problem['chunk'], each with its share in the mean."""
    size = problem['chunk']
    return [(start, min(start + size, examples), (min(start + size, examples) - start) / examples) for start in range(0, examples, size)]


class Layout:
    """Between the flat weight vector of Epochal and tensors: (name, shape, offset) of kernels (height, width, in, out) and (in, out), and biases."""

    tensors = problem['layout']
    size = problem['size']

    @classmethod
    def cut(cls, flat):
        return [flat[t['offset'] : t['offset'] + int(np.prod(t['shape']))].reshape(t['shape']) for t in cls.tensors]

    @classmethod
    def join(cls, tensors):
        return np.concatenate([np.asarray(t).ravel() for t in tensors])


def product_tasks(hvp_of, eigenpairs=True):
    """The tasks of a side whose `hvp_of(examples)` gives the Hessian's product with a vector."""

    def hvp(examples):
        def task():
            product = hvp_of(examples)
            return lambda: product(load('direction'))

        return task

    def top(examples):
        def task():
            product = hvp_of(examples)
            # Warms up by one product; a whole round would take too long.
            product(load('direction'))
            return lambda: top_pairs(product)

        return task

    products = {'hvp-1000': hvp(1000), 'hvp-all': hvp(problem['examples'])}
    return products | ({'top-1000': top(1000), 'top': top(problem['topExamples'])} if eigenpairs else {})


def top_pairs(product):
    """The largest eigenvalues by SciPy's ARPACK, and for each the residual |H v - lambda v| relative to the largest, from a fresh product."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    count = [0]

    def counted(v):
        count[0] += 1
        return product(np.asarray(v, dtype=np.float32).ravel())

    operator = LinearOperator((Layout.size, Layout.size), matvec=counted, dtype=np.float32)
    start = load('direction')
    # Known only after Epochal's round: it depends on the spectrum.
    with open(os.path.join(folder, 'arpack-tolerance.json')) as file:
        tolerance = json.load(file)
    values, vectors = eigsh(operator, k=problem['top'], which='LA', tol=tolerance, v0=start, maxiter=100_000)
    order = np.argsort(-values)
    values, vectors = values[order].astype(np.float64), vectors[:, order]
    products = count[0]
    residuals = [np.linalg.norm(product(vectors[:, i].astype(np.float32)) - values[i] * vectors[:, i]) for i in range(len(values))]
    return np.concatenate([values / values[0], np.array(residuals) / values[0], [products]])
