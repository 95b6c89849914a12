"""Epochal's random numbers (science/random.ts) in NumPy, so that every side computes with the same: AES-256 in counter mode, keyed by an address."""
import hashlib
import json

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class RandomStream:
    def __init__(self, seed, purpose, *indices):
        address = json.dumps(['epochal/random/1', seed, purpose, *indices], separators=(',', ':'))
        key = hashlib.sha256(address.encode()).digest()
        self._stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def uint32(self, count):
        return np.frombuffer(self._stream.update(bytes(4 * count)), '<u4')

    def uniform(self, count):
        """Doubles in [0, 1) with 53 random bits."""
        bits = self.uint32(2 * count).astype(np.float64)
        return (np.floor(bits[0::2] / 32) * 2**26 + np.floor(bits[1::2] / 64)) * 2.0**-53

    def normal(self, count):
        """Standard normals in pairs; the second of the last pair is dropped where `count` is odd."""
        uniform = self.uniform(2 * ((count + 1) // 2))
        radius = np.sqrt(-2 * np.log(1 - uniform[0::2]))
        angle = 2 * np.pi * uniform[1::2]
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()[:count]

    def permutation(self, n):
        """Fisher and Yates; draws that would favour small numbers are drawn again."""
        order = list(range(n))
        draws = iter(self.uint32(n - 1).tolist())
        for i in range(n - 1, 0, -1):
            limit = 2**32 - 2**32 % (i + 1)
            value = limit
            while value >= limit:
                value = next(draws, None)
                if value is None:
                    value = int(self.uint32(1)[0])
            j = value % (i + 1)
            order[i], order[j] = order[j], order[i]
        return np.array(order)


def select(images, labels, classes, count, seed, part):
    """`count` examples, evenly over the classes and shuffled, as datasets/select.ts draws them."""
    random = RandomStream(seed, f'selection/{part}')
    by_class = [[] for _ in range(classes)]
    for index in random.permutation(len(labels)):
        by_class[labels[index]].append(index)
    chosen = []
    for position in range(max(map(len, by_class))):
        chosen += [indices[position] for indices in by_class if position < len(indices)]
    order = np.array(chosen[:count])[random.permutation(count)]
    return images[order], labels[order]
