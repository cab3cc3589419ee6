"""The policy's course through the whole pipeline: from the base policy through SFT to the last PPO step."""

from dataclasses import dataclass

import numpy as np

from rlhf_core import policy
from rlhf_core.distributions import Array
from rlhf_core.policy import Indices

N_ANSWERS = 3
"""Answers that every policy on the course gives to each prompt."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What every policy is worth and how it answers, prompt by prompt.

    Row 0 is the base policy, row E the reference policy, row E + k the policy after PPO step k.
    """

    reward: Array
    """(E+T+1, P) expected score by the finished reward model, in reward units."""
    true_reward: Array
    """(E+T+1, P) what a careful reader thinks of it, in true-reward units."""
    labeller_reward: Array
    """(E+T+1, P) what the labellers would think of it, in true-reward units."""
    answers: Indices
    """(E+T+1, P, 3) responses drawn from each policy, all with the same random numbers:
    an answer changes only where the policy has changed."""


def follow(
    sft_log_probs: Array, ppo_log_probs: Array, scores: Array, true_reward: Array, labeller_reward: Array,
    shape: tuple[int, ...], rng: np.random.Generator,
) -> Course:  # fmt: skip
    """Evaluate and question every policy between base and the last PPO step.

    Parameters
    ----------
    sft_log_probs, ppo_log_probs : (E+1, P, R) and (T+1, P, R) array
        The last of SFT is the first of PPO.
    scores, true_reward, labeller_reward : (P, R) array
    shape : tuple of int
        Number of openings, bodies and closings.
    rng : numpy.random.Generator
        Gives the uniforms of the answers, and nothing else.
    """
    probs = np.exp(np.concatenate([sft_log_probs, ppo_log_probs[1:]]))
    uniforms = rng.random((probs.shape[1], N_ANSWERS, len(shape)))
    return Course(
        reward=np.einsum("npr,pr->np", probs, scores),
        true_reward=np.einsum("npr,pr->np", probs, true_reward),
        labeller_reward=np.einsum("npr,pr->np", probs, labeller_reward),
        answers=draw(probs, shape, uniforms),
    )


def draw(probs: Array, shape: tuple[int, ...], uniforms: Array) -> Indices:
    """Responses drawn token by token from the policy of each row, with the same uniforms in every row.

    Parameters
    ----------
    probs : (N, P, R) array
        Probability of every response under N policies.
    shape : tuple of int
        Number of openings, bodies and closings; their product is R.
    uniforms : (P, G, L) array
        In [0, 1), one per token.

    Returns
    -------
    responses : (N, P, G) array
    """
    joint = probs.reshape(-1, *shape)
    marginals = [joint]
    for _ in shape[1:]:
        marginals.insert(0, marginals[0].sum(axis=-1))
    with np.errstate(divide="ignore"):
        tables = tuple(np.log(each) for each in marginals)  # not normalised, which `sample` does not need
    drawn = policy.sample(tables, np.tile(uniforms, (len(probs), 1, 1)))
    return drawn.reshape(len(probs), *uniforms.shape[:2])
