"""PyHessian: products over a data loader. (Its eigenpairs come from power iteration, one after the other: no peer for a hundred of them.)"""
from protocol import chunks, product_tasks, serve

import torch
from importlib.metadata import version
from pyhessian import hessian

from torch_lenet import LeNet, flat_of, images, l2, labels, parameters_of


def hvp_of(examples):
    x, y = images()[:examples], labels()[:examples]
    data = [(x[start:end], y[start:end]) for start, end, _ in chunks(examples)]
    h = hessian(LeNet(), torch.nn.CrossEntropyLoss(), dataloader=data, cuda=False)

    def product(vector):
        v = parameters_of(vector)
        _, image = h.dataloader_hv_product(v)
        return flat_of([part + 2 * l2 * t if t.dim() > 1 else part for part, t in zip(image, v)])

    return product


serve(product_tasks(hvp_of, eigenpairs=False), {'pyhessian': version('pyhessian'), 'torch': torch.__version__})
