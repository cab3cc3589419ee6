"""The policy: a language model over phrases, small enough to enumerate.

`pi(y|x) = pi(y1|x) pi(y2|x,y1) pi(y3|x,y1,y2)`, one table of logits per position:
`(P, O)`, `(P, O, B)` and `(P, O, B, C)`. The functions hold for any number of positions L.
Token arrays have the position last: `(P, G, L)` for G responses per prompt.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rlhf_core.distributions import Array, log_softmax
from rlhf_core.scenarios import SLOTS, Scenario

Tables: TypeAlias = tuple[Array, ...]
Indices: TypeAlias = NDArray[np.int64]


def pretrained(scenario: Scenario) -> Tables:
    """Logits of the pre-trained policy: how often web text says each phrase, whatever came before."""
    logits = [
        np.array([[phrase.pretraining_logit for phrase in slots[slot]] for slots in scenario.phrases])
        for slot in SLOTS
    ]
    shape = (len(scenario.prompts), *scenario.shape)
    return tuple(
        np.broadcast_to(table.reshape(shape[0], *(1,) * level, -1), shape[: level + 2]).copy()
        for level, table in enumerate(logits)
    )


def log_tables(logits: Tables) -> Tables:
    """Log-probabilities, in nats, of each phrase given the prompt and the phrases before it."""
    return tuple(log_softmax(table) for table in logits)


def response_log_probs(tables: Tables) -> Array:
    """Log-probability of every response, (P, R), from tables of log-probabilities."""
    total = tables[0]
    for table in tables[1:]:
        total = total[..., None] + table
    result: Array = total.reshape(len(total), -1)
    return result


@lru_cache(maxsize=32)
def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """How many responses share each prefix of length 1 … L."""
    return tuple(int(np.prod(shape[level:], dtype=np.int64)) for level in range(1, len(shape) + 1))


def prefix_log_probs(log_probs: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Log-probability of each prefix of length 1 … L, flattened: (..., O), (..., O*B), (..., R).

    A prefix is as probable as all responses that begin with it together.

    Parameters
    ----------
    log_probs : (..., R) array
        Log-probabilities of the responses.
    shape : tuple of int
        Number of phrases per position.
    """
    grouped = [log_probs.reshape(*log_probs.shape[:-1], -1, stride) for stride in _strides(shape)]
    return tuple(np.logaddexp.reduce(prefix, axis=-1) for prefix in grouped)


def prefixes(responses: Indices, tables: Tables) -> tuple[Indices, ...]:
    """Index of each response's prefix of length 1 … L into the flattened tables, each (P, G)."""
    shape = tables[-1].shape[1:]
    prompts = np.arange(len(responses))[:, None]
    return tuple(
        prompts * (table[0].size) + responses // stride
        for table, stride in zip(tables, _strides(shape), strict=True)
    )


def token_log_probs(tables: Tables, positions: Sequence[Indices]) -> Array:
    """Log-probability of each token, (P, G, L), at the `prefixes` of some responses."""
    return np.stack([table.reshape(-1)[at] for table, at in zip(tables, positions, strict=True)], axis=-1)


def sample(tables: Tables, uniforms: Array) -> Indices:
    """Draw responses token by token, (P, G), by inverting the cumulative distribution.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities, as from `log_tables`; they need not be normalised.
    uniforms : (P, G, L) array
        Uniform draws in [0, 1), one per token.
    """
    rows = np.arange(len(uniforms))[:, None]
    responses: Indices = np.zeros(uniforms.shape[:2], dtype=np.int64)
    for level, table in enumerate(tables):
        width = table.shape[-1]
        flat = table.reshape(len(table), -1, width)
        cumulative = np.cumsum(np.exp(flat[rows, responses]), axis=-1)
        threshold = uniforms[..., level, None] * cumulative[..., -1:]
        token = np.minimum((cumulative <= threshold).sum(axis=-1), width - 1)
        responses = responses * width + token
    return responses


def collect(
    tables: Tables, n_rollouts: int, draw: Callable[[tuple[int, ...]], Array]
) -> tuple[Indices, Array | None]:
    """Responses (P, G) sampled from the policy; or, for 0 rollouts, all of them with their probabilities.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities, as from `log_tables`.
    draw : callable
        Gives uniforms in [0, 1) of a shape (P, G, L).
    """
    n_prompts = len(tables[0])
    if n_rollouts:
        return sample(tables, draw((n_prompts, n_rollouts, len(tables)))), None
    probs = np.exp(response_log_probs(tables))
    return np.tile(np.arange(probs.shape[1]), (n_prompts, 1)), probs


def softmax_gradient(log_probs: Array, weights: Array) -> Array:
    """Gradient of `sum_k weights_k log softmax(x)_k` in the logits x, along the last axis.

    `d/dx_k = weights_k - softmax(x)_k sum_j weights_j`
    """
    result: Array = weights - np.exp(log_probs) * weights.sum(axis=-1, keepdims=True)
    return result


def logits_gradient(tables: Tables, positions: Sequence[Indices], weights: Array) -> Tables:
    """Gradient of `sum_(g,t) weights[p,g,t] log pi(token t of response g)` in every logit.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities, as from `log_tables`.
    positions : sequence of (P, G) arrays
        Prefixes of the responses, as from `prefixes`.
    weights : (P, G, L) array
    """
    gradients = []
    for level, (table, at) in enumerate(zip(tables, positions, strict=True)):
        summed = np.bincount(at.reshape(-1), weights=weights[..., level].reshape(-1), minlength=table.size)
        gradients.append(softmax_gradient(table, summed.reshape(table.shape).astype(np.float64, copy=False)))
    return tuple(gradients)


def kl_per_position(tables: Tables, ref_tables: Tables) -> Array:
    """Expected log-ratio of each token under the policy, (P, L), in nats; sums to the KL divergence."""
    reach = np.ones(tables[0].shape[:1])
    terms = []
    for table, ref_table in zip(tables, ref_tables, strict=True):
        joint = reach[..., None] * np.exp(table)
        log_ratio = np.where(joint > 0, table, 0.0) - np.where(joint > 0, ref_table, 0.0)
        terms.append((joint * log_ratio).reshape(len(table), -1).sum(axis=1))
        reach = joint
    return np.stack(terms, axis=-1)
