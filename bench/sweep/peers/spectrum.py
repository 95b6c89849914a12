"""Variances and correlation times along eigenvectors, as science/analysis/ measures them, and the fit of both regimes, in NumPy and SciPy."""
import numpy as np

batches, blocks = 10, 10
learning_rate, momentum = 0.05, 0.8


def measure(theta, eigenvalue):
    """One direction: theta of consecutive steps, of which a straight line is subtracted."""
    steps = len(theta)
    centred = np.arange(steps) - (steps - 1) / 2
    theta = theta - theta.mean()
    theta -= centred * (centred @ theta) / (centred @ centred)
    velocity = np.diff(theta)
    velocity -= (theta[-1] - theta[0]) / (steps - 1)
    noise = -(velocity[1:] - momentum * velocity[:-1]) / learning_rate - eigenvalue * theta[1:-1]
    noise -= noise.mean()
    weight = Squares(theta, steps)
    speed = Squares(velocity, steps)
    disturbance = Squares(noise, steps)
    ratio = weight.mean / speed.mean
    ratio_error = error_of(weight.of_blocks - ratio * speed.of_blocks, steps) / abs(speed.of_blocks.mean())
    return {
        'weight_variance': weight.mean,
        'weight_variance_standard_error': error_of(weight.of_blocks, steps),
        'velocity_variance': speed.mean,
        'velocity_variance_standard_error': error_of(speed.of_blocks, steps),
        'noise_variance': disturbance.mean,
        'noise_variance_standard_error': error_of(disturbance.of_blocks, steps),
        'correlation_time': 2 * ratio,
        'correlation_time_standard_error': 2 * ratio_error,
    }


def block_length(steps):
    longest = steps // blocks
    return longest - longest % batches if longest >= batches else longest


class Squares:
    """Mean square of the last values of a series of `steps`, and of each block of it."""

    def __init__(self, values, steps):
        squares = values**2
        self.mean = squares.mean()
        lost, length = steps - len(values), block_length(steps)
        edges = [(max(0, b * length - lost), (b + 1) * length - lost) for b in range(blocks)]
        self.of_blocks = np.array([squares[start:end].mean() for start, end in edges])


def error_of(means, steps):
    return np.sqrt(means.var(ddof=1) / (steps / block_length(steps)))


def fit_correlation_times(spectrum):
    """lambda_cross and tau_SGD by least squares of ln tau, and the mean loss of the fluctuations."""
    from scipy.optimize import least_squares

    eigenvalue, tau = spectrum['eigenvalue'], spectrum['correlation_time']
    used = (eigenvalue > 0) & (tau > 0)
    sigma = (spectrum['correlation_time_standard_error'] / tau)[used]
    start = np.log([3 * (1 - momentum) / (learning_rate * batches), batches / 3 * (1 + momentum) / (1 - momentum)])
    found = least_squares(
        lambda p: (np.log(tau[used]) - p[1] - np.log(crossover_shape(3 * eigenvalue[used] / np.exp(p[0])))) / sigma,
        start,
        bounds=(start - np.log(1e6), start + np.log(1e6)),
    )
    fluctuation = (eigenvalue * spectrum['weight_variance'])[used].sum() / 2
    return {'lambda_cross': np.exp(found.x[0]), 'tau_sgd': np.exp(found.x[1]), 'loss_fluctuation': fluctuation}


def crossover_shape(x):
    """From 1 at 0 to 3 / x; the series where the closed form cancels."""
    powers = np.cumprod(np.concatenate([np.ones((1, len(x))), -np.minimum(x, 1) / np.arange(4, 21)[:, None]]), axis=0)
    large = np.maximum(x, 1)
    return np.where(x < 1, powers.sum(axis=0), 3 / large * (1 - 2 * (np.expm1(-large) + large) / large**2))
