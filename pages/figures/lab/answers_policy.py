"""Answers about what the policy becomes, the reward model and the penalty."""


import numpy as np

from pages.drawing.drawing import Drawing
from pages.drawing.theme import Palette
from pages.drawing.wording import minus, moves
from pages.figures.lab.answers_training import steps_of
from pages.figures.lab.experiment import Answer, lines
from rlhf_core import PipelineRun
from rlhf_core.distributions import expectation, kl_divergence
from rlhf_core.features import FEATURE_NAMES
from rlhf_core.lab.labels import truth_accuracy
from rlhf_core.lab.stopping import fresh_accuracy

# ------------------------------------------------------------ what the policy becomes


def words_of(run: PipelineRun) -> np.ndarray:
    """Expected length of an answer in words, step by step, (T+1,)."""
    counts = run.reward.feature_values[..., FEATURE_NAMES.index("words")]
    return expectation(run.ppo.log_probs, counts).mean(axis=1)


def _longer(run: PipelineRun) -> str:
    words = words_of(run)
    weight = float(run.reward.weights[-1, FEATURE_NAMES.index("words")])
    liked = "likes" if weight > 0 else "dislikes"
    return (
        "PPO finds whatever the reward model pays for, and length often goes with what people prefer. Here the reward "
        f"model {liked} words (weight {minus(weight, '+.2f')}), and the mean answer goes from {words[0]:.1f} to "
        f"{words[-1]:.1f} words. Whether longer is better is not the reward model’s to say: compare true quality at "
        "equal length, or take length out of the features. An answer that never ends is another fault: reward its end "
        "(an EOS penalty)."
    )


def _longer_chart(run: PipelineRun, palette: Palette) -> Drawing:
    return lines(palette, "PPO step", "mean length [words]", (steps_of(run), words_of(run), "words", "policy", "solid"))


def _entropy(run: PipelineRun) -> str:
    return (
        f"Here it {moves(*run.ppo.entropy[[0, -1]])} nats. Entropy normally falls, for a policy that "
        "has learnt prefers some answers; it rises where many answers are about equally good, where the penalty pulls "
        "back from a reference that was less decided, or where steps are so large that the policy is thrown about. "
        "Rising with a rising reward is harmless; rising with a falling one means steps that are too large. TRL’s "
        "`objective/entropy` is a sum over the answer, and in most releases counts padding: see `policy/entropy_avg`."
    )


def _entropy_chart(run: PipelineRun, palette: Palette) -> Drawing:
    return lines(palette, "PPO step", "entropy [nats]", (steps_of(run), run.ppo.entropy, "entropy", "policy", "solid"))


def _per_token(run: PipelineRun) -> str:
    parts, total = run.ppo.kl_per_position[-1].mean(axis=0), float(run.ppo.kl[-1])
    listed = ", ".join(minus(float(part)) for part in parts)
    return (
        "Both are in use, and they differ by the length of an answer. Per answer the log-ratios of all tokens are "
        f"added up: {minus(total)} nats here, from three tokens with {listed}. Per token it is the mean, "
        f"{minus(total / 3)}. TRL’s `objective/kl` is per answer; GRPO’s `kl` and verl’s `actor/kl_loss` are per "
        "token. A target of 6 nats per answer of 300 tokens is 0.02 per token, so ask which one a number is before "
        "you copy it."
    )


def _per_token_chart(run: PipelineRun, palette: Palette) -> Drawing:
    each = run.ppo.kl_per_position.mean(axis=1)
    names = ("opening", "body", "closing")
    curves = [(steps_of(run), each[:, i], name, "reference", dash)
              for i, (name, dash) in enumerate(zip(names, ("dot", "dash", "dashdot"), strict=True))]  # fmt: skip
    return lines(palette, "PPO step", "KL [nats]", *curves, (steps_of(run), run.ppo.kl, "whole answer", "kl", "solid"))


def _old_kl(run: PipelineRun) -> np.ndarray:
    """KL between successive policies, (T,)."""
    return kl_divergence(run.ppo.log_probs[1:], run.ppo.log_probs[:-1]).mean(axis=1)


