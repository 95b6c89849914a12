"""curvlinops: its Hessian operator (PyTorch), with SciPy's eigsh for eigenpairs."""
from protocol import chunks, product_tasks, serve

import curvlinops
import torch

from torch_lenet import LeNet, flat_of, images, l2, labels, parameters_of, with_format

from importlib.metadata import version


def hvp_of(examples):
    x, y = images()[:examples], labels()[:examples]
    data = [(x[start:end], y[start:end]) for start, end, _ in chunks(examples)]
    model = LeNet()
    parameters = list(model.parameters())
    loss = torch.nn.CrossEntropyLoss()
    try:
        operator = curvlinops.HessianLinearOperator(model, loss, dict(model.named_parameters()), data, check_deterministic=False)
    except Exception:
        operator = curvlinops.HessianLinearOperator(model, loss, parameters, data, check_deterministic=False)

    def product(vector):
        v = with_format(parameters_of(vector))
        image = operator @ torch.cat([t.flatten() for t in v])
        cut, at = [], 0
        for t in v:
            part = image[at : at + t.numel()].reshape(t.shape)
            cut.append(part + 2 * l2 * t if t.dim() > 1 else part)
            at += t.numel()
        return flat_of(cut)

    return product


serve(product_tasks(hvp_of), {'curvlinops': version('curvlinops-for-pytorch'), 'torch': torch.__version__})
