"""PyHessian: products over a data loader. (Its eigenpairs come from power iteration, one after the other: no peer for a hundred of them.)"""
from protocol import chunks, load, problem, serve

import torch
from importlib.metadata import version
from pyhessian import hessian

from torch_lenet import LeNet, flat_of, images, l2, labels, parameters_of


def hvp(examples):
    def task():
        x, y = images()[:examples], labels()[:examples]
        data = [(x[start:end], y[start:end]) for start, end, _ in chunks(examples)]
        h = hessian(LeNet(), torch.nn.CrossEntropyLoss(), dataloader=data, cuda=False)

        def run():
            v = parameters_of(load('direction'))
            _, image = h.dataloader_hv_product(v)
            return flat_of([part + 2 * l2 * t if t.dim() > 1 else part for part, t in zip(image, v)])

        return run

    return task


serve({'hvp-1000': hvp(1000), 'hvp-all': hvp(problem['examples'])}, {'pyhessian': version('pyhessian'), 'torch': torch.__version__})
