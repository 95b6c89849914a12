# One rule a stage, one job a stage and seed; the data are the same for all.
import sys

seeds = range(1, int(config['count']) + 1)
# The outputs that each stage takes, as in cell.py.
takes = {
    'train': ['data'],
    'record': ['data', 'train'],
    'hessian': ['data', 'record'],
    'project': ['record', 'hessian'],
    'analyze': ['hessian', 'project'],
    'fit': ['analyze'],
}
start = f'{sys.executable} {workflow.basedir}/stage_job.py'


def place(stage):
    return 'results/data.npz' if stage == 'data' else f'results/{{seed}}/{stage}.npz'


rule all:
    input:
        expand('results/{seed}/fit.npz', seed=seeds),


rule data:
    input:
        config['digits'],
    output:
        place('data'),
    shell:
        '{start} {rule} 0 {output} {input}'


for stage, names in takes.items():

    rule:
        name:
            stage
        input:
            [place(name) for name in names],
        output:
            place(stage),
        shell:
            '{start} {rule} {wildcards.seed} {output} {input}'
