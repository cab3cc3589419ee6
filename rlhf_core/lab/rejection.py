"""Rejection-sampling fine-tuning: answer a few times, keep the answer with the highest reward, imitate it.

for each round:  sample G answers a prompt, in groups of n;  keep each group's best;  SFT on what was kept
"""

from collections.abc import Callable, Iterator

import numpy as np

from rlhf_core import policy
from rlhf_core.distributions import Array
from rlhf_core.policy import Indices, Tables
from rlhf_core.sft import sft_loss


def keep_best(responses: Indices, rewards: Array, *, group: int) -> Indices:
    """Of every `group` answers the one with the highest reward, (P, G // group); answers left over do not count.

    Parameters
    ----------
    responses : (P, G) array
    rewards : (P, G) array
        Their rewards; of equal ones the first is kept.

    Raises
    ------
    ValueError
        If a group needs more answers than there are.
    """
    if not 1 <= group <= responses.shape[1]:
        raise ValueError(f"group must be from 1 to {responses.shape[1]}, the number of answers, got {group}")
    whole = responses.shape[1] // group * group
    shape = (len(responses), whole // group, group)
    best = rewards[:, :whole].reshape(shape).argmax(axis=-1)
    kept: Indices = np.take_along_axis(responses[:, :whole].reshape(shape), best[..., None], axis=-1)[..., 0]
    return kept


def steps(
    ref_logits: Tables,
    rewards: Array,
    draw: Callable[[tuple[int, ...]], Array],
    *,
    rollouts: int,
    group: int,
    n_epochs: int,
    learning_rate: float,
) -> Iterator[Tables]:
    """Rounds of rejection-sampling fine-tuning from the reference policy, without end; yields the policy after each.

    Nothing ties it to the reference policy but the number of rounds.

    Parameters
    ----------
    rewards : (P, R) array
        Reward-model scores.
    draw : callable
        Gives uniforms of a shape (P, G, L); called once a round.
    rollouts, group : int
        Answers a prompt and round, and how many of them compete for one place.

    References
    ----------
    Dong et al. (2023), RAFT, arXiv:2304.06767; Touvron et al. (2023), Llama 2, arXiv:2307.09288.
    """
    logits = ref_logits
    while True:
        tables = policy.log_tables(logits)
        responses, _ = policy.collect(tables, rollouts, draw)
        kept = keep_best(responses, np.take_along_axis(rewards, responses, axis=1), group=group)
        for _ in range(n_epochs):
            _, gradient = sft_loss(logits, kept)
            logits = tuple(table - learning_rate * slope for table, slope in zip(logits, gradient, strict=True))
        yield logits
