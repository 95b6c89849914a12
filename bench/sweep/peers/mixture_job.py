"""Snakemake's job for the trivial stage: as its script, or by itself with the seed and the output as arguments."""
import sys

import numpy as np

from mixture import mixture

if 'snakemake' in globals():
    seed, output = int(snakemake.wildcards.seed), snakemake.output[0]  # noqa: F821
else:
    seed, output = int(sys.argv[1]), sys.argv[2]
np.savez(output, **mixture(seed))
