"""Answers about what a trainer logs: KL estimates, losses, groups, clipping, the critic."""

from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from pages.drawing.drawing import Drawing
from pages.drawing.theme import Palette
from pages.drawing.wording import minus
from pages.figures.lab.experiment import Answer, lines
from rlhf_core import PipelineRun, policy, run_pipeline
from rlhf_core.distributions import expectation, log_softmax
from rlhf_core.lab import grpo
from rlhf_core.lab.dpo import DPOTrace, dpo
from rlhf_core.lab.methods import DEFAULT_ROLLOUTS
from rlhf_core.lab.worlds import stream

TEMPERATURES = np.array([0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0])


def steps_of(run: PipelineRun) -> np.ndarray:
    """0 … T."""
    return np.arange(run.settings.ppo_steps + 1)


# ------------------------------------------------------------ negative KL


def sampled_kl(run: PipelineRun, temperature: float) -> float:
    """What the mean of k1 comes to where answers are sampled at a temperature and scored at temperature 1, in nats."""
    final, ref = run.ppo.log_probs[-1], run.sft.log_probs[-1]
    tables = tuple(log_softmax(table / temperature) for table in run.ppo.logits[-1])
    drawn = policy.response_log_probs(tables)
    return float(expectation(drawn, final - ref).mean())


class Sampled(NamedTuple):
    """What a trainer logs of one policy whose answers it samples at other temperatures than 1."""

    logged: np.ndarray
    """Mean of k1 at each of `TEMPERATURES`, in nats."""
    exact: float
    """The policy's KL to the reference, in nats."""


def _sampled(run: PipelineRun) -> Sampled:
    return Sampled(np.array([sampled_kl(run, t) for t in TEMPERATURES]), float(run.ppo.kl[-1]))


def _negative(found: Sampled) -> str:
    return (
        "A KL cannot be negative, but its estimate k1 = log π − log π_ref may be for a single answer, and its mean "
        "only if the answers were not drawn from π. The usual cause is sampling with a temperature, top-k or top-p "
        f"that the scored log-probabilities do not have. This run’s policy is {minus(found.exact)} nats from the "
        f"reference; sampled at temperature {TEMPERATURES[-1]:g} and scored at 1, the same policy would log "
        f"{minus(float(found.logged[-1]))}. Score what you sample from, or use k3, which is never negative and then "
        "hides the fault."
    )


def _negative_chart(found: Sampled, palette: Palette) -> Drawing:
    return lines(
        palette, "sampling temperature", "mean of k1 [nats]",
        (TEMPERATURES, found.logged, "logged", "kl", "solid"),
        (TEMPERATURES, np.full(len(TEMPERATURES), found.exact), "the KL", "policy", "dot"),
    )  # fmt: skip


# ------------------------------------------------------------ losses that start somewhere


class Losses(NamedTuple):
    """GRPO's loss at the start of each step, and the reward it climbs, (T+1,) each."""

    loss: np.ndarray
    reward: np.ndarray


def grpo_losses(run: PipelineRun) -> Losses:
    """GRPO from a run's SFT policy on its reward model."""
    settings = run.settings
    method = grpo.GRPO(beta=max(settings.beta, 0.04), rollouts=settings.rollouts or DEFAULT_ROLLOUTS, n_epochs=1,
                       learning_rate=3 * settings.ppo_learning_rate)  # fmt: skip
    ref = run.sft.log_probs[-1]
    walk = islice(grpo.steps(run.sft.logits, run.reward.scores, method, stream(settings.seed, "asked").random),
                  settings.ppo_steps)  # fmt: skip
    tables = [policy.log_tables(logits) for logits in walk]
    log_probs = np.stack([ref, *(policy.response_log_probs(each) for each in tables)])
    k3 = expectation(log_probs, np.exp(np.minimum(ref - log_probs, 50)) - 1 + log_probs - ref).mean(axis=1)
    return Losses(method.beta * k3 / 3, expectation(log_probs, run.reward.scores).mean(axis=1))


def _grpo(found: Losses) -> str:
    loss, reward = found
    return (
        "Advantages are measured against the group’s own mean, so on fresh samples they average to 0, and so does the "
        "clipped part of the loss at every step’s start. What is left is β times k3, which is 0 at the reference "
        f"policy and grows as the policy moves. Here it goes from {loss[0]:.4f} to {loss[-1]:.4f} while the reward "
        f"goes from {minus(float(reward[0]))} to {minus(float(reward[-1]))}. Watch reward and KL; the loss says how "
        "far, not how good."
    )


def _grpo_chart(found: Losses, palette: Palette) -> Drawing:
    steps = np.arange(len(found.loss))
    return lines(palette, "step", "GRPO’s loss at the step’s start", (steps, found.loss, "loss", "kl", "solid"))


def _dpo(trace: DPOTrace) -> str:
    way = "falls too" if trace.chosen[-1] < trace.chosen[0] else "rises here"
    lost = trace.compared[-1] < trace.compared[0]
    where = "to answers that nobody compared" if lost else "to other answers that were compared"
    return (
        "At the start policy and reference are the same, every implicit margin is 0, and −log σ(0) = log 2 = 0.693; a "
        "first loss that differs means that the two are not the same model. DPO raises the margin, not the chosen "
        f"answers: the mean rejected log-probability goes from {minus(float(trace.rejected[0]))} to "
        f"{minus(float(trace.rejected[-1]))} nats, and the chosen one, from {minus(float(trace.chosen[0]))} to "
        f"{minus(float(trace.chosen[-1]))}, {way}. What pairs lose goes mostly {where}: all compared answers together "
        f"hold {trace.compared[0]:.0%} before and {trace.compared[-1]:.0%} after. Both falling is how the loss works; "
        "watch the margin, and sample."
    )


