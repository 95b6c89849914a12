"""What a side does for one seed, where its results are kept, and what it is told on its command line."""
import json
import os
import sys

# As many processes as cores, one thread each, before any library starts its threads.
for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
    os.environ[name] = '1'

import numpy as np  # noqa: E402


def told():
    """`work` (trivial or cells), `count` seeds from 1, `workers`, the `folder` for results, `digits`, and the `mode` of the side."""
    return json.loads(sys.argv[1])


def run_stage(name, given):
    """One stage of the cell; `given` has its inputs by name."""
    import cell

    run, takes = cell.stages[name]
    return run(*[given[what] for what in takes])


def run_cell(seed, data, keep=lambda name, arrays: None):
    """The other six stages, from the data; each goes to `keep` as soon as it is there."""
    import cell

    given = {'seed': seed, 'data': data}
    for name in list(cell.stages)[1:]:
        given[name] = run_stage(name, given)
        keep(name, given[name])
    return {name: given[name] for name in compared}


# What is kept of a cell where no record is: it is held against Epochal's.
compared = ('train', 'hessian', 'analyze', 'fit')


def save(folder, name, arrays):
    os.makedirs(folder, exist_ok=True)
    np.savez(os.path.join(folder, f'{name}.npz'), **arrays)


def load(file):
    with np.load(file) as arrays:
        return dict(arrays)


def seed_folder(folder, seed):
    return os.path.join(folder, 'results', str(seed))


def finish(folder, ends, results):
    """For a side without a record of its own: when each stage was done (seconds of the clock), and the results in one file for the comparison."""
    with open(os.path.join(folder, 'ends.json'), 'w') as file:
        json.dump(ends, file)
    np.savez(
        os.path.join(folder, 'all.npz'),
        **{f'{seed}/{stage}/{name}': array for seed, stages in results.items() for stage, arrays in stages.items() for name, array in arrays.items()},
    )
