"""Small policies, finite differences and the hypothesis profile that the tests of the core share."""

from collections.abc import Callable

import numpy as np
from hypothesis import settings
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Tables = tuple[Array, ...]

fuzzed = settings(deadline=None, derandomize=True, max_examples=60)


def random_logits(seed: int, shape: tuple[int, ...], n_prompts: int = 2, scale: float = 1.5) -> Tables:
    """Tables of a policy whose positions have `shape` choices, the same for every prompt."""
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(0, scale, (n_prompts, *shape[: level + 1])) for level in range(len(shape)))


def token_log_probs(logits: Tables) -> Array:
    """Log-probability of each token of every response, (P, R, L): a table's entry stands for all that begin so."""
    n_prompts, n_responses = len(logits[0]), logits[-1][0].size
    flat = [special.log_softmax(table, axis=-1).reshape(n_prompts, -1) for table in logits]
    return np.stack([np.repeat(row, n_responses // row.shape[1], axis=1) for row in flat], axis=-1)


def central_differences(function: Callable[[Tables], float], at: Tables, step: float = 1e-5) -> Tables:
    """Gradient of a scalar function of some arrays, entry by entry, with an error of about `step^2`."""

    def moved(i: int, index: tuple[int, ...], by: float) -> float:
        arrays = [array.copy() for array in at]
        arrays[i][index] += by
        return function(tuple(arrays))

    gradients = tuple(np.empty_like(array) for array in at)
    for i, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            gradient[index] = (moved(i, index, step) - moved(i, index, -step)) / (2 * step)
    return gradients
