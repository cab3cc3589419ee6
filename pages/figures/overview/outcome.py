"""Figures and computed words of the Overview page."""

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote
from typing import Any
from urllib.parse import urlencode

import numpy as np

from pages.drawing import stages
from pages.drawing.chart import Chart
from pages.drawing.grid import grid
from pages.drawing.guess import Answer, Guess, bounds, points
from pages.drawing.labels import Place, Room, beside, end_names
from pages.drawing.live import Live
from pages.drawing.marks import Curve, fell_back, padded
from pages.drawing.view import View
from pages.drawing.wording import minus, plural
from rlhf_core import PipelineRun, Settings
from rlhf_core.scenarios.brought import Brought

HOW_TO_USE = """
- **Run** (space) plays the whole pipeline from where it stands, **Pause** holds it. *Speed* is in the sidebar.
- **Step** (→) and **Back** (←) move by one phase. Switch to *loop line* to see a PPO step from inside: sample, score,
  KL, advantage, update.
- **Reset** (Home) goes to the untrained model, End to the end of the run, the **scrubber** to any moment.
- **The sidebar** has scenario, β, steps, prompt and more. Each change trains a new run, at once.
- **The address** always holds the exact state: [`ppo?beta=0.3&at=ppo-5`](ppo?beta=0.3&at=ppo-5) is the PPO page with
  β = 0.3 after step 5. Copy it to link to any moment; only a scenario of your own is not in it.
"""

QUESTION = "What do SFT and PPO do to the true reward?"
HEIGHT, LOW = 360, 230
"""Of the chart beside the hero, and where the window is small."""


def story_title(run: PipelineRun) -> str:
    """What became of the true reward, in one sentence that holds for this run."""
    base, truth, score = run.course.true_reward[0].mean(), run.ppo.true_reward, run.ppo.reward
    peak = int(truth.argmax())
    if fell_back(run) and score[-1] > score[peak]:
        return f"After PPO step {peak} the reward still goes up, and the answers get worse"
    if base < truth[0] < truth[-1]:
        return "SFT makes the answers better, and PPO better still"
    return "What each stage did to the answers, as a careful reader sees them"


def story_reading(run: PipelineRun) -> str:
    """The chart's numbers in a sentence or two."""
    base, truth, score = run.course.true_reward[0].mean(), run.ppo.true_reward, run.ppo.reward
    peak = int(truth.argmax())
    passed = f", with its peak of {minus(truth[peak])} at step {peak}" if fell_back(run) else ""
    judged = run.ppo.labeller_reward
    swayed = (
        f" To the labellers, whom appeal sways, the answers go from {minus(judged[0])} to {minus(judged[-1])}."
        if run.settings.labeller_bias
        else ""
    )
    return (
        f"True reward, which nobody in the pipeline knows, goes from {minus(base)} (base) to {minus(truth[0])} after "
        f"SFT and {minus(truth[-1])} after PPO{passed}.{swayed} The reward is all that PPO sees: 0 for the SFT policy "
        f"by definition, {minus(score[-1])} at the end. Their units differ, so compare directions, not heights."
    )


