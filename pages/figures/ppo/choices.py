"""What other trainers do otherwise, each with a number of this run: a few sentences where the page comes to it."""

import numpy as np

from pages.drawing.view import View
from pages.drawing.wording import number, plural
from rlhf_core import policy
from rlhf_core.calibration import better_of_two
from rlhf_core.policy_gradient import log_derivative

TARGET, GAIN, MOST = 1.0, 0.1, 0.2
"""Ziegler et al.'s controller: here towards 1 nat; its gain, and the largest relative error that it counts."""


def resets(view: View) -> str:
    """Reference resets, with the distance that they would forget."""
    return (
        "**The reference may move.** Some projects put the current policy in its place now and then, for instance "
        "[ProRL (2025)](https://arxiv.org/abs/2505.24864) in long runs. The leash then begins anew: after a reset at "
        f"the end of this run the KL would read 0, and the policy would still be {number(view.run.ppo.kl[-1])} nats "
        "from SFT’s. Who compares two runs by their KL must know what it was measured from."
    )


def in_the_loss(view: View) -> str:
    """KL in the reward or in the loss, with the angle between the two slopes."""
    return (
        "**In the reward or in the loss?** InstructGPT’s PPO takes β times the log-ratio off the reward, as here. GRPO "
        "leaves the reward alone and adds β times k3 to the loss. The mean of k3 is the KL, but its slope, taken on "
        f"the policy’s own answers, is that of the other direction, KL(reference ‖ π). {_angle(view)} "
        "[(Proof and discussion)](https://arxiv.org/abs/2510.01555)"
    )


def _angle(view: View) -> str:
    tables = policy.log_tables(tuple(table[[view.prompt]] for table in view.run.ppo.logits[-1]))
    now, reference = (view.run.ppo.log_probs[i, [view.prompt]] for i in (-1, 0))
    ours, theirs = (
        np.concatenate([slope.ravel() for slope in log_derivative(tables, weights)])
        for weights in (np.exp(now) * (now - reference), -np.exp(reference))
    )
    size = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    if size < 1e-9:
        return "In this run the policy has not moved for this prompt, and both slopes are 0."
    degrees = np.degrees(np.arccos(np.clip(ours @ theirs / size, -1, 1)))
    return f"For this prompt, at the end of this run, the two slopes point {degrees:.0f} degrees apart."


def adaptive(view: View) -> str:
    """A controller that keeps the KL at a target by moving beta, applied to this run's last step."""
    kl, beta = max(float(view.run.ppo.kl[-1]), 0.0), view.run.settings.beta
    factor = 1 + GAIN * float(np.clip(kl / TARGET - 1, -MOST, MOST))
    stays = " A β of 0 stays 0." if beta == 0 else ""
    return (
        "**Adaptive KL.** Instead of the price one may fix the distance. "
        "[Ziegler et al. (2019)](https://arxiv.org/abs/1909.08593) raise β a little after each batch whose KL is above "
        f"a target and lower it below. With a target of {TARGET:g} nat, this run’s KL of {number(kl)} nats at the end "
        f"would multiply β by {number(factor, 3)}.{stays}"
    )


def other_leashes(view: View) -> str:
    """A β that moves, and KL in the loss."""
    return f"{adaptive(view)}\n\n{in_the_loss(view)}"


def dpo(view: View) -> str:
    """Direct preference optimisation, and this run's policy read in its way."""
    pairs, run = view.run.reward.pairs, view.run
    log_ratio = run.ppo.log_probs[-1] - run.ppo.log_probs[0]
    right = log_ratio[pairs.prompt, pairs.chosen] > log_ratio[pairs.prompt, pairs.rejected]
    trained = ~pairs.heldout
    return (
        "**DPO** needs neither reward model nor rollouts. It asks the policy itself to order the pairs: β times the "
        "log-ratio to the reference takes the reward’s place in the Bradley–Terry loss "
        "([Rafailov et al. 2023](https://arxiv.org/abs/2305.18290)). Read that way, this run’s policy orders "
        f"{right[trained].mean():.0%} of the {plural(int(trained.sum()), 'training pair')} as the labeller did, the "
        f"reward model {run.reward.train_accuracy[-1]:.0%}. DPO learns from the answers that were compared and writes "
        "none of its own; it over-optimises all the same, and the probability of the chosen answers may fall with that "
        "of the rejected ones, as only their difference counts."
    )


def rlvr(view: View) -> str:
    """Verifiable rewards, with how far this run's reward can be trusted."""
    scores, truth = view.run.reward.scores, view.run.scenario.true_reward
    before, after = (_mean(better_of_two(view.run.ppo.log_probs[i], scores, truth)) for i in (0, -1))
    return (
        "**RLVR.** Where an answer can be checked, as in mathematics or code, a program takes the reward model’s "
        "place, and the reward is the truth as far as the check goes. The update stays the same. Most questions have "
        "no such check, and a model’s reward is what this page shows: of two answers of the SFT policy it names the "
        f"truly better one in {before}, of two of the policy’s at the end of this run in {after}. A checker would be "
        "right in all."
    )


def _mean(shares: np.ndarray) -> str:
    """Mean over prompts where there is anything to compare."""
    known = shares[np.isfinite(shares)]
    return f"{known.mean():.0%} of cases" if len(known) else "no case, as all are alike"
