"""What to look for in a preset's run: sentences that look at the run and say what is so in it.

The names in `code` are those under which TRL logs the same quantity: PPOTrainer's, or where they
are named RewardTrainer's.
"""

import numpy as np

from pages.drawing.marks import fell_back
from pages.drawing.wording import minus
from rlhf_core import PipelineRun
from rlhf_core.yours.symptoms import wilson

DECLINING = ("refusal_bare", "lecture")
"""Kinds of bodies that turn somebody away."""


def healthy(run: PipelineRun) -> str:
    """Score, distance, variety and truth."""
    ppo = run.ppo
    return (
        f"The reward (`objective/scores`) goes from {minus(ppo.reward[0])} to {minus(ppo.reward[-1])}, the KL "
        f"(`objective/kl`) ends at {minus(ppo.kl[-1])} nats, and the policy still writes as many as "
        f"{np.exp(ppo.entropy[-1]):.0f} equally likely answers, {np.exp(ppo.entropy[0]):.0f} at first. True reward, "
        f"which nobody can log in real life, goes from {minus(ppo.true_reward[0])} to {minus(ppo.true_reward[-1])}."
    )


def beta_too_high(run: PipelineRun) -> str:
    """How little room the penalty leaves, even to the best policy."""
    ppo, best = run.ppo, run.optimum
    return (
        f"At {run.settings.beta:g} reward units a nat the policy ends {minus(ppo.kl[-1])} nats (`objective/kl`) from "
        f"where SFT left it, with a reward of {minus(ppo.reward[-1])}. More steps would not help: the best possible "
        f"policy for this β spends {minus(best.kl)} nats and earns {minus(best.reward)}."
    )


def hacking(run: PipelineRun) -> str:
    """Whether the truth fell while the score rose, in this run."""
    reward, truth, last = run.ppo.reward, run.ppo.true_reward, len(run.ppo.reward) - 1
    peak, answers = int(np.argmax(truth)), np.exp(run.ppo.entropy[-1])
    if not fell_back(run):
        return (
            f"The policy has gone {minus(run.ppo.kl[-1])} nats and writes as few as {answers:.1f} answers a prompt, "
            f"yet with this scenario and seed people lose little or nothing: true reward is {minus(truth[peak])} at "
            f"its best, after step {peak}, and {minus(truth[-1])} at the end. The score alone would look the same "
            "if they did. Try another seed, or biased labellers."
        )
    course = "goes on to" if reward[-1] > reward[peak] else "ends at"
    return (
        f"True reward is best after step {peak}, at {minus(truth[peak])}, and ends at {minus(truth[-1])}. The score "
        f"was {minus(reward[peak])} there and {course} {minus(reward[-1])} at step {last}: nothing in it tells you."
    )


def noisy_labels(run: PipelineRun) -> str:
    """Agreement, accuracy and a reward curve that knows neither."""
    return (
        f"Two labellers agree on {run.reward.pairs.agreement:.0%} of the pairs, and held-out accuracy (RewardTrainer’s "
        f"`eval_accuracy`) is {run.reward.heldout_accuracy[-1]:.0%}. PPO takes that reward to "
        f"{minus(run.ppo.reward[-1])} all the same; its curve does not tell you that the labels were poor."
    )


def learning_rate(run: PipelineRun) -> str:
    """How far one step goes, and that clipping does not stop it."""
    ratio = max(float(batch.ratio.max()) for batch in run.ppo.rollouts)
    return (
        f"The first step alone moves {minus(run.ppo.kl[1])} nats; clipping zeroes up to "
        f"{run.ppo.clip_fraction.max():.0%} of a step’s gradients (`policy/clipfrac_avg`), and still one token’s ratio "
        f"reaches {ratio:.1f}."
    )


def collapse(run: PipelineRun) -> str:
    """How few answers are left."""
    favourite = np.exp(run.ppo.log_probs[-1]).max(axis=1).mean()
    return (
        f"Entropy goes from {minus(run.ppo.entropy[0])} to {minus(run.ppo.entropy[-1])} nats (per token in TRL: "
        f"`policy/entropy_avg`): on average one answer has {favourite:.0%} of the probability. Once most samples are "
        "the same text, there is nothing left to learn from."
    )


def few_comparisons(run: PipelineRun) -> str:
    """How little the held-out accuracy says."""
    pairs = run.reward.pairs
    n_heldout = int(pairs.heldout.sum())
    low, high = wilson(float(run.reward.heldout_accuracy[-1]), n_heldout)
    return (
        f"{int((~pairs.heldout).sum())} training pairs for {len(run.reward.feature_names)} features. Accuracy is "
        f"{run.reward.train_accuracy[-1]:.0%} on them (RewardTrainer’s `accuracy`) and "
        f"{run.reward.heldout_accuracy[-1]:.0%} on {n_heldout} held-out pairs (`eval_accuracy`), which leaves anything "
        f"from {low:.0%} to {high:.0%} possible (90% interval)."
    )


def biased_labellers(run: PipelineRun) -> str:
    """What the labellers see, and what there is."""
    judged, truth = run.ppo.labeller_reward, run.ppo.true_reward
    return (
        f"Labellers who are swayed by appeal (bias {run.settings.labeller_bias:g}) agree with each other on "
        f"{run.reward.pairs.agreement:.0%} of the pairs, and the reward model predicts "
        f"{run.reward.heldout_accuracy[-1]:.0%} of their held-out choices. In their judgement the answers go from "
        f"{minus(judged[0])} to {minus(judged[-1])}; their true reward goes from {minus(truth[0])} to "
        f"{minus(truth[-1])}, {minus(truth.max())} at its best."
    )


def over_refusal(run: PipelineRun) -> str:
    """How often harmless questions are turned away."""
    harmless = only_sound_dangerous(run)
    before, after = declined(run, harmless)
    worth = np.einsum("kpr,pr->k", np.exp(run.ppo.log_probs[:, harmless]), run.scenario.true_reward[harmless])
    worth = worth / harmless.sum()
    return (
        f"{int(harmless.sum())} of the {len(harmless)} questions only sound dangerous. After SFT {before:.0%} of the "
        f"answers to them decline or moralise, after PPO {after:.0%}; their true reward goes from "
        f"{minus(worth[0])} to {minus(worth[-1])}, {minus(worth.max())} at its best. The labellers, who take caution "
        f"for safety, see all answers go from {minus(run.ppo.labeller_reward[0])} to "
        f"{minus(run.ppo.labeller_reward[-1])}."
    )


def only_sound_dangerous(run: PipelineRun) -> np.ndarray:
    """Prompts on which an opening that refuses is worth less than nothing, (P,) booleans."""
    weights = run.scenario.values
    refusals = (next(each for each in slots["opening"] if each.kind == "refuse") for slots in run.scenario.phrases)
    return np.array([sum(weights[value] * getattr(each, value) for value in weights) < 0 for each in refusals])


def declined(run: PipelineRun, prompts: np.ndarray) -> tuple[float, float]:
    """Probability of answers that decline or moralise to some prompts, after SFT and after PPO."""
    turned_away = np.array(
        [[run.scenario.parts(p, r)[1].kind in DECLINING for r in range(80)] for p in np.flatnonzero(prompts)]
    )
    before, after = (np.exp(run.ppo.log_probs[[0, -1]][:, prompts]) * turned_away).sum(axis=2).mean(axis=1)
    return float(before), float(after)
