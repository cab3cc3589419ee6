"""Is the policy getting better? The score beside the truth, and the loss beside the reward."""

from dataclasses import replace
from urllib.parse import urlencode

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.guess import Answer, Guess, bounds, points
from pages.drawing.labels import beside, end_names
from pages.drawing.marks import Curve, fell_back, padded
from pages.drawing.view import View
from pages.drawing.wording import minus

QUESTION, HEIGHT = "PPO climbs the reward. Does the true reward follow?", 340
PANELS = {"yaxis": [0.56, 1.0], "yaxis2": [0.0, 0.42]}
WHICH = "The loss of each step, and the reward: which of them shows progress?"


NO_PROGRESS_BAR = r"""
In supervised learning the data stay and the loss falls. In PPO **every step brings its own data**: new answers, new
advantages. At the first gradient step of a batch the ratio ρ is 1, so the loss is minus the mean advantage, summed over
an answer's tokens, and that says nothing about how good the answers are. What the epochs then take off shows how much
there was to gain on *this* batch, and towards the end of training there is less of it. Watch the reward, the KL and the
entropy instead.

$$
\small L = -\mathbb{E}\,\sum_t \min\!\big(\rho_t A_t,\; \mathrm{clip}(\rho_t, 1\pm\epsilon)\,A_t\big)
$$
"""


def score_and_truth(view: View) -> Chart:
    """Reward and labellers' judgement beside true reward, step by step."""
    return _beside(view, np.arange(view.run.settings.ppo_steps + 1), title="PPO step", at="step %{x}")


def score_and_truth_by_kl(view: View) -> Chart:
    """The same against the root of the KL divergence."""
    distance = np.sqrt(view.run.ppo.kl.clip(0))
    return _beside(view, distance, title="√KL from the SFT policy [√nats]", at="√KL %{x:.2f}")


def _beside(view: View, x: np.ndarray, *, title: str, at: str) -> Chart:
    palette, truth, score = view.palette, view.run.ppo.true_reward, view.run.ppo.reward
    judged, swayed = view.run.ppo.labeller_reward, view.run.settings.labeller_bias > 0
    peak, counts = int(truth.argmax()), np.arange(1, len(x) + 1)
    curves = (
        Curve(x, truth, palette.true_reward, "solid", "true reward"),
        Curve(x, score, palette.reward, "dash", "reward"),
        *([Curve(x, judged, palette.labellers, "dot", "labellers’ judgement")] if swayed else ()),
    )
    span = padded(np.concatenate([curve.y for curve in curves]))
    star = {
        "type": "scatter", "x": x[[peak]], "y": truth[[peak]], "mode": "markers",
        "marker": {"symbol": "star", "size": 14, "color": palette.true_reward.mark},
        "hovertemplate": f"highest true reward: %{{y:.2f}} after step {peak}<extra></extra>",
    }  # fmt: skip
    fig = theme.figure(
        palette,
        x=title,
        y="reward [own units]",
        data=[*(curve.ghost(palette) for curve in curves), *(curve.played(f"{at}<br>") for curve in curves), star],
        annotations=end_names(curves, span, HEIGHT - 70),
        margin=beside(curves),
        xaxis={"range": padded(x, 0.03), "zeroline": False, **whole_steps(view, title)},
        yaxis={"range": span},
        height=HEIGHT,
        showlegend=False,
    )
    return Chart(
        fig,
        f"Lines over {title}: {', '.join(curve.name for curve in curves)}.",
        view.timeline.ppo_steps,
        grows=dict.fromkeys(range(len(curves), 2 * len(curves)), counts)
        | {2 * len(curves): (counts == len(x)).astype(int)},  # the star is known once the run has ended
        title=over_optimisation_title(view),
        question=QUESTION,
        reading=over_optimisation(view),
    )


def score_and_truth_guess(view: View) -> Chart:
    """True reward alone, before the run is played, for the reader to draw what they expect; no result is in it."""
    palette, x = view.palette, np.arange(view.run.settings.ppo_steps + 1)
    curve = Curve(x, view.run.ppo.true_reward, palette.true_reward, "solid", "true reward")
    in_ppo = np.array([frame.phase in ("ppo", "done") for frame in view.timeline.frames])
    fig = theme.figure(
        palette, x="PPO step", y="true reward", data=[curve.played("step %{x}<br>")], height=HEIGHT, showlegend=False,
        xaxis={"range": padded(x, 0.03), "zeroline": False, **whole_steps(view, "PPO step")},
        yaxis={"range": padded(np.array(bounds(view.run)), 0.06)},
    )  # fmt: skip
    return Chart(
        fig,
        "True reward over PPO steps, as far as it has been played, and your guess.",
        np.where(in_ppo, view.timeline.ppo_steps + 1, 0),
        grows={0: np.arange(len(x) + 1)},
        title=QUESTION,
        question=QUESTION,
        guide="The axis spans what answers to these prompts are worth, from poor ones to the best.",
        guess=_guess(view),
    )


def score_and_truth_guessed(view: View) -> Chart:
    """Reward beside true reward, with what the reader had drawn."""
    truth = view.run.ppo.true_reward
    moments = ["the end of SFT", *(f"PPO step {step}" for step in range(1, len(truth)))]
    answer = Answer(np.arange(len(truth)), truth, moments)
    return replace(score_and_truth(view), guess=replace(_guess(view), answer=answer))


