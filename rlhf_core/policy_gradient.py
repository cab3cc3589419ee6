"""The policy gradient: how an expected reward is climbed although sampling cannot be differentiated.

    grad E_pi[r] = sum_y r(y) grad pi(y) = E_pi[r grad log pi]

Here every response can be counted, so the right-hand side is exact, and the left-hand side can be had by brute force.
"""

import numpy as np

from rlhf_core import policy
from rlhf_core.distributions import Array, expectation
from rlhf_core.policy import Tables


def log_derivative(tables: Tables, weights: Array) -> Tables:
    """Gradient of `sum_y weights(y) log pi(y)` in every logit.

    With `weights = pi r` it is the gradient of the expected reward, with `pi (log pi - log ref)` that of the KL
    divergence to the reference, with `-ref` that of the KL divergence from it.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities of N policies, as from `policy.log_tables`.
    weights : (N, R) array
        One per response.
    """
    n_policies, n_responses = weights.shape
    every = np.tile(np.arange(n_responses), (n_policies, 1))
    per_token = np.repeat(weights[..., None], len(tables), axis=-1)
    return policy.logits_gradient(tables, policy.prefixes(every, tables), per_token)


def central_differences(logits: Tables, rewards: Array, *, step: float = 1e-4) -> Array:
    """Slope of the expected reward in each logit of the first position, (N, O), by moving it a little both ways.

        (E[r | theta + step] - E[r | theta - step]) / (2 step)

    The error is of the order of step squared.

    Parameters
    ----------
    logits : tuple of arrays
        Tables of N policies.
    rewards : (R,) array
    """
    n_policies, width = logits[0].shape
    later = tuple(np.repeat(table, width, axis=0) for table in logits[1:])

    def expected(by: float) -> Array:
        first = (logits[0][:, None] + by * np.eye(width)).reshape(-1, width)
        log_probs = policy.response_log_probs(policy.log_tables((first, *later)))
        return expectation(log_probs, rewards).reshape(n_policies, width)

    return (expected(step) - expected(-step)) / (2 * step)


def estimator_variance(tables: Tables, rewards: Array, *, baseline: Array | float = 0.0) -> Array:
    """Variance of one response's estimate `(r - baseline) grad log pi` of the gradient, (N,), summed over all logits.

    The mean of the estimate is the gradient, whatever the baseline; only this changes.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities of N policies.
    rewards : (R,) array
    baseline : float or (N,) array
    """
    probs = np.exp(policy.response_log_probs(tables))
    lead = rewards - np.reshape(np.asarray(baseline, dtype=float), (-1, 1))
    mean = log_derivative(tables, probs * lead)
    mean_square = (probs * lead**2 * _squared_score(tables)).sum(axis=-1)
    result: Array = mean_square - sum((slope.reshape(len(probs), -1) ** 2).sum(axis=-1) for slope in mean)
    return result


def _squared_score(tables: Tables) -> Array:
    """`|grad log pi(y)|^2` of every response, (N, R): one minus its probability, squared, plus the others', a token."""
    total = np.zeros((len(tables[0]), 1))
    for table in tables:
        probs = np.exp(table)
        token = 1 - 2 * probs + (probs**2).sum(axis=-1, keepdims=True)
        total = (total[..., None] + token.reshape(len(table), total.shape[1], -1)).reshape(len(table), -1)
    return total


def variance_by_position(tables: Tables, rewards: Array) -> Array:
    """How much of a reward's variance under the policy each token decides, (N, L); sums to the variance.

    A value function that is told the response so far knows the expected reward; each token moves it.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities of N policies.
    rewards : (R,) array
    """
    n_policies = len(tables[0])
    values = [np.broadcast_to(rewards, (n_policies, len(rewards)))]
    for table in reversed(tables):  # expected reward of every prefix, from the longest to the empty one
        width = table.shape[-1]
        children = values[0].reshape(n_policies, -1, width)
        values.insert(0, (np.exp(table).reshape(children.shape) * children).sum(axis=-1))
    reach, shares = np.ones((n_policies, 1)), []
    for table, before, after in zip(tables, values, values[1:], strict=False):
        reach = (reach[..., None] * np.exp(table).reshape(n_policies, reach.shape[1], -1)).reshape(n_policies, -1)
        moved = after - np.repeat(before, table.shape[-1], axis=-1)
        shares.append((reach * moved**2).sum(axis=-1))
    return np.stack(shares, axis=-1)
