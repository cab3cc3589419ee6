"""A run of ours as the log that a trainer would have written of it."""

import json

import numpy as np

from rlhf_core.pipeline import PipelineRun
from rlhf_core.yours.record import Record, of_run

TRL_PPO = {
    "reward": "objective/scores",
    "penalised_reward": "objective/rlhf_reward",
    "kl": "objective/kl",
    "entropy": "objective/entropy",
    "step_kl": "policy/approxkl_avg",
    "clip_fraction": "policy/clipfrac_avg",
}
"""Name in `record.KNOWN` -> TRL's name for it."""


def as_trl_log(run: PipelineRun) -> str:
    """The run as JSON lines with the names and units of TRL's PPO trainer: one row before the first step, T after.

    A trainer estimates these figures from what it samples; ours are exact. The truth has no column, as in any log.
    """
    record, tokens = of_run(run), len(run.scenario.shape)
    per_step = run.settings.rollouts * len(run.scenario.prompts)
    rows = []
    for i, step in enumerate(record.steps):
        row: dict[str, float] = {"step": int(step), "episode": int(step) * per_step}
        row |= {column: value for name, column in TRL_PPO.items() if (value := _at(record, name, i)) is not None}
        rows.append({**row, "policy/entropy_avg": float(record.series["entropy"][i]) / tokens})
    return "".join(json.dumps(row) + "\n" for row in rows)


def _at(record: Record, name: str, row: int) -> float | None:
    """A figure of a row; None where the row has none."""
    value = float(record.series[name][row])
    return value if np.isfinite(value) else None
