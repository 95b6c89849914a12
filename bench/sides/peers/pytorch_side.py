"""PyTorch: eager with channels_last (the faster memory format of LeNet on a CPU), or compiled. argv[3] is the mode."""
import sys

from protocol import chunks, load, problem, product_tasks, serve

import numpy as np
import torch

from torch_lenet import flat_of, images, l2, labels, loss_with_penalty, mean_loss, parameters_of, with_format

mode = sys.argv[3]
prepared = torch.compile if mode == 'compile' else lambda f: f


def sgd(size, steps):
    def task():
        x, y = images(), labels()
        order = torch.from_numpy(load(f'order-{size}')).long()
        loss = prepared(loss_with_penalty)

        def run():
            start = [t.requires_grad_() for t in with_format(parameters_of(load('weights')))]
            p = start
            v = [torch.zeros_like(t) for t in p]
            losses = []
            for k in range(steps):
                batch = order[k * size : (k + 1) * size]
                value = loss(p, x[batch], y[batch])
                gradient = torch.autograd.grad(value, p)
                with torch.no_grad():
                    torch._foreach_mul_(v, problem['momentum'])
                    torch._foreach_add_(v, gradient, alpha=-problem['learningRate'])
                    torch._foreach_add_(p, v)
                losses.append(value.detach())
            return np.concatenate([torch.stack(losses).numpy(), flat_of(p) - load('weights')])

        return run

    return task


def gradient(examples):
    def task():
        x, y = images()[:examples], labels()[:examples]
        p = [t.requires_grad_() for t in with_format(parameters_of(load('weights')))]
        loss = prepared(mean_loss)

        def run():
            total = [2 * l2 * t.detach() if t.dim() > 1 else torch.zeros_like(t) for t in p]
            for start, end, share in chunks(examples):
                torch._foreach_add_(total, torch.autograd.grad(loss(p, x[start:end], y[start:end]), p), alpha=share)
            return flat_of(total)

        return run

    return task


def hvp_of(examples):
    """Three ways; argv[3] is the one: double backward, double backward whose first pass is kept (retained), forward over reverse (func)."""
    x, y = images()[:examples], labels()[:examples]
    p = [t.requires_grad_() for t in with_format(parameters_of(load('weights')))]
    parts = [(x[start:end], y[start:end], share) for start, end, share in chunks(examples)]
    first = lambda a, b: torch.autograd.grad(mean_loss(p, a, b), p, create_graph=True)
    kept = [first(a, b) for a, b, _ in parts] if mode == 'retained' else None
    q = [t.detach() for t in p]

    def forward_over_reverse(v, a, b):
        return torch.func.jvp(lambda *at: torch.func.grad(lambda w: mean_loss(w, a, b))(at), tuple(q), tuple(v))[1]

    forward = torch.compile(forward_over_reverse) if mode == 'compile' else forward_over_reverse

    def product(vector):
        v = with_format(parameters_of(vector))
        total = [2 * l2 * t if t.dim() > 1 else torch.zeros_like(t) for t in v]
        for index, (a, b, share) in enumerate(parts):
            if mode in ('func', 'compile'):
                part = forward(v, a, b)
            elif kept is None:
                part = torch.autograd.grad(first(a, b), p, v)
            else:
                part = torch.autograd.grad(kept[index], p, v, retain_graph=True)
            torch._foreach_add_(total, part, alpha=share)
        return flat_of(total)

    return product


def project():
    basis = torch.from_numpy(load('basis')).double()
    rows, reference = torch.from_numpy(load('rows')), torch.from_numpy(load('reference')).double()

    def run():
        return np.concatenate([((rows.double() - reference) @ basis.T).float().numpy().ravel() for _ in range(problem['repeat'])])

    return run


tasks = {
    'sgd-50': sgd(50, problem['steps50']),
    'sgd-500': sgd(500, problem['steps500']),
    'gradient': gradient(problem['examples']),
    'project': project,
} | product_tasks(hvp_of)
products = ['hvp-1000', 'hvp-all', 'top-1000', 'top']
only = {'retained': products, 'func': products, 'compile': ['sgd-50', 'sgd-500', 'gradient', 'hvp-1000', 'top-1000']}
serve({name: tasks[name] for name in only.get(mode, tasks)}, {'torch': torch.__version__})