def _guess(view: View) -> Guess:
    settings, (low, high) = view.run.settings, bounds(view.run)
    steps = [0, *points(settings.ppo_steps)]
    moments = ["the end of SFT", *(f"PPO step {step}" for step in steps[1:])]
    middle = (low + high) / 2
    return Guess("metrics", urlencode(settings.to_query()), steps, range(len(steps)), moments, 0, middle, (low, high))


def whole_steps(view: View, title: str) -> dict[str, int]:
    """Ticks at whole steps only, where a short run would get them in between."""
    return {"dtick": 1} if title == "PPO step" and view.run.settings.ppo_steps <= 10 else {}


def over_optimisation_title(view: View) -> str:
    """Whether this run goes past the peak of its true reward."""
    truth, score = view.run.ppo.true_reward, view.run.ppo.reward
    peak = int(truth.argmax())
    if not fell_back(view.run):
        return "Score and true reward: does the second follow the first?"
    if score[-1] > score[peak]:
        return f"Over-optimised: after step {peak} the score rises and the true reward falls"
    return f"After step {peak} the true reward falls, and the score does not rise"


def over_optimisation(view: View) -> str:
    """Where the true reward peaks, at what distance, and what is lost after it."""
    truth, score, kl = view.run.ppo.true_reward, view.run.ppo.reward, view.run.ppo.kl.clip(0)
    peak = int(truth.argmax())
    where = f"The star marks the highest true reward, {minus(truth[peak])} after step {peak} at {kl[peak]:.2f} nats"
    if not fell_back(view.run):
        return f"{where}; the run ends at {minus(truth[-1])}, with a score of {minus(score[-1])}."
    gained, lost = truth[peak] - truth[0], truth[peak] - truth[-1]
    sum_up = f"{lost / gained:.0%} of what PPO had gained is lost again" if peak else "PPO has gained nothing"
    return (
        f"{where}. From there to the end the score goes from {minus(score[peak])} to {minus(score[-1])} and the true "
        f"reward to {minus(truth[-1])}: {sum_up}."
    )


def loss_and_reward(view: View) -> Chart:
    """The PPO loss of every step, above the reward that the policy reaches."""
    palette, loss, reward = view.palette, view.run.ppo.loss, view.run.ppo.reward
    done, gap = np.arange(len(reward)), np.full((len(loss), 1), np.nan)
    saw_x = np.concatenate([done[:-1, None], done[1:, None], gap], axis=1).ravel()
    saw_y = np.concatenate([loss, gap], axis=1).ravel()
    curves = (
        Curve(saw_x, saw_y, theme.Hue(palette.ink, palette.ink), "solid", "loss"),
        Curve(done, reward, palette.reward, "solid", "reward"),
    )
    data = [*(curve.ghost(palette) for curve in curves), *(curve.played("step %{x}: ") for curve in curves)]
    for trace in data[1::2]:
        trace["yaxis"] = "y2"
    steps = {"range": [-0.02 * len(loss), 1.02 * len(loss)], **whole_steps(view, "PPO step")}
    shared = {"zeroline": True, "fixedrange": True, "nticks": 5}
    fig = theme.figure(
        palette,
        x="PPO step",
        y="PPO loss",
        data=data,
        xaxis={**steps, "anchor": "y2", "zeroline": False},
        yaxis={**shared, "domain": PANELS["yaxis"], "range": padded(np.append(loss.ravel(), 0))},
        yaxis2={**shared, "domain": PANELS["yaxis2"], "title": {"text": "reward"}, "range": padded(reward)},
        height=310,
        showlegend=False,
    )
    return Chart(
        fig,
        "Two panels over PPO steps: the loss of each step, and the mean reward.",
        view.timeline.ppo_steps,
        grows={2: 3 * done, 3: done + 1},
        title=loss_title(view),
        question=WHICH,
        reading=loss_reading(view),
    )


def loss_title(view: View) -> str:
    """The chart's finding, where the run shows it."""
    loss, reward = view.run.ppo.loss, view.run.ppo.reward
    if loss[-1, 1] > loss[0, 1] and reward[-1] > reward[0]:
        return "The loss ends higher than it began, and so does the reward"
    return WHICH


def loss_reading(view: View) -> str:
    """Where each step's loss begins and ends, and what the reward did meanwhile."""
    loss, reward = view.run.ppo.loss, view.run.ppo.reward
    begins = (
        f"Each step's loss begins where that batch's advantages put it ({minus(loss[0, 0])} in step 1, "
        f"{minus(loss[-1, 0])} in the last)"
        if view.run.settings.advantage == "gae"
        else "Each step's loss begins at 0, since advantages are measured against the batch's own mean"
    )
    later = f" and at {minus(loss[-1, 1])} in step {len(loss)}" if len(loss) > 1 else ""
    return (
        f"{begins}. After its epochs it stands at {minus(loss[0, 1])} in step 1{later}, while the reward goes from "
        f"{minus(reward[0])} to {minus(reward[-1])}."
    )
