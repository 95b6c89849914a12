"""Ray: remote tasks, one a stage, which keep nothing (mode `tasks`); or Tune trials, one a cell, in actors of their own (`tune`) or reused ones (`reuse`)."""
import os
import shutil
import tempfile
import time

os.environ['RAY_USAGE_STATS_ENABLED'] = '0'

from work import compared, finish, run_cell, run_stage, save, seed_folder, told  # noqa: E402

import ray  # noqa: E402

task = told()
folder, seeds = task['folder'], range(1, task['count'] + 1)
# Not in the folder: the paths of Ray's sockets may have 107 bytes.
session = tempfile.mkdtemp(prefix='ray-')
ray.init(num_cpus=task['workers'], include_dashboard=False, log_to_driver=False, _temp_dir=session)


@ray.remote
def mixture_task(seed):
    import torch  # noqa: F401
    from mixture import mixture

    return {'mixture': mixture(seed)}, time.time()


@ray.remote(num_returns=2)
def stage_task(name, **given):
    return run_stage(name, given), time.time()


def cell_tasks(seed, data):
    """References to what the stages will give, and to when each is done."""
    import cell

    refs, times = {'seed': seed, 'data': data}, []
    for name, (_, takes) in list(cell.stages.items())[1:]:
        refs[name], time_ref = stage_task.remote(name, **{what: refs[what] for what in takes})
        times.append(time_ref)
    return refs, times


def tasks():
    if task['work'] == 'trivial':
        done = ray.get([mixture_task.remote(seed) for seed in seeds])
        return finish(folder, [end for _, end in done], {seed: result for seed, (result, _) in zip(seeds, done)})
    data, _ = stage_task.remote('data', digits=task['digits'])
    cells = [cell_tasks(seed, data) for seed in seeds]
    ends = ray.get([end for _, times in cells for end in times])
    finish(folder, ends, {seed: {name: ray.get(refs[name]) for name in compared} for seed, (refs, _) in zip(seeds, cells)})


def trials():
    from ray import tune

    # Given to the trials by reference, as is advised for what is large.
    data = ray.put(run_stage('data', task)) if task['work'] == 'cells' else None

    def trial(config):
        import torch  # noqa: F401

        # A result that is no number goes to storage from the trial itself.
        place = seed_folder(folder, config['seed'])
        if data is None:
            from mixture import mixture

            save(place, 'mixture', mixture(config['seed']))
            return {'examples': 50}
        fit = run_cell(config['seed'], ray.get(data), lambda name, arrays: save(place, name, arrays))['fit']
        return {name: float(value) for name, value in fit.items()}

    found = tune.Tuner(
        trial,
        param_space={'seed': tune.grid_search(list(seeds))},
        tune_config=tune.TuneConfig(reuse_actors=task['mode'] == 'reuse'),
        run_config=tune.RunConfig(name='trials', storage_path=folder, verbose=0),
    ).fit()
    if found.errors or len(found) != task['count']:
        raise SystemExit(f'{len(found.errors)} of {task["count"]} trials failed: {found.errors[:1]}')


tasks() if task['mode'] == 'tasks' else trials()
ray.shutdown()
shutil.rmtree(session, ignore_errors=True)
