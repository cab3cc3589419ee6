"""Stage 1, supervised fine-tuning: imitate a good human writer by maximum likelihood."""

from dataclasses import dataclass

import numpy as np

from rlhf_core import policy
from rlhf_core.distributions import Array, entropy, expectation, log_softmax
from rlhf_core.policy import Indices, Tables
from rlhf_core.scenarios import Scenario

WRITER_TEMPERATURE = 0.5
"""How far the writer is from perfect: demonstrations are drawn with probability ∝ exp(true reward / temperature)."""
HELDOUT_DEMONSTRATIONS = 8
"""Answers per prompt that the writer might have given too, and that SFT was shown nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class SFTTrace:
    """What happened in E epochs of SFT; entry 0 is the base policy, entry -1 the reference policy."""

    demonstrations: Indices
    """(P, n) responses trained on."""
    heldout_demonstrations: Indices
    """(P, n) responses by the same writer, none of them among the prompt's demonstrations."""
    loss: Array
    """(E+1,) nats per response."""
    heldout_loss: Array
    """(E+1,) nats per response."""
    writer_loss: float
    """Loss of the writer's own distribution, in nats: its entropy, which no policy beats on average."""
    writer_heldout_loss: float
    """What the writer's own distribution pays for the held-out responses, in nats: they are the rarer ones."""
    writer_true_reward: float
    """Expected true reward of the writer, mean over prompts."""
    log_probs: Array
    """(E+1, P, R)."""
    logits: Tables
    """The reference policy's tables."""


def writer_log_probs(true_reward: Array) -> Array:
    """The writer's distribution over responses, (P, R): log-softmax of true reward / temperature."""
    return log_softmax(true_reward / WRITER_TEMPERATURE)


def draw_demonstrations(log_probs: Array, uniforms: Array) -> Indices:
    """Responses drawn with the given log-probabilities (P, R), one per uniform, (P, n)."""
    cumulative = np.cumsum(np.exp(log_probs), axis=-1)
    chosen: Indices = (cumulative[:, None, :-1] <= uniforms[..., None]).sum(axis=-1)
    return chosen


def without(log_probs: Array, taken: Indices) -> Array:
    """A distribution over the responses that were not taken, (P, R), in the old proportions.

    Raises
    ------
    ValueError
        If all responses of a prompt are taken.
    """
    kept = log_probs.copy()
    np.put_along_axis(kept, taken, -np.inf, axis=-1)
    if np.isneginf(kept).all(axis=-1).any():
        raise ValueError(f"taken must leave a response of each prompt, got {taken.shape[1]} of {log_probs.shape[1]}")
    return log_softmax(kept)


def sft_loss(logits: Tables, responses: Indices) -> tuple[Array, Tables]:
    """Negative log-likelihood of demonstrations per prompt, and its gradient in the logits.

        loss(x) = -mean_i sum_t log pi(y_it | x, y_i<t)

    Parameters
    ----------
    logits : tuple of arrays
        The policy's tables.
    responses : (P, n) array
        Demonstrated responses.

    Returns
    -------
    loss : (P,) array
        Nats per response; each prompt's tables enter only its own loss.
    gradient : tuple of arrays
        Of each prompt's loss, shaped like `logits`.
    """
    tables = policy.log_tables(logits)
    positions = policy.prefixes(responses, tables)
    log_probs = policy.token_log_probs(tables, positions)
    weights = np.full(log_probs.shape, -1 / responses.shape[1])
    return -log_probs.sum(axis=-1).mean(axis=-1), policy.logits_gradient(tables, positions, weights)


def train(
    scenario: Scenario,
    *,
    n_demonstrations: int,
    n_epochs: int,
    learning_rate: float,
    rng: np.random.Generator,
) -> SFTTrace:
    """Fine-tune the pre-trained policy on demonstrations by full-batch gradient descent."""
    uniforms = rng.random((HELDOUT_DEMONSTRATIONS + n_demonstrations, len(scenario.prompts))).T
    writer = writer_log_probs(scenario.true_reward)
    demonstrations = draw_demonstrations(writer, uniforms[:, HELDOUT_DEMONSTRATIONS:])
    heldout = draw_demonstrations(without(writer, demonstrations), uniforms[:, :HELDOUT_DEMONSTRATIONS])
    logits = policy.pretrained(scenario)
    history = [policy.response_log_probs(policy.log_tables(logits))]
    for _ in range(n_epochs):
        _, gradient = sft_loss(logits, demonstrations)
        logits = tuple(table - learning_rate * slope for table, slope in zip(logits, gradient, strict=True))
        history.append(policy.response_log_probs(policy.log_tables(logits)))
    log_probs = np.stack(history)
    return SFTTrace(
        demonstrations=demonstrations,
        heldout_demonstrations=heldout,
        loss=_mean_loss(log_probs, demonstrations),
        heldout_loss=_mean_loss(log_probs, heldout),
        writer_loss=float(entropy(writer).mean()),
        writer_heldout_loss=float(_mean_loss(writer[None], heldout)[0]),
        writer_true_reward=float(expectation(writer, scenario.true_reward).mean()),
        log_probs=log_probs,
        logits=logits,
    )


def _mean_loss(log_probs: Array, responses: Indices) -> Array:
    """Mean over prompts and responses of -log pi at every epoch, (E+1,)."""
    result: Array = -np.take_along_axis(log_probs, responses[None], axis=2).mean(axis=(1, 2))
    return result