def _dpo_chart(trace: DPOTrace, palette: Palette) -> Drawing:
    epochs = np.arange(len(trace.loss))
    return lines(palette, "epoch", "log-probability [nats]", (epochs, trace.chosen, "chosen", "policy", "solid"),
                  (epochs, trace.rejected, "rejected", "reference", "dash"))  # fmt: skip


# ------------------------------------------------------------ groups, clipping, critic


def equal_groups(run: PipelineRun) -> np.ndarray:
    """Share of prompts whose sampled answers all have the same reward, step by step, (T,)."""
    return np.array([float(np.mean(np.ptp(batch.rewards, axis=1) == 0)) for batch in run.ppo.rollouts])


def _bold(run: PipelineRun) -> np.ndarray:
    """The same of this run without penalty, 60 steps, 8 rollouts: groups that agree."""
    return equal_groups(run_pipeline(replace(run.settings, beta=0.0, ppo_steps=60, rollouts=8)))


def _groups(share: np.ndarray) -> str:
    return (
        "If all answers of a group get the same reward, every advantage is 0 and that prompt teaches nothing in this "
        "step; TRL logs the share of such groups as `frac_reward_zero_std`. It grows when the policy always gives the "
        "same answer, and with rewards that are only right or wrong. With your settings, but no penalty, 60 steps and "
        f"8 rollouts it goes from {share[0]:.0%} to {share[-1]:.0%}. Sample more answers per prompt, drop such prompts "
        "(DAPO), or stop: nothing is left to learn."
    )


def _groups_chart(share: np.ndarray, palette: Palette) -> Drawing:
    return lines(palette, "PPO step", "groups without spread [share]",
                  (np.arange(1, len(share) + 1), share, "no spread", "policy", "solid"))  # fmt: skip


def _epochs(run: PipelineRun) -> tuple[PipelineRun, PipelineRun]:
    one, four = (replace(run.settings, ppo_epochs=n) for n in (1, 4))
    return run_pipeline(one), run_pipeline(four)


def _clip(runs: tuple[PipelineRun, PipelineRun]) -> str:
    one, four = runs
    return (
        "In the first gradient step on a batch the new policy is the old one, every ratio is exactly 1, and nothing "
        "can be clipped. With one update per batch the clip fraction is therefore 0 for ever "
        f"({one.ppo.clip_fraction.max():.0%} at most here); with four epochs it reaches "
        f"{four.ppo.clip_fraction.max():.1%}. So 0 is no fault, and no sign of small steps either: judge those by the "
        "KL between successive policies."
    )


def _clip_chart(runs: tuple[PipelineRun, PipelineRun], palette: Palette) -> Drawing:
    one, four = runs
    return lines(
        palette, "PPO step", "clip fraction",
        (steps_of(one), one.ppo.clip_fraction, "1 epoch", "reference", "dash"),
        (steps_of(four), four.ppo.clip_fraction, "4 epochs", "policy", "solid"),
    )  # fmt: skip


def value_error(run: PipelineRun) -> np.ndarray:
    """Mean squared advantage of the first token, step by step, (T,): what the critic did not foresee."""
    return np.array([float(np.mean(batch.advantages[..., 0] ** 2)) for batch in run.ppo.rollouts])


def _critic_error(run: PipelineRun) -> np.ndarray:
    return value_error(run_pipeline(replace(run.settings, advantage="gae")))


def _critic(error: np.ndarray) -> str:
    way = "falls, for the policy decides for few answers" if error[-1] < error[0] else "does not fall"
    return (
        "A critic predicts the mean return of a prefix; what is left over is mostly the spread of the rewards around "
        "it, which no critic can foresee. So its loss has a floor, and that floor moves as the policy does. With a "
        f"value table in your run the squared error {way}: {error[0]:.2f} in the first step, {error[-1]:.2f} in the "
        "last. A flat critic loss is normal; one that grows for long is not. RLOO and GRPO have no critic."
    )


def _critic_chart(error: np.ndarray, palette: Palette) -> Drawing:
    return lines(palette, "PPO step", "squared error [reward units²]",
                  (np.arange(1, len(error) + 1), error, "critic", "policy", "solid"))  # fmt: skip


ANSWERS = (
    Answer(
        "negative-kl", "Why is my KL negative?", _negative, _negative_chart,
        "metrics?at=done", _sampled,
    ),
    Answer(
        "grpo-loss", "GRPO’s loss starts at 0 and then rises. Is it broken?", _grpo, _grpo_chart,
        "lab?experiment=methods", grpo_losses,
    ),
    Answer(
        "dpo-loss", "DPO starts at 0.693, and my chosen log-probability falls. Is it broken?", _dpo, _dpo_chart,
        "lab?experiment=methods", dpo,
    ),
    Answer(
        "no-spread", "All rewards of a group are equal. What now?", _groups, _groups_chart,
        "ppo?beta=0&ppo_steps=60&rollouts=8&at=done", _bold,
    ),
    Answer(
        "no-clipping", "Why is the clip fraction 0?", _clip, _clip_chart,
        "ppo?ppo_epochs=1&at=done", _epochs,
    ),
    Answer(
        "critic", "Why does the critic loss not fall?", _critic, _critic_chart,
        "ppo?advantage=gae&at=done", _critic_error,
    ),
)  # fmt: skip
