"""Reward against true reward: for the chosen prompt, and what PPO gains of either."""

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.drawing import Drawing
from pages.drawing.labels import beside, end_names
from pages.drawing.marks import Curve, padded
from pages.drawing.view import View
from pages.drawing.wording import minus, plural, wrap
from rlhf_core.calibration import correlation
from rlhf_core.yours.record import spread

FOLLOWS, KEEPS_UP = "Does reward follow true reward?", "Does the true reward keep up with the reward?"
LARGEST_DOT, SMALLEST_DOT = 60, 5
"""Pixels across for a response of probability 1, and at least."""
HEIGHT = 420
VISIBLE = 0.05
"""Spreads by which reward must have risen more than true reward for the words to say so."""
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
        question=FOLLOWS,
        told_at="rm",
        title=_following(weighted, alike),
        guide="Size: probability under the policy.",
        reading=(
            f"Correlation over all {len(view.responses)} answers to this prompt, "
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
    return FOLLOWS


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


def overrating(view: View) -> Chart:
    """Reward, labellers' judgement and true reward over PPO steps, each in spreads of the SFT policy's answers."""
    palette, x = view.palette, np.arange(view.timeline.n_steps + 1)
    rises = _rises(view)
    curves = (
        Curve(x, rises[0], palette.reward, "dash", "reward"),
        Curve(x, rises[1], palette.labellers, "dot", "labellers’ judgement"),
        Curve(x, rises[2], palette.true_reward, "solid", "true reward"),
    )
    span = padded(np.concatenate(rises))
    fig = theme.figure(
        palette, x="PPO step", y="gained since SFT [spreads of its answers]", height=HEIGHT, showlegend=False,
        data=[*(curve.ghost(palette) for curve in curves), *(curve.played("step %{x}: ") for curve in curves)],
        annotations=end_names(curves, span, HEIGHT - 70), margin=beside(curves),
        xaxis={"range": padded(x, 0.03)}, yaxis={"range": span},
    )  # fmt: skip
    excess = float(rises[0, -1] - rises[2, -1])
    return Chart(
        fig,
        "Gains in reward, labellers' judgement and true reward over PPO steps, in spreads of the SFT policy's answers.",
        view.timeline.ppo_steps,
        grows=dict.fromkeys((3, 4, 5), x + 1),
        question=KEEPS_UP,
        title="PPO finds the answers that the reward model overrates" if excess > VISIBLE else KEEPS_UP,
        guide="All three start at 0, the SFT policy, and are measured in the spread of its answers.",
        reading=(
            f"After {plural(view.timeline.n_steps, 'PPO step')} the reward is {minus(rises[0, -1], '+.2f')}, what "
            f"labellers think {minus(rises[1, -1], '+.2f')}, the true reward {minus(rises[2, -1], '+.2f')}."
        ),
    )


def _rises(view: View) -> Array:
    """Gains in reward, labellers' judgement and true reward, in spreads under the SFT policy, (3, T+1)."""
    run, ref = view.run, view.run.ppo.log_probs[0]
    gains = (
        (run.ppo.reward, run.reward.scores),
        (run.ppo.labeller_reward, run.labeller_reward),
        (run.ppo.true_reward, run.scenario.true_reward),
    )
    return np.stack([(curve - curve[0]) / (spread(ref, of) or 1.0) for curve, of in gains])
