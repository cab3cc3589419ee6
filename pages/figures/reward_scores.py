"""Reward against true reward: for the chosen prompt, and for the policy's own answers while PPO moves it."""

import numpy as np

from pages.figures import theme
from pages.figures.chart import Array, Chart
from pages.figures.marks import minus, padded
from pages.figures.view import View, wrap
from rlhf_core.calibration import correlation

LARGEST_DOT, SMALLEST_DOT = 60, 5
"""Pixels across for a response of probability 1, and at least."""
HEIGHT = 420
CLOSE, LOOSE = 0.5, 0.3
"""Correlations above which the words say that reward follows true reward, and below which that it hardly does."""


def reward_against_truth(view: View) -> Chart:
    """Reward against true reward of the chosen prompt's responses; size is the policy's probability."""
    run, palette, prompt = view.run, view.palette, view.prompt truth, scores = run.scenario.true_reward[prompt],
run.reward.scores[prompt] epochs, at_epoch = np.unique(view.timeline.rm_epochs, return_inverse=True) learned =
run.reward.log_odds(prompt, epochs) / run.reward.scale sizes = np.round(np.maximum(LARGEST_DOT *
np.exp(view.policy_log_probs / 2), SMALLEST_DOT), 1) hover = [f"{wrap(text)}<br>reward %{{y:.2f}}, true reward
%{{x:.2f}}<extra></extra>" for text in view.responses] dots = {"type": "scatter", "x": truth, "mode": "markers"} best =
( ("highest reward", int(np.argmax(scores)), "triangle-up-open", palette.reward), ("truly best", int(np.argmax(truth)),
"star-open", palette.true_reward), ) fig = theme.figure( palette, x="true reward", y="reward [reward units]",
height=HEIGHT, data=[
{**dots, "y": scores, "hoverinfo": "skip", "showlegend": False, "marker": {"size": 6, "color": palette.ghost}},
{**dots, "y": learned[0], "name": "answer", "hovertemplate": hover, "marker": {"size": sizes[0], "color": palette.policy.mark, "opacity": 0.6}},
*({**dots, "x": truth[[i]], "y": scores[[i]], "name": name, "cliponaxis": False, "marker": {"symbol": symbol, "size": 15, "color": hue.mark, "line": {"width": 2}}, "hovertemplate": f"{name}<br>{wrap(view.responses[i])}<extra></extra>"}
for name, i, symbol, hue in best), ], legend={"itemsizing": "constant"},
xaxis={"range": padded(truth, 0.08), "title": {"text": "true reward", "font": {"color": palette.true_reward.text}}},
yaxis={"range": padded(np.append(learned, scores), 0.08), "title": {"text": "reward [reward units]", "font": {"color": palette.reward.text}}},
)  # fmt: skip alike, weighted = correlations(view) return Chart( fig, "Reward against true reward of every response to
the chosen prompt.", np.arange(len(view.timeline.frames)),
moves={1: {"y": learned[at_epoch], "marker.size": sizes[view.progress]}}, title=_following(weighted, alike), reading=(
f"Size: probability under the policy. Correlation over all {len(truth)} answers to this prompt, each counted " f"once:
{_written(alike)}; counted as often as the SFT policy gives them: {_written(weighted)}. {_top(view)}" ), )


def correlations(view: View) -> tuple[float, float]:"""Correlation of reward and true reward for the chosen prompt: each response counted once, and as SFT answers."""
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
    top, truth = int(np.argmax(view.run.reward.scores[view.prompt])), view.run.scenario.true_reward[view.prompt] return
top, int((truth > truth[top]).sum()) + 1


def _top(view: View) -> str: top, rank = rank_of_top(view) return ( f"The answer with the highest reward,
{minus(view.run.reward.scores[view.prompt, top], '+.2f')}, is number {rank} of " f"{len(view.responses)} by true
reward; the SFT policy gives it in " f"{np.exp(view.run.sft.log_probs[-1, view.prompt, top]):.1%} of cases." )


def trust(view: View) -> Chart:"""Correlation of reward and true reward under the policy, over PPO steps."""
    palette, steps = view.palette, np.arange(len(view.run.ppo.reward)) per_prompt, alike = _per_prompt(view) mean =
_mean(per_prompt) line = {"type": "scatter", "x": steps} curves = (("mean over prompts", mean, "solid", "circle"),
("this prompt", per_prompt[:, view.prompt], "dot", "diamond")) every = np.concatenate([per_prompt, np.full((1,
per_prompt.shape[1]), np.nan)]).T.ravel() known = per_prompt[np.isfinite(per_prompt)] fig = theme.figure( palette,
x="PPO step", y="correlation of reward and true reward", height=HEIGHT, data=[
{"type": "scatter", "x": np.tile(np.append(steps, np.nan), per_prompt.shape[1]), "y": every, "mode": "lines", "line": {"color": palette.grid, "width": 1.4}, "name": "each prompt", "hoverinfo": "skip"},
*({**line, "y": values, "mode": "lines", "line": theme.ghost(palette, dash), "hoverinfo": "skip", "showlegend": False}
for _, values, dash, _ in curves),
*({**line, "y": values, "mode": "lines+markers", "name": name, "line": theme.line(palette.policy, dash), "marker": {"size": 6, "symbol": symbol}, "hovertemplate": f"after step %{{x}}<br>{name}: %{{y:.2f}}<extra></extra>"}
for name, values, dash, symbol in curves), ], xaxis={"range": padded(steps, 0.03), "tickformat": "d"},
yaxis={"range": [float(known.min(initial=-0.1)) - 0.08, 1.05]}, )  # fmt: skip return Chart( fig, "Correlation of
reward and true reward among the policy's own answers, over PPO steps.", view.timeline.ppo_steps,
grows={3: steps + 1, 4: steps + 1}, title="PPO leaves the answers that the reward model knows" if mean[-1] < mean[0]
else "Does the reward stay true while PPO moves the policy?", reading=( f"Correlation among the answers that the policy
gives, mean over all prompts: {_written(mean[0])} for the SFT " f"policy, {_written(mean[-1])} after {steps[-1]} PPO
step{'s' if steps[-1] > 1 else ''}. Over all answers, each counted " f"once: {_written(alike)}." ), )


def _per_prompt(view: View) -> tuple[Array, float]:"""Correlation under the policy per step and prompt (T+1, P), and the mean over prompts with each counted once."""
    scores, truth = view.run.reward.scores, view.run.scenario.true_reward
    alike = correlation(scores, truth, np.full(scores.shape, -np.log(scores.shape[1])))
    return correlation(scores, truth, view.run.ppo.log_probs), float(_mean(alike[None])[0])


def _mean(values: Array) -> Array:
    """Mean along the last axis over what is defined; nan where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)
