"""A training log as charts, each series in the unit of its source."""

import numpy as np

from pages.drawing import theme
from pages.drawing.panel import Panel
from pages.drawing.theme import Palette
from rlhf_core.yours.record import KNOWN, Record

MOST_POINTS = 1_000
ROLES = {
    "reward": "reward", "reward_spread": "reward", "penalised_reward": "reward", "margin": "reward",
    "kl": "kl", "token_kl": "kl", "step_kl": "kl", "entropy": "policy", "token_entropy": "policy", "length": "policy",
    "chosen_log_prob": "policy", "rejected_log_prob": "policy",
}  # fmt: skip
"""What a series is about; the others have the colour of the reference."""
TITLES = {
    "reward": "Score", "reward_spread": "Spread of the scores", "penalised_reward": "Score minus penalty", "kl": "KL",
    "token_kl": "KL per token", "step_kl": "KL of one update", "clip_fraction": "Clip fraction", "entropy": "Entropy",
    "token_entropy": "Entropy per token", "equal_groups": "Groups without spread", "length": "Length of answers",
    "critic_loss": "Critic’s loss", "pair_loss": "Loss on pairs", "heldout_loss": "Held-out loss",
    "pair_accuracy": "Accuracy on pairs", "margin": "Margin", "chosen_log_prob": "Log-probability of chosen answers",
    "rejected_log_prob": "Log-probability of rejected answers", "advantage_spread": "Spread of the advantages",
}  # fmt: skip
"""Series that a log may have, by their names in `record.KNOWN`."""


def charts(record: Record, palette: Palette) -> list[Panel]:
    """One chart a series, in the order of `TITLES`."""
    there = [name for name in TITLES if name in record.series and record.has(name)]
    return [_chart(record, name, palette) for name in there]


def unit(name: str) -> str:
    """Unit of a series, from its meaning; a share has none."""
    meaning = KNOWN[name]
    return meaning[meaning.index("[") + 1 : -1] if meaning.endswith("]") else "share"


def _chart(record: Record, name: str, palette: Palette) -> Panel:
    values = record.series[name]
    known = np.flatnonzero(np.isfinite(values))
    known = known[:: -(-len(known) // MOST_POINTS)]
    hue = getattr(palette, ROLES.get(name, "reference"))
    trace = {
        "type": "scatter", "x": record.steps[known], "y": values[known], "showlegend": False, "name": TITLES[name],
        "mode": "lines" if len(known) > 40 else "lines+markers", "line": theme.line(hue), "marker": {"size": 6},
        "hovertemplate": "step %{x}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
    share = {"tickformat": ".0%"} if unit(name) == "share" else {}
    if share and np.ptp(values[known]) == 0:  # a window around 0 would reach down to -100%
        share["range"] = [0, 1]
    drawing = theme.figure(palette, x="step", y=unit(name), data=[trace], height=210, yaxis=share)
    return Panel(TITLES[name], drawing, f"{TITLES[name]} along {len(known)} steps.")
