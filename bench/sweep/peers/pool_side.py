"""A plain script with a process pool: what cannot be beaten, since it keeps nothing; or keeps a file for each stage (mode `files`)."""
import time
from concurrent.futures import ProcessPoolExecutor

from work import finish, run_cell, run_stage, save, seed_folder, told

task = told()
files = task['mode'] == 'files'
# Made before the pool's processes are forked, which so have it.
data = run_stage('data', task) if task['work'] == 'cells' else None


def run(seed):
    """The result, unless it is in files, and when each stage was done."""
    folder, times = seed_folder(task['folder'], seed), []

    def keep(name, arrays):
        if files:
            save(folder, name, arrays)
        times.append(time.time())

    if data is None:
        from mixture import mixture

        result = {'mixture': mixture(seed)}
        keep('mixture', result['mixture'])
    else:
        result = run_cell(seed, data, keep)
    return None if files else result, times


if __name__ == '__main__':
    seeds = range(1, task['count'] + 1)
    with ProcessPoolExecutor(max_workers=task['workers']) as pool:
        done = list(pool.map(run, seeds, chunksize=1 if data is not None else 8))
    if not files:
        finish(task['folder'], [end for _, times in done for end in times], {seed: result for seed, (result, _) in zip(seeds, done)})
