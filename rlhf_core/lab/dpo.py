"""DPO: train the policy on the comparisons themselves, without a reward model and without sampling."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from rlhf_core import policy
from rlhf_core.distributions import Array
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Indices, Tables
from rlhf_core.preferences import Pairs

DEFAULT_BETA = 0.1
"""Taken where the run's beta is 0, at which DPO has no loss; TRL's default as well."""


class DPOLoss(NamedTuple):
    """Per pair: the loss and its gradient in both log-probabilities, each (N,)."""

    loss: Array
    grad_chosen: Array
    grad_rejected: Array


def dpo_loss(
    chosen: Array,
    rejected: Array,
    ref_chosen: Array,
    ref_rejected: Array,
    *,
    beta: float,
    label_smoothing: float = 0.0,
    form: Literal["sigmoid", "ipo"] = "sigmoid",
) -> DPOLoss:
    """Loss of Direct Preference Optimisation, pair by pair.

        h = (log pi(y_w) - log ref(y_w)) - (log pi(y_l) - log ref(y_l))
        loss = -(1 - s) log sigma(beta h) - s log sigma(-beta h)

    It is the Bradley–Terry loss of the implicit reward `beta log(pi/ref)`; at the reference it is log 2.

    Parameters
    ----------
    chosen, rejected, ref_chosen, ref_rejected : (N,) array
        Log-probabilities, in nats, of the whole responses under the policy and under the reference.
    beta : float
        > 0, in log-odds per nat.
    label_smoothing : float
        s from 0 to 0.5: the share of labels that are taken to be flipped.
    form : str
        "sigmoid", or "ipo": `(h - 1/(2 beta))^2`, which asks for one finite margin instead of an ever larger one.

    Raises
    ------
    ValueError
        If `beta` is not positive, `label_smoothing` is out of range or the shapes differ.

    References
    ----------
    Rafailov et al. (2023), arXiv:2305.18290, equation 7; IPO: Azar et al. (2023), arXiv:2310.12036.
    """
    if beta <= 0:
        raise ValueError(f"beta must be > 0, got {beta}")
    if not 0 <= label_smoothing <= 0.5:
        raise ValueError(f"label_smoothing must be from 0 to 0.5, got {label_smoothing}")
    if not chosen.shape == rejected.shape == ref_chosen.shape == ref_rejected.shape:
        shapes = ", ".join(str(each.shape) for each in (chosen, rejected, ref_chosen, ref_rejected))
        raise ValueError(f"shapes differ: {shapes}")
    apart = (chosen - ref_chosen) - (rejected - ref_rejected)
    if form == "ipo":
        excess = apart - 1 / (2 * beta)
        return DPOLoss(excess**2, 2 * excess, -2 * excess)
    lead = beta * apart
    loss = (1 - label_smoothing) * np.logaddexp(0, -lead) + label_smoothing * np.logaddexp(0, lead)
    slope = beta * (label_smoothing * special.expit(lead) - (1 - label_smoothing) * special.expit(-lead))
    return DPOLoss(loss, slope, -slope)


def implicit_reward(log_probs: Array, ref_log_probs: Array, *, beta: float) -> Array:
    """Reward, in log-odds, whose optimum the policy would be: `beta (log pi - log ref)`, up to a constant a prompt."""
    return beta * (log_probs - ref_log_probs)


def prompt_loss(
    log_probs: Array, ref_log_probs: Array, prompt: Indices, ends: Indices, *, beta: float, label_smoothing: float = 0.0
) -> tuple[Array, Array]:
    """DPO's loss pair by pair, (N,), and the gradient of each prompt's mean loss in its log-probabilities, (P, R).

    Parameters
    ----------
    log_probs, ref_log_probs : (P, R) array
    prompt : (N,) int array
    ends : (N, 2) int array
        Chosen and rejected response of each pair.
    """
    now, before = log_probs[prompt[:, None], ends], ref_log_probs[prompt[:, None], ends]
    each = dpo_loss(*now.T, *before.T, beta=beta, label_smoothing=label_smoothing)
    weights = 1 / np.bincount(prompt, minlength=len(log_probs))[prompt]
    slope = np.zeros_like(log_probs)
    np.add.at(slope, (prompt, ends[:, 0]), weights * each.grad_chosen)
    np.add.at(slope, (prompt, ends[:, 1]), weights * each.grad_rejected)
    return each.loss, slope


@dataclass(frozen=True, slots=True, eq=False)
class DPOTrace:
    """E epochs of DPO; entry 0 is the reference policy. Means are over the training pairs."""

    beta: float
    """In log-odds per nat."""
    log_probs: Array
    """(E+1, P, R)."""
    loss: Array
    """(E+1,) nats per pair; starts at log 2."""
    margin: Array
    """(E+1,) implicit reward of the chosen minus that of the rejected response, in log-odds."""
    accuracy: Array
    """(E+1,) share of pairs whose chosen response has strictly the higher implicit reward."""
    chosen: Array
    """(E+1,) log-probability of the chosen responses, in nats."""
    rejected: Array
    """(E+1,) log-probability of the rejected responses, in nats."""
    compared: Array
    """(E+1,) probability of all answers that occur in some training pair, mean over prompts with pairs."""


def train(ref_logits: Tables, pairs: Pairs, *, beta: float, n_epochs: int, learning_rate: float) -> DPOTrace:
    """Gradient descent on the DPO loss of the training pairs, prompt by prompt.

    Each prompt's tables descend the mean loss of that prompt's own pairs. A table shares nothing between
    prompts, so prompts without training pairs keep the reference policy: unlike a language model's
    weights, these tables do not generalise.

    Parameters
    ----------
    ref_logits : tuple of arrays
        Tables of the SFT policy, where DPO starts and to which it is tied.
    pairs : Pairs
        Pairs of held-out prompts are not trained on.
    """
    kept = ~pairs.heldout
    prompt, ends = pairs.prompt[kept], np.stack([pairs.chosen[kept], pairs.rejected[kept]], axis=1)
    reference = policy.response_log_probs(policy.log_tables(ref_logits))
    logits, history = ref_logits, [reference]
    for _ in range(n_epochs):
        _, slope = prompt_loss(history[-1], reference, prompt, ends, beta=beta)
        logits = _descend(logits, slope, learning_rate)
        history.append(policy.response_log_probs(policy.log_tables(logits)))
    return _trace(np.stack(history), prompt, ends, beta)


def dpo(run: PipelineRun, *, n_epochs: int | None = None, learning_rate: float | None = None) -> DPOTrace:
    """DPO from a run's SFT policy on a run's own comparisons, at the beta of the same optimum.

    The run's beta is in reward units per nat, and a reward unit is `run.reward.scale` log-odds: with beta times
    that scale DPO and PPO would have the same optimum if the reward model were the labellers.

    Parameters
    ----------
    run : PipelineRun
        At beta 0, where DPO has no loss, `DEFAULT_BETA` reward units per nat are taken.
    n_epochs : int, optional
        By default as many gradient steps as the run's PPO took.
    learning_rate : float, optional
        By default PPO's, divided by DPO's beta: its gradient has beta as a factor.
    """
    settings = run.settings
    beta = (settings.beta or DEFAULT_BETA) * run.reward.scale
    return train(
        run.sft.logits,
        run.reward.pairs,
        beta=beta,
        n_epochs=settings.ppo_steps * settings.ppo_epochs if n_epochs is None else n_epochs,
        learning_rate=settings.ppo_learning_rate / beta if learning_rate is None else learning_rate,
    )


def _descend(logits: Tables, slope: Array, learning_rate: float) -> Tables:
    """One gradient step of the tables, given the gradient in the responses' log-probabilities (P, R)."""
    tables = policy.log_tables(logits)
    responses = np.broadcast_to(np.arange(slope.shape[1]), slope.shape)
    weights = np.repeat(slope[..., None], len(tables), axis=-1)
    gradient = policy.logits_gradient(tables, policy.prefixes(responses, tables), weights)
    return tuple(table - learning_rate * each for table, each in zip(logits, gradient, strict=True))


def _trace(log_probs: Array, prompt: Indices, ends: Indices, beta: float) -> DPOTrace:
    chosen, rejected = np.moveaxis(log_probs[:, prompt[:, None], ends], -1, 0)
    margins = implicit_reward(chosen, chosen[0], beta=beta) - implicit_reward(rejected, rejected[0], beta=beta)
    seen = np.zeros(log_probs.shape[1:], dtype=bool)
    seen[prompt[:, None], ends] = True
    mass = np.where(seen, np.exp(log_probs), 0.0).sum(axis=-1)[:, np.unique(prompt)]
    return DPOTrace(
        beta=beta,
        log_probs=log_probs,
        loss=np.logaddexp(0, -margins).mean(axis=1),
        margin=margins.mean(axis=1),
        accuracy=(margins > 0).mean(axis=1),
        chosen=chosen.mean(axis=1),
        rejected=rejected.mean(axis=1),
        compared=mass.mean(axis=1),
    )
