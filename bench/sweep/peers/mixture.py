"""The trivial stage: the Gaussian mixture of datasets/kinds/gaussian-mixture.ts with 50 examples and the defaults of everything else."""
import numpy as np

from counter_random import RandomStream, select

classes, dimension, separation, examples = 10, 16, 1, 50


def mixture(seed):
    centres = []
    for label in range(classes):
        direction = RandomStream(seed, 'mixture-centre', label).normal(dimension)
        centres.append(separation * direction / np.linalg.norm(direction))
    train = draw(np.array(centres), seed, 'train', examples)
    image, label = select(*train, classes, examples, seed, 'train')
    test_image, test_label = draw(np.array(centres), seed, 'test', 1000)
    return {'train_image': image, 'train_label': label, 'test_image': test_image, 'test_label': test_label}


def draw(centres, seed, part, count):
    labels = np.arange(count, dtype=np.int32) % classes
    noise = RandomStream(seed, f'mixture-{part}').normal(count * dimension).reshape(count, dimension)
    levels = np.floor(128 + 32 * (centres[labels] + noise) + 0.5)
    return np.clip(levels, 0, 255).astype(np.uint8), labels