def _old(run: PipelineRun) -> str:
    between = _old_kl(run)
    return (
        "Three policies: π is trained, π_old drew this step’s answers and is the ratio’s denominator, π_ref is the "
        "frozen SFT policy and enters the penalty alone. So there are two KLs. To the reference it is "
        f"{minus(float(run.ppo.kl[-1]))} nats at the end (TRL: `objective/kl`); to the policy one step before, "
        f"{between[-1]:.3f} (TRL: `policy/approxkl_avg`, verl: `actor/ppo_kl`). The first should be small in all, the "
        "second in each step."
    )


def _old_chart(run: PipelineRun, palette: Palette) -> Drawing:
    return lines(palette, "PPO step", "KL [nats]", (steps_of(run), run.ppo.kl, "to the reference", "kl", "solid"),
                  (steps_of(run)[1:], _old_kl(run), "to the step before", "policy", "dash"))  # fmt: skip


# ------------------------------------------------------------ reward model and penalty


def _good_enough(run: PipelineRun) -> str:
    seen, (fresh, n) = truth_accuracy(run), fresh_accuracy(run, run.settings.ppo_steps)
    ceiling = run.reward.pairs.ceiling
    against = "The truth prefers neither answer of these pairs."
    if np.isfinite(seen):
        against = f"Against the truth it is {seen:.0%} on the same pairs."
    return (
        f"Accuracy on held-out pairs is {run.reward.heldout_accuracy[-1]:.0%} here, where a reader of the labellers’ "
        f"minds would have {ceiling:.0%}: labels are noisy, so 100 % is not to be had. {against} "
        f"What matters is where the policy goes: on {n} fresh pairs by the final policy "
        f"it agrees with the labellers in {fresh:.0%}. So: compare with the ceiling, count the pairs, and measure "
        "again on the policy’s own answers."
    )


def _good_enough_chart(run: PipelineRun, palette: Palette) -> Drawing:
    last = run.settings.ppo_steps
    marks = sorted({*range(0, last, max(last // 6, 1)), last})
    fresh = np.array([fresh_accuracy(run, step)[0] for step in marks])
    return lines(palette, "PPO step", "agreement with fresh labels [share]",
                  (np.array(marks), fresh, "fresh pairs", "reward", "solid"), yaxis={"range": [0, 1]})  # fmt: skip


def _bolder(run: PipelineRun) -> str:
    edge = run.frontier
    low, high = (int(np.abs(edge.betas - beta).argmin()) for beta in (0.05, 1.0))
    return (
        f"Tamer. β is the price of a nat, so a larger β buys less distance: the optimum for β = {edge.betas[low]:.2g} "
        f"is {minus(float(edge.kl[low]))} nats from the reference here, that for β = {edge.betas[high]:.2g} only "
        f"{minus(float(edge.kl[high]))}. β = 0 is no leash at all. DPO’s β points the same way, and an α of 1/β "
        "elsewhere the other: check the formula, not the letter."
    )


def _bolder_chart(run: PipelineRun, palette: Palette) -> Drawing:
    edge = run.frontier
    shown = edge.betas > 0
    return lines(palette, "β [reward units per nat]", "KL of the optimum [nats]",
                  (edge.betas[shown], edge.kl[shown], "optimum", "optimum", "solid"),
                  xaxis={"type": "log", "tickvals": [0.01, 0.1, 1, 10]})  # fmt: skip


ANSWERS = (
    Answer(
        "longer", "Why do answers grow longer?", _longer, _longer_chart,
        "reward_model?at=rm-60",
    ),
    Answer(
        "entropy", "Entropy rises. Should I worry?", _entropy, _entropy_chart,
        "metrics?at=done",
    ),
    Answer(
        "per-token", "Is the KL per token or per answer?", _per_token, _per_token_chart,
        "ppo?at=done",
    ),
    Answer(
        "old-policy", "Reference policy or old policy?", _old, _old_chart,
        "ppo?at=done",
    ),
    Answer(
        "good-enough", "Is my reward model good enough?", _good_enough, _good_enough_chart,
        "reward_model?at=rm-60",
    ),
    Answer(
        "larger-beta", "Does a larger β make it bolder or tamer?", _bolder, _bolder_chart,
        "ppo?optimum=true&at=done",
    ),
)  # fmt: skip
