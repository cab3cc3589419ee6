"""What the six tiles must show at a stop, written from the run's arrays."""

import numpy as np

from rlhf_core import PipelineRun

STOPS = ["idle", "sft-30", "rm-60", *(f"ppo-{step}" for step in range(1, 9)), "done"]
DASH = "\N{EN DASH}"


def tiles_at(frame: str, pipeline: PipelineRun) -> dict[str, str]:
    """The six metrics at a stop, written from the run's arrays."""
    n_steps = pipeline.settings.ppo_steps
    tiles = dict.fromkeys(("reward", "kl", "rm_accuracy", "entropy"), DASH)
    phase, _, number = frame.partition("-")
    step = n_steps if phase == "done" else int(number or 0)
    if phase != "idle":
        log_probs = pipeline.sft.log_probs[-1]
        tiles["entropy"] = f"{-(np.exp(log_probs) * log_probs).sum(axis=-1).mean():.2f}"
    if phase in ("rm", "ppo", "done"):
        tiles["rm_accuracy"] = f"{pipeline.reward.heldout_accuracy[-1]:.0%}"
    if phase in ("ppo", "done"):
        ppo = pipeline.ppo
        tiles |= {name: f"{getattr(ppo, name)[step]:.2f}" for name in ("reward", "kl", "entropy")}
    tiles["phase"] = {"idle": "Idle", "sft": "SFT", "rm": "Reward model", "ppo": "PPO", "done": "Done"}[phase]
    tiles["ppo_step"] = f"{step if phase in ('ppo', 'done') else DASH} / {n_steps}"
    return tiles
