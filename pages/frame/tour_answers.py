"""Which of a tour step's options is so, read off the run on screen and, where a step compares, off others."""

from dataclasses import replace

import numpy as np

from pages.drawing.marks import fell_back
from pages.frame.runs import shared_run
from rlhf_core import PipelineRun, Settings
from rlhf_core.settings import DEFAULTS
from rlhf_core.yours.record import spread

SAME = 0.1
"""Spreads of true reward that count as no change."""
NEARLY, BETTER = 0.8, 0.05
"""Shares of the way from the base policy to the best answers."""
AS_FAR, HALF = 0.8, 0.35
"""Shares of the KL with the default β."""
AS_OFTEN = 0.02
"""Difference in accuracy that counts as none."""
BETAS = (0.1, 1.0, 2.0)


def truth(run: PipelineRun) -> str:
    """What PPO does to the true reward."""
    change = float(run.ppo.true_reward[-1] - run.ppo.true_reward[0])
    if abs(change) <= SAME * float(spread(run.ppo.log_probs[0], run.scenario.true_reward)):
        return "it stays"
    return "it rises too" if change > 0 else "it falls"


def imitation(run: PipelineRun) -> str:
    """How near SFT comes to the best answers."""
    best = float(run.scenario.true_reward.max(axis=1).mean())
    base, sft = float(run.course.true_reward[0].mean()), float(run.ppo.true_reward[0])
    share = (sft - base) / (best - base)
    if share >= NEARLY:
        return "yes, nearly"
    return "better ones, not the best" if share > BETTER else "no better than before"


def leash(run: PipelineRun) -> str:
    """How far the policy goes, against the same run at the default β."""
    usual, _ = shared_run(_changed(run, beta=DEFAULTS["beta"]))
    share = float(run.ppo.kl[-1] / max(usual.ppo.kl[-1], 1e-9))
    return "as far as before" if share >= AS_FAR else "about half as far" if share >= HALF else "hardly at all"


def hacked(run: PipelineRun) -> str:
    """Which way the true reward goes."""
    if not fell_back(run):
        return "rises with it"
    return "falls from the start" if int(np.argmax(run.ppo.true_reward)) == 0 else "rises, then falls"


def bias(run: PipelineRun) -> str:
    """Accuracy on the labellers' own choices, against the same run at the default bias."""
    usual, _ = shared_run(_changed(run, labeller_bias=DEFAULTS["labeller_bias"]))
    gap = float(run.reward.heldout_accuracy[-1] - usual.reward.heldout_accuracy[-1])
    return "as often" if abs(gap) <= AS_OFTEN else "more often" if gap > 0 else "less often"


def best_beta(run: PipelineRun) -> str:
    """Which of three penalties leaves most true reward at the end."""
    ends = {beta: float(shared_run(_changed(run, beta=beta))[0].ppo.true_reward[-1]) for beta in BETAS}
    return f"{max(BETAS, key=lambda beta: ends[beta]):g}"


def _changed(run: PipelineRun, **changes: float) -> Settings:
    return replace(run.settings, **changes)