def whole_pipeline(view: View) -> Chart:
    """True reward and labellers' judgement through SFT and PPO, and the reward that PPO climbs."""
    run, palette = view.run, view.palette
    n_sft, x = run.settings.sft_epochs, stages.course_places(view)
    truth = _truth(view)
    score, in_ppo = run.ppo.reward, x[n_sft + 1 :]
    judged = np.insert(run.course.labeller_reward.mean(axis=1), n_sft, run.ppo.labeller_reward[0])
    curves = (
        Curve(x, truth, palette.true_reward, "solid", "true reward"),
        Curve(in_ppo, score, palette.reward, "dash", "reward"),
        *([Curve(x, judged, palette.labellers, "dot", "labellers’ judgement")] if run.settings.labeller_bias else ()),
    )
    span = padded(np.concatenate([curve.y for curve in curves]))
    fig = stages.banded(
        view,
        y="reward [own units]",
        data=[
            *(curve.ghost(palette) for curve in curves),
            *(curve.played("") for curve in curves),
            *(curve.head() for curve in curves),
            *_peak(view, in_ppo, curves, span),
        ],
        annotations=end_names(curves, span),
        margin=beside(curves),
        yaxis={"range": span},
        height=HEIGHT,
    )
    shown = np.arange(len(x))  # row n_sft + 1: the reward model is trained, PPO has not begun
    step, n = np.maximum(shown - n_sft - 1, 0), len(curves)
    moves = {2 * n + i: {"x": curve.x[:, None], "y": curve.y[:, None]} for i, curve in enumerate(curves)}
    moves[2 * n + 1] = {"x": in_ppo[step, None], "y": np.where(shown > n_sft, score[step], np.nan)[:, None]}
    return Chart(
        fig,
        f"Lines over SFT, reward model and PPO: {', '.join(curve.name for curve in curves)}.",
        view.progress + (view.timeline.rm_epochs == run.settings.rm_epochs),
        moves=moves,
        grows={n + i: np.maximum(shown - n_sft, 0) if i == 1 else shown + 1 for i in range(n)}
        | ({3 * n: (shown == shown[-1]).astype(int)} if len(fig.data) > 3 * n else {}),
        title=story_title(run),
        question=QUESTION,
        reading=story_reading(run),
        low=LOW,
    )


def whole_pipeline_guess(view: View) -> Chart:
    """True reward alone, before the run is played, for the reader to draw what they expect; no result is in it."""
    run, palette, x = view.run, view.palette, stages.course_places(view)
    curve = Curve(x, _truth(view), palette.true_reward, "solid", "true reward")
    low, high = bounds(run)
    fig = stages.banded(
        view, y="true reward", data=[curve.played(""), curve.head()], height=HEIGHT,
        yaxis={"range": padded(np.array([low, high]), 0.06)},
    )  # fmt: skip
    shown = np.arange(len(x))
    return Chart(
        fig,
        "True reward over SFT, reward model and PPO, as far as it has been played, and your guess.",
        view.progress + (view.timeline.rm_epochs == run.settings.rm_epochs),
        moves={1: {"x": x[:, None], "y": curve.y[:, None]}},
        grows={0: shown + 1},
        title=QUESTION,
        question=QUESTION,
        guide="The axis spans what answers to these prompts are worth, from poor ones to the best.",
        guess=_guess(view),
        low=LOW,
    )


def whole_pipeline_guessed(view: View) -> Chart:
    """The whole pipeline, with what the reader had drawn."""
    settings, x = view.run.settings, stages.course_places(view)
    moments = [
        "the start", *(f"SFT epoch {epoch}" for epoch in range(1, settings.sft_epochs + 1)), "the end of SFT",
        *(f"PPO step {step}" for step in range(1, settings.ppo_steps + 1)),
    ]  # fmt: skip
    return replace(whole_pipeline(view), guess=replace(_guess(view), answer=Answer(x, _truth(view), moments)))


def _guess(view: View) -> Guess:
    """Points in the middle and at the end of SFT, and over PPO; the reward model moves no answer."""
    settings, (start, *_) = view.run.settings, _truth(view)
    steps = points(settings.ppo_steps)
    moments = ["the start", "halfway through SFT", "the end of SFT", *(f"PPO step {step}" for step in steps)]
    after = [2 + 2 * step / settings.ppo_steps for step in steps]
    knots, anchors = [0.0, 0.5, 1.0, 2.0, *after], [0, 1, 2, 2, *range(3, 3 + len(steps))]
    of, axis = urlencode(settings.to_query()), bounds(view.run)
    return Guess("overview", of, knots, anchors, moments, 1, float(start), axis)


def _truth(view: View) -> np.ndarray:
    """True reward at every place of `stages.course_places`."""
    n_sft, course = view.run.settings.sft_epochs, view.run.course.true_reward.mean(axis=1)
    return np.insert(course, n_sft, view.run.ppo.true_reward[0])


