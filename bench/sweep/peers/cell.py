"""The seven stages of the small cell, each a function of arrays that gives arrays by name; `stages` says which outputs each takes."""
import json
import os

import numpy as np

from counter_random import RandomStream, select

widths = (784, 16, 10)
batch, learning_rate, momentum = 50, 0.05, 0.8
trained_epochs, recorded_epochs, top = 2, 4, 5
# Epochal's Lanczos goes by the largest eigenvalue, to 1e-4 of it, and ARPACK by each: the first is at least half as much again as the fifth.
tolerance = 1.5e-4


def data(digits):
    """500 digits to train with and 2,004 to test with, from the JSON files in the folder `digits` (one a digit)."""
    train, test = [], []
    for digit in range(10):
        with open(os.path.join(digits, f'{digit}.json')) as file:
            greys = np.array(json.load(file)['data']).reshape(-1, widths[0])
        images = np.floor(greys * 255 + 0.5).astype(np.uint8)
        cut = int(len(images) * 0.8)
        train.append((images[:cut], np.full(cut, digit)))
        test.append((images[cut:], np.full(len(images) - cut, digit)))
    image, label = select(*map(np.concatenate, zip(*train)), 10, 500, 0, 'train')
    test_image, test_label = map(np.concatenate, zip(*test))
    return {'image': image, 'label': label, 'test_image': test_image, 'test_label': test_label}


def inputs_of(data):
    """Each image with zero mean and unit variance, as float32."""
    import torch

    images = data['image'].astype(np.float64)
    deviation = np.maximum(images.std(axis=1), 1 / np.sqrt(images.shape[1]))
    standardized = (images - images.mean(axis=1)[:, None]) / deviation[:, None]
    return torch.from_numpy(standardized.astype(np.float32)), torch.from_numpy(data['label'].astype(np.int64))


def network(weights=None):
    from torch import nn
    from torch.nn.utils import vector_to_parameters

    model = nn.Sequential(nn.Linear(*widths[:2]), nn.ReLU(), nn.Linear(*widths[1:]))
    if weights is not None:
        import torch

        vector_to_parameters(torch.from_numpy(weights.copy()), model.parameters())
    return model


def flat(model):
    from torch.nn.utils import parameters_to_vector

    return parameters_to_vector(model.parameters()).detach().numpy().copy()


def initial_weights(seed):
    """Glorot normal, kernels as Epochal draws them: (inputs, outputs), which PyTorch keeps the other way round."""
    tensors = []
    for layer, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
        kernel = RandomStream(seed, 'initialization', 2 * layer).normal(fan_in * fan_out)
        kernel = (np.sqrt(2 / (fan_in + fan_out)) * kernel).astype(np.float32).reshape(fan_in, fan_out)
        tensors += [kernel.T.ravel(), np.zeros(fan_out, dtype=np.float32)]
    return np.concatenate(tensors)


def steps(model, optimizer, images, labels, seed, epoch):
    """One epoch of SGD, batches drawn without replacement; goes on after each step."""
    from torch.nn.functional import cross_entropy

    for chosen in RandomStream(seed, 'permutation', epoch).permutation(len(labels)).reshape(-1, batch):
        optimizer.zero_grad()
        loss = cross_entropy(model(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        yield loss.item()


def sgd(model, velocity=None):
    import torch
    from torch.nn.utils import parameters_to_vector

    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=momentum)
    if velocity is not None:
        start = 0
        for parameter in model.parameters():
            buffer = torch.from_numpy(velocity[start : start + parameter.numel()].copy()).view_as(parameter)
            optimizer.state[parameter]['momentum_buffer'] = buffer
            start += parameter.numel()
    buffers = lambda: parameters_to_vector([optimizer.state[p]['momentum_buffer'] for p in model.parameters()]).numpy().copy()
    return optimizer, buffers


def train(data, seed):
    import torch
    from torch.nn.functional import cross_entropy

    images, labels = inputs_of(data)
    model = network(initial_weights(seed))
    optimizer, buffers = sgd(model)
    losses, accuracies = [], []
    for epoch in range(trained_epochs):
        for _ in steps(model, optimizer, images, labels, seed, epoch):
            pass
        with torch.no_grad():
            logits = model(images)
            losses.append(cross_entropy(logits, labels).item())
            accuracies.append((logits.argmax(1) == labels).double().mean().item())
    return {'weights': flat(model), 'velocity': buffers(), 'loss': np.array(losses), 'accuracy': np.array(accuracies)}


def record(data, train, seed):
    images, labels = inputs_of(data)
    model = network(train['weights'])
    optimizer, buffers = sgd(model, train['velocity'])
    rows, losses = [], []
    for epoch in range(trained_epochs, trained_epochs + recorded_epochs):
        for loss in steps(model, optimizer, images, labels, seed, epoch):
            rows.append(flat(model))
            losses.append(loss)
    trajectory = np.stack(rows)
    mean = trajectory.mean(axis=0, dtype=np.float64).astype(np.float32)
    return {'trajectory': trajectory, 'batch_loss': np.array(losses), 'mean': mean, 'weights': flat(model), 'velocity': buffers()}


def hessian(data, record):
    """The first eigenpairs by ARPACK; products keep the graph of the first backward pass, which is PyTorch's fastest way."""
    import torch
    from scipy.sparse.linalg import LinearOperator, eigsh
    from torch.nn.functional import cross_entropy

    images, labels = inputs_of(data)
    model = network(record['mean'])
    parameters = list(model.parameters())
    gradient = torch.autograd.grad(cross_entropy(model(images), labels), parameters, create_graph=True)
    joined = torch.cat([part.ravel() for part in gradient])

    def product(vector):
        v = torch.from_numpy(np.asarray(vector, dtype=np.float32).ravel())
        parts = torch.autograd.grad(joined, parameters, v, retain_graph=True)
        return torch.cat([part.ravel() for part in parts]).numpy()

    size = len(record['mean'])
    operator = LinearOperator((size, size), matvec=product, dtype=np.float32)
    start = RandomStream(0, 'start').normal(size).astype(np.float32)
    values, vectors = eigsh(operator, k=top, which='LA', tol=tolerance, v0=start)
    order = np.argsort(-values)
    values, vectors = values[order].astype(np.float64), np.ascontiguousarray(vectors[:, order].T)
    residuals = [np.linalg.norm(product(v) - value * v) for value, v in zip(values, vectors)]
    return {'eigenvalue': values, 'residual': np.array(residuals), 'vector': vectors}


def project(record, hessian):
    moved = record['trajectory'].astype(np.float64) - record['trajectory'][0]
    return {'theta': (moved @ hessian['vector'].astype(np.float64).T).astype(np.float32)}


def analyze(hessian, project):
    """What is measured in each direction; the theory's values, which Epochal writes beside it, are left out."""
    from spectrum import measure

    rows = [measure(theta, value) for theta, value in zip(project['theta'].astype(np.float64).T, hessian['eigenvalue'])]
    return {'eigenvalue': hessian['eigenvalue']} | {name: np.array([row[name] for row in rows]) for name in rows[0]}


def fit(analyze):
    from spectrum import fit_correlation_times

    return fit_correlation_times(analyze)


# In order; each takes outputs of earlier ones, by their names, and the seed or the folder of the digits.
stages = {
    'data': (data, ['digits']),
    'train': (train, ['data', 'seed']),
    'record': (record, ['data', 'train', 'seed']),
    'hessian': (hessian, ['data', 'record']),
    'project': (project, ['record', 'hessian']),
    'analyze': (analyze, ['hessian', 'project']),
    'fit': (fit, ['analyze']),
}
