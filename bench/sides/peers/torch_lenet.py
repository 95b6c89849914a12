"""LeNet in PyTorch's own layout, with the way from and to Epochal's."""
import numpy as np
import torch
import torch.nn.functional as F

from protocol import Layout, load, problem, threads

torch.set_num_threads(threads)
torch.set_num_interop_threads(1)

l2 = problem['l2']


def parameters_of(flat):
    """(out, in, height, width) and (out, in); the input of the first dense layer goes from (height, width, channel) to (channel, height, width)."""
    cut = Layout.cut(np.asarray(flat, dtype=np.float32))
    tensors = []
    for kernel, bias in zip(cut[::2], cut[1::2]):
        if kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)
        else:
            if len(tensors) == 4:
                kernel = kernel.reshape(8, 8, 16, -1).transpose(2, 0, 1, 3).reshape(1024, -1)
            kernel = kernel.T
        tensors += [kernel, bias]
    return [torch.from_numpy(np.ascontiguousarray(t)) for t in tensors]


def flat_of(tensors):
    cut = []
    for index, tensor in enumerate(tensors):
        t = tensor.detach().numpy()
        if t.ndim == 4:
            t = t.transpose(2, 3, 1, 0)
        elif t.ndim == 2:
            t = t.T
            if index == 4:
                t = t.reshape(16, 8, 8, -1).transpose(1, 2, 0, 3).reshape(1024, -1)
        cut.append(t)
    return Layout.join(cut)


def logits(p, x):
    h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1], padding=2)), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3], padding=2)), 2)
    h = F.relu(F.linear(h.flatten(1), p[4], p[5]))
    h = F.relu(F.linear(h, p[6], p[7]))
    return F.linear(h, p[8], p[9])


def mean_loss(p, x, y):
    return F.cross_entropy(logits(p, x), y)


def penalty(p):
    return l2 * sum((kernel * kernel).sum() for kernel in p[::2])


def loss_with_penalty(p, x, y):
    return mean_loss(p, x, y) + penalty(p)


def images(memory_format=torch.channels_last):
    return torch.from_numpy(load('images')).permute(0, 3, 1, 2).contiguous(memory_format=memory_format)


def labels():
    return torch.from_numpy(load('labels')).long()


def with_format(tensors, memory_format=torch.channels_last):
    return [t.contiguous(memory_format=memory_format) if t.dim() == 4 else t for t in tensors]


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.p = torch.nn.ParameterList(with_format(parameters_of(load('weights'))))

    def forward(self, x):
        return logits(list(self.p), x)