def _peak(view: View, x: np.ndarray, curves: Sequence[Curve], span: Sequence[float]) -> list[dict[str, Any]]:
    """Trace that marks the peak of the true reward, where PPO goes past it; seen once the run has ended."""
    truth, hue = view.run.ppo.true_reward, view.palette.true_reward
    peak = int(truth.argmax())
    if not fell_back(view.run):
        return []
    words, room = f"peak: step {peak}", Room(stages.SPAN, span)
    for curve in curves:
        room.draw(curve.x, curve.y)
    sides = [f"{up} {side}" for up in ("top", "bottom") for side in ("center", "right", "left")]
    place, free = room.place(words, [Place(float(x[peak]), float(truth[peak]), side) for side in sides])
    return [
        {
            "type": "scatter", "x": x[[peak]], "y": truth[[peak]], "mode": "markers+text" if free else "markers",
            "text": [words], "textposition": place.side, "textfont": {"size": 12, "color": hue.text},
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"symbol": "line-ns-open", "size": 9, "color": hue.mark, "line": {"width": 2}},
        }
    ]  # fmt: skip


def sft_outcome(run: PipelineRun) -> str:
    """What SFT did in this run."""
    loss = run.sft.heldout_loss
    return (
        f"Here: {plural(run.settings.n_demonstrations, 'written answer')} per prompt. Another answer by the same "
        f"writer, which SFT was never shown, costs {minus(loss[-1])} nats after it, {minus(loss[0])} before."
    )


def reward_model_outcome(run: PipelineRun) -> str:
    """How good the reward model of this run is."""
    return (
        f"Here: {plural(run.settings.n_comparisons, 'comparison')}. On prompts it never saw it picks the chosen answer "
        f"in {run.reward.heldout_accuracy[-1]:.0%} of pairs; knowing what labellers think, one could expect "
        f"{run.reward.pairs.ceiling:.0%}."
    )


def ppo_outcome(run: PipelineRun) -> str:
    """What PPO bought in this run, and for how much."""
    return (
        f"Here: {plural(run.settings.ppo_steps, 'step')} with β = {run.settings.beta:g}. The mean reward goes from 0 "
        f"to {minus(run.ppo.reward[-1])}, at a distance of {minus(run.ppo.kl[-1])} nats from the SFT policy."
    )


def command(settings: Settings) -> str:
    """The command line that computes this very run: only what differs from the defaults."""
    given = settings.to_query()
    if isinstance(settings.scenario, Brought):
        given["scenario"] = quote(f"{settings.scenario.file}.toml")
    options = [f"--{name.replace('_', '-')} {value}" for name, value in given.items()]
    return " ".join(["python -m rlhf_core", *options])


def toy_and_real(view: View) -> Live:
    """Table of what a real language model has and this one has not."""
    run = view.run
    n_openings, n_bodies, n_closings = run.scenario.shape
    n_prompts, n_responses = run.scenario.true_reward.shape
    n_logits = sum(table[0].size for table in run.sft.logits)
    n_sampled = run.settings.rollouts * n_prompts * run.settings.ppo_steps
    sampled = f"{n_sampled:,} sampled answers" if n_sampled else "the exact expectation instead of samples"
    rows = (
        ("Vocabulary and length",
         f"{n_openings + n_bodies + n_closings} phrases per prompt, every answer is three of them",
         "some 100,000 tokens, answers of hundreds of them"),
        ("Counting everything",
         f"{n_responses} answers per prompt: every mean, KL and the optimum are exact",
         "more answers than could ever be listed; everything is estimated from samples"),
        ("What is learned",
         f"{n_logits} numbers per prompt, and nothing carries over from one prompt to the next",
         "billions of weights shared by all prompts, so training on one changes the others"),
        ("Reward model",
         f"weighs {len(run.reward.feature_names)} things counted in the text, such as length, hedges and praise",
         "a language model itself, which learns its own features and their blind spots"),
        ("People",
         "a formula with noise and bias; what each phrase is worth stands in a file, so the true reward is known",
         "contractors who disagree, tire and differ; the true reward is never seen"),
        ("Cost",
         f"{run.settings.n_comparisons} comparisons and {sampled}, in under a second",
         "[InstructGPT](https://arxiv.org/abs/2203.02155): about 33,000 prompts with ranked answers, 256,000 episodes"),
    )
    return grid(view, ("What", "Here", "A real language model"), rows)
