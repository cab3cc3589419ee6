"""Who wrote a log, and what its columns mean: names and units of the trainers that people use.

The unit is where numbers of different trainers look alike and are not: a KL is summed over an answer in one and
averaged over its tokens in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rlhf_core.distributions import Array
from rlhf_core.yours.logs import Log
from rlhf_core.yours.record import KNOWN, Record

ROWS_PER_WINDOW = 10
"""A level is read off a tenth of the rows: logs are noisy."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer by the columns that only it writes, and its columns for the names of `record.KNOWN`."""

    name: str
    marks: tuple[str, ...]
    """All of these are in its logs."""
    columns: Mapping[str, tuple[str, ...]]
    """Name in `KNOWN` -> columns that hold it, the first that is there counts."""
    note: str = ""
    """What a reader should know of its figures."""


DPO_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pair_loss": ("loss", "Training Loss"),
    "heldout_loss": ("eval_loss", "Validation Loss"),
    "pair_accuracy": ("rewards/accuracies", "Rewards/accuracies", "eval_rewards/accuracies", "accuracy"),
    "margin": ("rewards/margins", "Rewards/margins", "eval_rewards/margins"),
    "chosen_log_prob": ("logps/chosen", "Logps/chosen", "eval_logps/chosen"),
    "rejected_log_prob": ("logps/rejected", "Logps/rejected", "eval_logps/rejected"),
}
TRAINERS = (
    Trainer(
        "TRL PPO", ("objective/kl", "objective/scores"),
        {
            "reward": ("objective/scores",), "penalised_reward": ("objective/rlhf_reward",), "kl": ("objective/kl",),
            "step_kl": ("policy/approxkl_avg",), "clip_fraction": ("policy/clipfrac_avg",),
            "token_entropy": ("policy/entropy_avg",), "critic_loss": ("loss/value_avg",),
        },
        "objective/kl is summed over an answer. objective/entropy is a sum too and, in most releases, counts padding "
        "as "
        "−1 a token, so a negative value is no collapse; policy/entropy_avg is the mean over tokens and is read here.",
    ),
    Trainer(
        "TRL PPO before 0.10", ("env/reward_mean", "objective/kl"),
        {
            "reward": ("env/reward_mean",), "kl": ("objective/kl",), "step_kl": ("ppo/policy/approxkl",),
            "clip_fraction": ("ppo/policy/clipfrac",), "token_entropy": ("ppo/policy/entropy",),
            "critic_loss": ("ppo/loss/value",),
        },
        "objective/kl is summed over an answer.",
    ),
    Trainer(
        "TRL GRPO or RLOO, or ms-swift GRPO", ("reward", "reward_std"),
        {
            "reward": ("reward",), "reward_spread": ("reward_std",), "token_kl": ("kl",),
            "clip_fraction": ("clip_ratio/region_mean", "clip_ratio"), "token_entropy": ("entropy",),
            "equal_groups": ("frac_reward_zero_std",), "length": ("completions/mean_length", "completion_length"),
        },
        "kl is a mean over tokens (k3), and stays 0 or absent at TRL’s default β of 0. The loss starts at 0 by "
        "construction and is no measure of progress.",
    ),
    Trainer(
        "DPO", ("rewards/margins", "logps/chosen"), DPO_COLUMNS,
        "rewards/* are implicit: β times the log-ratio to the reference. logps/* are summed over an answer.",
    ),
    Trainer("DPO, a model card’s table", ("Rewards/margins",), DPO_COLUMNS, "rewards/* are implicit."),
    Trainer(
        "LLaMA-Factory", ("current_steps", "total_steps"), {**DPO_COLUMNS, "reward": ("reward",)},
        "With accuracy beside the loss it is preference training; the loss should begin at log 2 = 0.693.",
    ),
    Trainer(
        "verl", ("actor/pg_loss",),
        {
            "reward": ("critic/score/mean", "critic/rewards/mean"),
            "token_kl": ("actor/kl_loss", "actor/reward_kl_penalty"),
            "step_kl": ("actor/ppo_kl",), "clip_fraction": ("actor/pg_clipfrac",),
            "token_entropy": ("actor/entropy", "actor/entropy_loss"), "critic_loss": ("critic/vf_loss",),
            "length": ("response_length/mean",),
        },
        "actor/kl_loss is to the reference, per token; actor/ppo_kl is between the new and the old policy.",
    ),
    Trainer(
        "OpenRLHF", ("policy_loss", "return"),
        {
            "reward": ("reward",), "kl": ("kl",), "critic_loss": ("critic_loss",), "length": ("response_length",),
        },
    ),
    Trainer(
        "TRL RewardTrainer", ("accuracy", "margin"),
        {"pair_accuracy": ("eval_accuracy", "accuracy"), "heldout_loss": ("eval_loss",)},
        "Ties count as wrong in current TRL.",
    ),
)  # fmt: skip
BY_HAND = Trainer(
    "unknown", (),
    {
        "reward": ("reward_mean", "mean_reward", "reward", "rewards", "score", "scores", "avg_reward"),
        "reward_spread": ("reward_std", "std_reward"), "kl": ("kl_mean", "mean_kl", "kl_div", "kl_divergence"),
        "clip_fraction": ("clip_fraction", "clipfrac", "clip_frac"), "token_entropy": ("entropy", "mean_entropy"),
        "critic_loss": ("value_loss", "vf_loss", "critic_loss"), "advantage_spread": ("advantage_std",),
        "length": ("sequence_length_mean", "response_length", "mean_length", "length"),
        "step_kl": ("approx_kl", "approxkl"),
    },
    "No trainer is known by these columns; those with familiar names are read, with their usual units.",
)  # fmt: skip
"""Columns of logs written by hand."""


def recognise(log: Log) -> Trainer:
    """The trainer whose columns a log has; `BY_HAND` if none."""
    there = {*log.series, log.counted_by}
    return next((each for each in TRAINERS if there.issuperset(each.marks)), BY_HAND)


def record_of(log: Log, trainer: Trainer | None = None, chosen: Mapping[str, str] | None = None) -> Record:
    """A log as a record that can be judged.

    Parameters
    ----------
    log : Log
    trainer : Trainer, optional
        By default the one that is recognised.
    chosen : mapping, optional
        Name in `KNOWN` -> column, as a reader has chosen; counts before the trainer's.

    Raises
    ------
    ValueError
        If a name or a column does not exist.
    """
    picked = {name: column for name, column in (chosen or {}).items() if column}
    for name, column in picked.items():
        if name not in KNOWN or column not in log.series:
            raise ValueError(f"{name} must name a series and a column of the log, got {column!r}")
    columns = columns_of(log, trainer or recognise(log)) | picked
    series: dict[str, Array] = {name: log.series[column] for name, column in columns.items()}
    if "clip_ratio/low_mean" in log.series and "clip_fraction" not in series:
        high = log.series.get("clip_ratio/high_mean", np.array(0.0))
        series["clip_fraction"] = log.series["clip_ratio/low_mean"] + high
    return Record(log.steps, series, window=max(len(log.steps) // ROWS_PER_WINDOW, 1))


def columns_of(log: Log, trainer: Trainer) -> dict[str, str]:
    """Name in `KNOWN` -> column of this log."""
    found = {}
    for name, columns in trainer.columns.items():
        column = next((each for each in columns if each in log.series and np.isfinite(log.series[each]).any()), None)
        if column is not None:
            found[name] = column
    return found
