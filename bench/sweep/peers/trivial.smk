# One job a seed: as a script, which Snakemake's documentation advises for Python, or as a shell command that starts Python itself.
import sys

seeds = range(1, int(config['count']) + 1)


rule all:
    input:
        expand('results/{seed}/mixture.npz', seed=seeds),


if config['mode'] == 'script':

    rule mixture:
        output:
            'results/{seed}/mixture.npz',
        script:
            'mixture_job.py'

else:

    rule mixture:
        output:
            'results/{seed}/mixture.npz',
        params:
            python=sys.executable,
            job=f'{workflow.basedir}/mixture_job.py',
        shell:
            '{params.python} {params.job} {wildcards.seed} {output}'
