"""Why is my KL negative? The per-sample estimates of a step's rollouts, beside the exact divergence."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View, once
from pages.drawing.wording import excerpt, minus
from rlhf_core.distributions import kl_estimators
from rlhf_core.timeline import MISSING

BINS = 36
PANELS = {"yaxis": [0.55, 1.0], "yaxis2": [0.0, 0.45]}
SHARES = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)


WHY_NEGATIVE = """
A trainer cannot sum over all answers, so it estimates the KL from the answers it samples. The plain estimate of one
answer is its log-ratio, *k1*. It is negative whenever the answer has become **rarer** than under the reference, and
such answers are still drawn now and then. Only the mean over answers estimates the KL, and with few answers, or early
in training when the KL is small, even that may fall below zero. *k3* is never negative and has the same expectation.

So a slightly negative `objective/kl` is noise. One that **stays** negative is a bug: the answers do not come from the
policy whose probabilities are used. [TRL's FAQ](https://huggingface.co/docs/trl/v0.16.1/how_to_train) names top-k
sampling, a forced minimum length and unmasked padding. The policy then earns reward for lowering that "KL" further.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Estimates of each PPO step's rollouts, taken before the step's update; T steps, N answers each."""

    k1: np.ndarray
    """(T, N) nats."""
    k3: np.ndarray
    """(T, N) nats."""
    weights: np.ndarray
    """(T, N) how much each answer counts; sums to 1."""
    exact: np.ndarray
    """(T,) KL(policy ‖ reference) of the policy that wrote them, in nats."""

    @property
    def means(self) -> np.ndarray:
        """Mean of k1 and of k3 per step, (2, T)."""
        return np.stack([(self.weights * self.k1).sum(axis=1), (self.weights * self.k3).sum(axis=1)])

    @property
    def negative(self) -> np.ndarray:
        """Share of the answers whose k1 is below 0, (T,)."""
        return (self.weights * (self.k1 < -1e-12)).sum(axis=1)


@once
def samples(view: View) -> Samples:
    """k1 and k3 of all rollouts of a run."""
    ppo = view.run.ppo
    k1 = np.stack([batch.log_ratio_to_ref.sum(axis=-1) for batch in ppo.rollouts])
    weights = np.full(k1.shape, 1 / k1[0].size)
    if view.run.settings.rollouts == 0:  # every response counts with its probability
        weights = np.exp(ppo.log_probs[:-1]) / k1.shape[1]
    flat = k1.reshape(len(k1), -1)
    return Samples(flat, kl_estimators(flat, 0.0 * flat).k3, weights.reshape(flat.shape), ppo.kl[:-1].clip(0))


def steps_shown(view: View) -> np.ndarray:
    """Batch that each frame shows: its PPO step's; past the last one (nothing) before PPO, (n_frames,)."""
    n_steps = view.timeline.n_steps
    shown = [
        n_steps if frame.phase not in ("ppo", "done") else frame.ppo_step - (frame.line in (None, "update"))
        for frame in view.timeline.frames
    ]
    return np.array(shown)


def kl_samples(view: View) -> Chart:
    """Histograms of k1 and k3 over a step's rollouts, with their means and the exact divergence."""
    drawn = samples(view)
    edges = _edges(drawn)
    heights = [_with_nothing(np.sqrt(_histogram(each, drawn.weights, edges))) for each in (drawn.k1, drawn.k3)]
    exact, means = _with_nothing(drawn.exact[:, None], np.nan), _with_nothing(drawn.means.T, np.nan)
    data = [trace for i in (0, 1) for trace in _panel(view, edges, heights[i][-2], exact[-2], means[-2, [i]], i)]
    return Chart(
        theme.figure(view.palette, x="estimate of one answer [nats]", y="share of answers", data=data,
                     **_layout(view, edges)),
        "Two histograms of the per-answer KL estimates of a PPO step.",
        steps_shown(view),
        moves={
            first + offset: moved
            for i, first in enumerate((0, 4))
            for offset, moved in (
                (1, {"y": heights[i], "customdata": heights[i] ** 2}),
                (2, {"x": exact.repeat(2, axis=1)}),
                (3, {"x": means[:, [i]]}),
            )
        },
        question="Can one answer’s estimate of the KL be negative?",
        title="One answer's k1 may be negative; the KL it estimates cannot be",
        guide="Line: the exact KL; triangle: mean of the batch; hatched: below 0; outline: the last step. Heights are "
        "on a square-root scale, and the last bar holds whatever lies beyond.",
        reading=kl_samples_reading(view),
    )  # fmt: skip


def _panel(
    view: View, edges: np.ndarray, heights: np.ndarray, exact: np.ndarray, mean: np.ndarray, panel: int
) -> list[dict[str, Any]]:
    """Traces of one histogram: outline of the last step, bars, exact divergence, mean of the batch."""
    palette, middle = view.palette, (edges[1:] + edges[:-1]) / 2
    axis = {"yaxis": "y2"} if panel else {}
    bars = {"type": "bar", "x": middle, "y": heights, "width": edges[1] - edges[0], **axis}
    hatched = {"shape": ["/" if x < 0 else "" for x in middle], "size": 5, "fillmode": "replace"}
    outline, ground = {"color": palette.ghost, "width": 1.5}, {"color": palette.ground, "width": 1.5}
    triangle = {"symbol": "triangle-up", "size": 13, "color": palette.kl.mark, "line": ground}
    return [
        {**bars, "marker": {"color": "rgba(0,0,0,0)", "line": outline}, "hoverinfo": "skip"},
        {**bars, "marker": {"color": palette.kl.mark, "pattern": hatched}, "customdata": heights**2,
         "hovertemplate": "%{x:.2f} nats: %{customdata:.1%} of the answers<extra></extra>"},
        {"type": "scatter", "x": exact.repeat(2), "y": [0, 1], "mode": "lines", **axis,
         "line": {"color": palette.ink, "width": 2}, "hovertemplate": "exact KL %{x:.2f} nats<extra></extra>"},
        {"type": "scatter", "x": mean, "y": [0.04], "mode": "markers", "marker": triangle, **axis,
         "hovertemplate": "mean of the batch %{x:.2f} nats<extra></extra>"},
    ]  # fmt: skip


def _layout(view: View, edges: np.ndarray) -> dict[str, Any]:
    ticks = {"tickvals": np.sqrt(SHARES), "ticktext": [f"{share:.0%}" for share in SHARES]}
    shared = {"range": [0, 1], "fixedrange": True, "zeroline": False, **ticks}
    names = (("k1 = log π − log π<sub>ref</sub>", 1.0), ("k3 = e<sup>−k1</sup> − 1 + k1", PANELS["yaxis2"][1]))
    return {
        "xaxis": {"range": [edges[0], edges[-1]], "anchor": "y2", "zeroline": True},
        "yaxis": {**shared, "domain": PANELS["yaxis"]},
        "yaxis2": {**shared, "domain": PANELS["yaxis2"], "title": {"text": "share of answers"}},
        "annotations": [
            {
                "text": text, "x": 0, "y": top, "xref": "paper", "yref": "paper", "xanchor": "left",
                "yanchor": "bottom", "showarrow": False, "font": {"size": 13, "color": view.palette.kl.text},
            }
            for text, top in names
        ],
        "barmode": "overlay", "bargap": 0.06, "height": 420, "margin": {"t": 26}, "showlegend": False,
    }  # fmt: skip


def kl_samples_reading(view: View) -> str:
    """The numbers of the last step."""
    drawn = samples(view)
    if len(drawn.exact) == 1:
        return (
            "A run of one step has a single batch, written by the SFT policy itself: every log-ratio is 0. "
            "Raise PPO steps to see the estimates spread."
        )
    k1, k3 = drawn.means[:, -1]
    return (
        f"In step {len(drawn.exact)}, {drawn.negative[-1]:.0%} of the k1 are negative; their mean is {minus(k1)}, "
        f"that of k3 {minus(k3)}, and the exact value {drawn.exact[-1]:.2f} nats."
    )


def kl_numbers(view: View) -> Live:
    """The estimates of the current step in numbers, and one answer with a negative k1."""
    drawn, rows = samples(view), steps_shown(view)
    n_prompts, n_steps = len(view.run.scenario.prompts), len(drawn.exact)
    per_prompt = (drawn.weights * drawn.k1).reshape(n_steps, n_prompts, -1).sum(axis=2)
    columns = {
        "step": [str(step) for step in range(1, n_steps + 1)],
        "exact": [f"{value:.3f}" for value in drawn.exact],
        "k1": [minus(value, ".3f") for value in drawn.means[0]],
        "k3": [minus(value, ".3f") for value in drawn.means[1]],
        "negative": [f"{share:.0%}" for share in drawn.negative],
        "prompts": [f"{count} of {n_prompts}" for count in (per_prompt < -1e-12).sum(axis=1)],
        "least": [minus(value) for value in drawn.k1.min(axis=1)],
        "example": [_example(view, step) for step in range(n_steps)],
    }
    values = {key: [*words, "" if key == "example" else MISSING] for key, words in columns.items()}
    return Live(_numbers_template(view), rows, values)


def _numbers_template(view: View) -> str:
    n_rollouts, n_prompts = view.run.settings.rollouts, len(view.run.scenario.prompts)
    batch = f"{n_rollouts * n_prompts} answers" if n_rollouts else "every answer, weighted by its probability"
    facts = (
        ("exact KL of the policy that wrote them", "exact", "nats"), ("mean of k1", "k1", "nats"),
        ("mean of k3", "k3", "nats"), ("answers with k1 below 0", "negative", ""),
        ("prompts whose own mean is below 0", "prompts", ""), ("least k1", "least", "nats"),
    )  # fmt: skip
    lines = "".join(
        f'<p class="mt-fact"><span>{label}</span><b class="kl num" data-slot="{key}"></b><span>{unit}</span></p>'
        for label, key, unit in facts
    )
    return (
        f'<div class="mt-facts"><p class="mt-lead">PPO step <b class="num" data-slot="step"></b>: {batch}</p>{lines}'
        '<p class="mt-example" data-slot="example"></p></div>'
    )


def _example(view: View, step: int) -> str:
    """The chosen prompt's answer with the least k1 of a batch, in words."""
    batch = view.run.ppo.rollouts[step]
    k1 = batch.log_ratio_to_ref[view.prompt].sum(axis=-1)
    if np.abs(k1).max() < 1e-12:
        return "The policy still is the reference policy, so every log-ratio is 0."
    least = int(k1.argmin())
    if round(float(k1[least]), 2) >= 0:
        return "No rollout of the chosen prompt has a k1 visibly below 0 in this step."
    text = excerpt(view.responses[int(batch.responses[view.prompt, least])], 70)
    return (
        f"“{text}” became rarer: {np.exp(k1[least]):.2g} times as probable as under the SFT policy, so its k1 is "
        f"{minus(k1[least])}. It was drawn all the same."
    )


def _edges(drawn: Samples) -> np.ndarray:
    """Edges of the bins: all of k1 fits; k3 beyond the last edge is counted in the last bin."""
    low, high = min(drawn.k1.min(), -0.5), max(drawn.k1.max(), 0.5)
    width = (high - low) / (BINS - 1)
    first = np.floor(low / width) * width  # an edge at 0, so that no bin mixes signs
    return first + width * np.arange(BINS + 1)


def _histogram(values: np.ndarray, weights: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the weight in each bin, (T, BINS)."""
    width = edges[1] - edges[0]
    bins = np.floor((values - edges[0]) / width + 1e-9).clip(0, BINS - 1).astype(int)  # in this order: k3 may be 1e36
    flat = bins + BINS * np.arange(len(values))[:, None]
    return np.bincount(flat.ravel(), weights.ravel(), minlength=BINS * len(values)).reshape(len(values), BINS)


def _with_nothing(rows: np.ndarray, nothing: float = 0.0) -> np.ndarray:
    """The rows of the steps, and one more for frames before PPO."""
    return np.concatenate([rows, np.full((1, *rows.shape[1:]), nothing)])
