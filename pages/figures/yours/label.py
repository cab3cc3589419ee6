"""What a reader's own labels teach a reward model, and what PPO makes of it: sentences and charts."""

import numpy as np

from pages.drawing import theme
from pages.drawing.panel import Panel
from pages.drawing.theme import Palette
from pages.drawing.wording import minus, number, plain, plural
from rlhf_core import PipelineRun
from rlhf_core.features import FEATURES
from rlhf_core.yours.labelling import Labelled

SURE = 0.2
"""Width of an interval from which on an accuracy is said to be hardly known."""


def heard(found: Labelled) -> str:
    """How well the fit foretells the reader's choices, and whose choices they are like."""
    if found.n_decided < 2:
        return "One clear choice is not enough to say whether a fit to the others would have made it."
    low, high = found.left_out_interval
    known = "hardly known yet" if high - low > SURE else "known to about a tenth"
    like = [f"{count} of them as {who}" for count, who in (
        (found.same_as_labellers, "the simulated labellers’ judgement would"),
        (found.same_as_truth, "a careful reader would"),
    )]  # fmt: skip
    return (
        f"A fit to all your other labels foretells **{found.left_out_accuracy:.0%}** of your {found.n_decided} clear "
        f"choices (90% interval {low:.0%} to {high:.0%}: {known}). These pairs were picked to be hard to foretell, so "
        f"on ordinary ones it would do better. You made {like[0]}, and {like[1]}."
    )


def reached(found: Labelled, run: PipelineRun) -> str:
    """What PPO reaches on the reader's reward, beside what it reaches on the simulated labellers'."""
    mine, theirs = found.ppo, run.ppo
    return (
        f"Your reward ranks {found.agrees_with_truth:.0%} of the pairs that the SFT policy writes as true reward does, "
        f"and {found.agrees_with_labellers:.0%} as the simulated labellers’ judgement. **PPO on your reward** takes "
        f"true reward from {number(mine.true_reward[0])} to **{number(mine.true_reward[-1])}** in "
        f"{plural(run.settings.ppo_steps, 'step')}, {number(mine.kl[-1])} nats away; on the simulated labellers’ "
        f"reward it comes to {number(theirs.true_reward[-1])}."
    )


def answers(run: PipelineRun, found: Labelled, prompt: int) -> list[tuple[str, str]]:
    """Heading and text of the most probable answer: before PPO, after PPO on the simulated labels, and on yours."""
    policies = {
        "SFT’s answer": run.sft.log_probs[-1],
        "PPO’s, on the simulated labels": run.ppo.log_probs[-1],
        "PPO’s, on your labels": found.ppo.log_probs[-1],
    }
    shown = []
    for name, log_probs in policies.items():
        best = int(log_probs[prompt].argmax())
        worth = minus(run.scenario.true_reward[prompt, best], "+.1f")
        head = f"{name}: {np.exp(log_probs[prompt, best]):.0%} of the time, true reward {worth}"
        shown.append((head, plain(run.scenario.responses[prompt][best])))
    return shown


def charts(run: PipelineRun, found: Labelled, palette: Palette) -> list[Panel]:
    """Weights, and true reward along PPO's steps, each beside the simulated labellers'."""
    return [_weights(run, found, palette), _truth(run, found, palette)]


def _weights(run: PipelineRun, found: Labelled, palette: Palette) -> Panel:
    order = np.argsort(np.abs(found.weights))
    names = [FEATURES[i].label for i in order]
    places = list(range(len(order)))
    data = [
        {
            "type": "scatter", "mode": "markers", "x": values[order], "y": places, "name": who,
            "marker": {"color": hue.mark, "size": 11, "symbol": symbol}, "customdata": names,
            "hovertemplate": f"{who}, %{{customdata}}: %{{x:+.2f}}<extra></extra>",
        }
        for values, who, hue, symbol in (
            (run.reward.weights[-1], "simulated labels", palette.labellers, "diamond-open"),
            (found.weights, "your labels", palette.reward, "circle"),
        )
    ]  # fmt: skip
    axes = {"yaxis": {"tickvals": places, "ticktext": names}}
    drawing = theme.figure(palette, x="weight [log-odds]", y="", data=data, height=380, **axes)
    return Panel("What your labels pay for", drawing, "Weight of every feature, from your and from simulated labels.")


def _truth(run: PipelineRun, found: Labelled, palette: Palette) -> Panel:
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "x": np.arange(len(values)), "y": values, "name": who,
            "line": theme.line(hue, dash), "marker": {"size": 5},
            "hovertemplate": f"{who}, step %{{x}}: %{{y:.2f}}<extra></extra>",
        }
        for values, who, hue, dash in (
            (run.ppo.true_reward, "on the simulated labels", palette.labellers, "dash"),
            (found.ppo.true_reward, "on your labels", palette.true_reward, "solid"),
        )
    ]  # fmt: skip
    drawing = theme.figure(palette, x="PPO step", y="true reward [true-reward units]", data=data, height=380)
    return Panel("What people get from it", drawing, "True reward along PPO's steps, on your and on simulated labels.")
