"""Reward against true reward: for the chosen prompt, and for the policy's own answers while PPO moves it."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.curves import learning_curves
from pages.drawing.drawing import Drawing
from pages.drawing.marks import padded
from pages.drawing.view import View
from pages.drawing.wording import minus, wrap
from rlhf_core.calibration import correlation

LARGEST_DOT, SMALLEST_DOT = 60, 5
"""Pixels across for a response of probability 1, and at least."""
HEIGHT = 420
FALL = 0.02
"""By how much the correlation must have fallen for the words to say so."""
CLOSE, LOOSE = 0.5, 0.3
"""Correlations above which the words say that reward follows true reward, and below which that it hardly does."""


def reward_against_truth(view: View) -> Chart:
    """Reward against true reward of the chosen prompt's responses; size is the policy's probability."""
    epochs, at_epoch = np.unique(view.timeline.rm_epochs, return_inverse=True)
    learned = view.run.reward.log_odds(view.prompt, epochs) / view.run.reward.scale
    sizes = np.round(np.maximum(LARGEST_DOT * np.exp(view.policy_log_probs / 2), SMALLEST_DOT), 1)
    alike, weighted = correlations(view)
    return Chart(
        _scatter(view, learned, sizes[0]),
        "Reward against true reward of every response to the chosen prompt.",
        np.arange(len(view.timeline.frames)),
        moves={1: {"y": learned[at_epoch], "marker.size": sizes[view.progress]}},
        title=_following(weighted, alike),
        reading=(
            f"Size: probability under the policy. Correlation over all {len(view.responses)} answers to this prompt, "
            f"each counted once: {_written(alike)}; counted as often as the SFT policy gives them: "
            f"{_written(weighted)}. {_top(view)}"
        ),
    )


def _scatter(view: View, learned: Array, sizes: Array) -> Drawing:
    palette, truth = view.palette, view.run.scenario.true_reward[view.prompt]
    scores, names = view.run.reward.scores[view.prompt], ("true reward", "reward [reward units]")
    hover = [f"{wrap(text)}<br>reward %{{y:.2f}}, true reward %{{x:.2f}}<extra></extra>" for text in view.responses]
    dots = {"type": "scatter", "x": truth, "mode": "markers"}
    marker = {"size": sizes, "color": palette.policy.mark, "opacity": 0.6}
    best = (
        ("highest reward", int(np.argmax(scores)), "triangle-up-open", palette.reward),
        ("truly best", int(np.argmax(truth)), "star-open", palette.true_reward),
    )
    return theme.figure(
        palette, x=names[0], y=names[1], height=HEIGHT, legend={"itemsizing": "constant"},
        data=[
            {**dots, "y": scores, "hoverinfo": "skip", "showlegend": False,
             "marker": {"size": 6, "color": palette.ghost}},
            {**dots, "y": learned[0], "name": "answer", "hovertemplate": hover, "marker": marker},
            *({**dots, "x": truth[[i]], "y": scores[[i]], "name": name, "cliponaxis": False,
               "marker": {"symbol": symbol, "size": 15, "color": hue.mark, "line": {"width": 2}},
               "hovertemplate": f"{name}<br>{wrap(view.responses[i])}<extra></extra>"}
              for name, i, symbol, hue in best),
        ],
        xaxis={"range": padded(truth, 0.08), "title": {"text": names[0], "font": {"color": palette.true_reward.text}}},
        yaxis={"range": padded(np.append(learned, scores), 0.08),
               "title": {"text": names[1], "font": {"color": palette.reward.text}}},
    )  # fmt: skip


def correlations(view: View) -> tuple[float, float]:
    """Correlation of reward and true reward for the chosen prompt: each response counted once, and as SFT answers."""
    scores, truth = view.run.reward.scores[view.prompt], view.run.scenario.true_reward[view.prompt]
    alike = correlation(scores, truth, np.full(len(scores), -np.log(len(scores))))
    return float(alike), float(correlation(scores, truth, view.run.sft.log_probs[-1, view.prompt]))


def _following(weighted: float, alike: float) -> str:
    if weighted > CLOSE and alike < LOOSE:
        return "Reward follows true reward where it was trained, and hardly elsewhere"
    if weighted > CLOSE:
        return "Reward follows true reward, with exceptions"
    return "Does reward follow true reward?"


def _written(value: float) -> str:
    return minus(value) if np.isfinite(value) else "\N{EN DASH}"


def rank_of_top(view: View) -> tuple[int, int]:
    """The chosen prompt's highest-scored response, and its rank by true reward, 1 for the best."""
    top, truth = int(np.argmax(view.run.reward.scores[view.prompt])), view.run.scenario.true_reward[view.prompt]
    return top, int((truth > truth[top]).sum()) + 1


def _top(view: View) -> str:
    top, rank = rank_of_top(view)
    score = minus(view.run.reward.scores[view.prompt, top], "+.2f")
    probability = np.exp(view.run.sft.log_probs[-1, view.prompt, top])
    often = f"{probability:.1%}" if probability >= 0.001 else "fewer than 0.1%"
    return (
        f"The answer with the highest reward, {score}, is number {rank} of {len(view.responses)} by true reward; the "
        f"SFT policy gives it in {often} of cases."
    )


def trust(view: View) -> Chart:
    """Correlation of reward and true reward under the policy, over PPO steps."""
    palette, scores, truth = view.palette, view.run.reward.scores, view.run.scenario.true_reward
    alike = _mean(correlation(scores, truth, np.full(scores.shape, -np.log(scores.shape[1])))[None])[0]
    per_prompt = correlation(scores, truth, view.run.ppo.log_probs)
    mean, n_steps = _mean(per_prompt), len(per_prompt) - 1
    known = per_prompt[np.isfinite(per_prompt)]
    drawn = learning_curves(
        palette, {"mean over prompts": mean, "this prompt": per_prompt[:, view.prompt]}, palette.policy,
        x="PPO step", y="correlation of reward and true reward", each="after step %{x}", height=HEIGHT,
        behind=[_every(view, per_prompt)], yaxis={"range": [float(known.min(initial=-0.1)) - 0.08, 1.05]},
    )  # fmt: skip
    return Chart(
        drawn.drawing,
        "Correlation of reward and true reward among the policy's own answers, over PPO steps.",
        view.timeline.ppo_steps,
        moves=drawn.moves,
        grows=drawn.grows,
        title="PPO leaves the answers that the reward model knows"
        if mean[-1] < mean[0] - FALL
        else "Does the reward stay true while PPO moves the policy?",
        reading=(
            f"Correlation among the answers that the policy gives, mean over all prompts: {_written(mean[0])} for the "
            f"SFT policy, {_written(mean[-1])} after {n_steps} PPO step{'s' if n_steps > 1 else ''}. Over all "
            f"{scores.shape[1]} answers, each counted once: {_written(alike)}."
        ),
    )


def _every(view: View, per_prompt: Array) -> dict[str, Any]:
    """One faint line per prompt, with a gap between two."""
    gap = np.full((1, per_prompt.shape[1]), np.nan)
    return {
        "type": "scatter", "x": np.tile(np.append(np.arange(len(per_prompt)), np.nan), per_prompt.shape[1]),
        "y": np.concatenate([per_prompt, gap]).T.ravel(), "mode": "lines", "name": "each prompt",
        "line": {"color": view.palette.grid, "width": 1.4}, "hoverinfo": "skip",
    }  # fmt: skip


def _mean(values: Array) -> Array:
    """Mean along the last axis over what is defined; nan where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)
