"""One sentence for every frame, built from the run's own numbers."""

import numpy as np

from pages.drawing.wording import excerpt, minus
from rlhf_core import PipelineRun
from rlhf_core.timeline import Frame


def narrate(run: PipelineRun, frame: Frame, prompt: int) -> str:
    """What happens in this frame, in one sentence."""
    if frame.phase == "ppo":
        return _ppo(run, frame, prompt)
    return {"idle": _idle, "sft": _sft, "rm": _reward_model, "done": _done}[frame.phase](run, frame)


def _idle(run: PipelineRun, frame: Frame) -> str:
    return "The base policy answers as web text would. Run trains it in three stages; Step goes phase by phase."


def _sft(run: PipelineRun, frame: Frame) -> str:
    epoch = frame.sft_epoch
    return (
        f"SFT epoch {epoch} of {run.settings.sft_epochs}: a demonstration costs {minus(run.sft.loss[epoch])} nats, "
        f"down from {minus(run.sft.loss[0])}; one never trained on {minus(run.sft.heldout_loss[epoch])}."
    )


def _reward_model(run: PipelineRun, frame: Frame) -> str:
    epoch = frame.rm_epoch
    return (
        f"Reward-model epoch {epoch} of {run.settings.rm_epochs}: the loss is {minus(run.reward.loss[epoch])} "
        f"(guessing costs log 2 = 0.69), and it picks the chosen response in "
        f"{run.reward.heldout_accuracy[epoch]:.0%} of held-out pairs."
    )


def _done(run: PipelineRun, frame: Frame) -> str:
    reward, truth, kl = run.ppo.reward, run.ppo.true_reward, run.ppo.kl
    return (
        f"Done: PPO raised the reward from 0 to {minus(reward[-1])} for {minus(kl[-1])} nats; "
        f"true reward went from {minus(truth[0])} to {minus(truth[-1])}."
    )


def _ppo(run: PipelineRun, frame: Frame, prompt: int) -> str:
    """Follow the rollout whose opening has the largest advantage through the five lines of the loop."""
    step = frame.ppo_step if frame.line == "update" else frame.ppo_step + 1
    batch = run.ppo.rollouts[step - 1]
    best = int(np.argmax(batch.advantages[prompt, :, 0]))
    response = int(batch.responses[prompt, best])
    rewards, advantage = batch.rewards[prompt], batch.advantages[prompt, best, 0]
    log_ratio = float(batch.log_ratio_to_ref[prompt, best].sum())
    beta = run.settings.beta
    quoted = f"“{excerpt(run.scenario.responses[prompt][response], 48)}”"
    match frame.line:
        case "sample":
            n, kinds = len(rewards), len(np.unique(batch.responses[prompt]))
            if run.settings.rollouts == 0:
                return f"Step {step}: every one of the {n} responses counts with its probability; follow {quoted}"
            return f"Step {step}: the policy writes {n} responses to this prompt, {kinds} different; one is {quoted}"
        case "score":
            return (
                f"The reward model scores {quoted} {minus(rewards[best], '+.2f')}; the batch runs from "
                f"{minus(rewards.min(), '+.2f')} to {minus(rewards.max(), '+.2f')}."
            )
        case "kl":
            return (
                f"{quoted} is {minus(np.exp(log_ratio))} times as probable as under the SFT policy: "
                f"log-ratio {minus(log_ratio, '+.2f')} nats × β {beta:g} = penalty {minus(beta * log_ratio, '+.2f')}."
            )
        case "advantage":
            earned = rewards[best] - beta * log_ratio
            return (
                f"After the penalty {quoted} earned {minus(earned, '+.2f')}; against its baseline that is an advantage "
                f"of {minus(advantage, '+.2f')}."
            )
    before, after = np.exp(run.ppo.log_probs[step - 1 : step + 1, prompt, response])
    moves = f"{'rises' if after >= before else 'falls'} from {before:.1%} to {after:.1%}"
    if f"{before:.1%}" == f"{after:.1%}":
        moves = f"stays at {after:.1%}"
    return (
        f"Step {step}, update: {quoted} {moves}. "
        f"Over all prompts reward is {minus(run.ppo.reward[step])}, KL {minus(run.ppo.kl[step])} nats."
    )
