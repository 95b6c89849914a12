"""Snakemake's job for a stage of the cell: as its script, or by itself with the stage, the seed, the output and the inputs as arguments."""
import sys

from work import load, run_stage

import numpy as np

if 'snakemake' in globals():
    job = snakemake  # noqa: F821
    stage, output, inputs = job.rule, job.output[0], list(job.input)
    seed = int(getattr(job.wildcards, 'seed', 0))
else:
    stage, seed, output, *inputs = sys.argv[1:]
    seed = int(seed)
# Each input is the file of a stage, or the folder of the digits.
given = {'seed': seed}
for file in inputs:
    if file.endswith('.npz'):
        given[file.rsplit('/', 1)[-1].removesuffix('.npz')] = load(file)
    else:
        given['digits'] = file
np.savez(output, **run_stage(stage, given))
