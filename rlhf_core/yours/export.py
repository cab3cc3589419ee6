"""A run of ours as the log that a trainer would have written of it."""

import json
from collections.abc import Mapping
from typing import Literal

import numpy as np

from rlhf_core.pipeline import PipelineRun
from rlhf_core.yours.record import Record, of_run

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "PPO": {
        "objective/scores": "reward",
        "objective/rlhf_reward": "penalised_reward",
        "objective/kl": "kl",
        "objective/entropy": "entropy",
        "policy/entropy_avg": "entropy per token",
        "policy/approxkl_avg": "step_kl",
        "policy/clipfrac_avg": "clip_fraction",
    },
    "GRPO": {
        "reward": "reward",
        "reward_std": "reward_spread",
        "frac_reward_zero_std": "equal_groups",
        "kl": "kl per token",
        "entropy": "entropy per token",
        "clip_ratio/region_mean": "clip_fraction",
        "completions/mean_length": "length",
    },
}
"""TRL's columns by trainer, and what they hold: names in `record.KNOWN`, some divided by an answer's tokens."""
PER_TOKEN = " per token"


def as_trl_log(run: PipelineRun, trainer: Literal["PPO", "GRPO"] = "PPO") -> str:
    """The run as JSON lines with the names and units of a TRL trainer: one row before the first step, T after.

    A trainer estimates these figures from what it samples; ours are exact. The truth has no column, as in any log.
    """
    record, tokens = of_run(run), len(run.scenario.shape)
    per_step = run.settings.rollouts * len(run.scenario.prompts)
    rows = []
    for i, step in enumerate(record.steps):
        row: dict[str, float] = {"step": int(step), "episode": int(step) * per_step}
        for column, held in COLUMNS[trainer].items():
            value = _at(record, held.removesuffix(PER_TOKEN), i)
            if value is not None:
                row[column] = value / tokens if held.endswith(PER_TOKEN) else value
        rows.append(row)
    return "".join(json.dumps(row) + "\n" for row in rows)


def _at(record: Record, name: str, row: int) -> float | None:
    """A figure of a row; None where the run or the row has none."""
    value = float(record.series[name][row]) if name in record.series else np.nan
    return value if np.isfinite(value) else None
