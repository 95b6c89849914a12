"""Holds a side's results against Epochal's. Argument: JSON with `work`, `count`, the `folder` of the side and Epochal's `artifacts` (cell, stage, output, path). Prints the largest deviation of each quantity."""
import json
import os
import sys

import numpy as np
from pyarrow import ipc

from work import seed_folder

with open(sys.argv[1]) as file:
    task = json.load(file)
paths = {(artifact['cell'], artifact['stage'], artifact['output']): artifact['path'] for artifact in task['artifacts']}
together = os.path.join(task['folder'], 'all.npz')
kept = np.load(together) if os.path.exists(together) else None


def ours(seed, stage, output, column):
    with ipc.open_file(paths[f'seed={seed}', stage, output]) as reader:
        values = reader.read_all().column(column).combine_chunks()
    return (values.flatten() if hasattr(values, 'flatten') else values).to_numpy(zero_copy_only=False)


def theirs(seed, stage, name):
    if kept is not None:
        return kept[f'{seed}/{stage}/{name}']
    with np.load(os.path.join(seed_folder(task['folder'], seed), f'{stage}.npz')) as arrays:
        return arrays[name]


def relative(own, other):
    own, other = np.asarray(own, dtype=np.float64).ravel(), np.asarray(other, dtype=np.float64).ravel()
    if own.shape != other.shape:
        raise SystemExit(f'{own.shape} values of Epochal, {other.shape} of the other side')
    return float(np.max(np.abs(own - other) / np.abs(own)))


def largest(eigenvalues, residuals):
    """Largest residual, relative to the largest eigenvalue."""
    return float(np.max(residuals) / np.max(eigenvalues))


def unequal(own, other):
    return float(np.mean(own.ravel() != other.ravel())) if own.size == other.size else 1.0


# Name: how it is compared; stage, output and column of Epochal; stage and array of the side.
trivial = {
    f'{part} {column}s': (unequal, ('data', part, column), ('mixture', f'{part}_{column}'))
    for part in ('train', 'test')
    for column in ('image', 'label')
}
cells = {
    'training loss': (relative, ('train', 'history', 'train_loss'), ('train', 'loss')),
    'eigenvalues': (relative, ('hessian', 'eigenpairs', 'eigenvalue'), ('hessian', 'eigenvalue')),
    'residuals': (largest, ('hessian', 'eigenpairs', 'eigenvalue'), ('hessian', 'residual')),
    'weight variances': (relative, ('analyze', 'spectrum', 'weight_variance'), ('analyze', 'weight_variance')),
    'velocity variances': (relative, ('analyze', 'spectrum', 'velocity_variance'), ('analyze', 'velocity_variance')),
    'loss fluctuation': (relative, ('fit', 'parameters', 'loss_fluctuation'), ('fit', 'loss_fluctuation')),
}
quantities = trivial if task['work'] == 'trivial' else cells
seeds = range(1, task['count'] + 1)
print(json.dumps({name: max(compare(ours(seed, *own), theirs(seed, *other)) for seed in seeds) for name, (compare, own, other) in quantities.items()}))
