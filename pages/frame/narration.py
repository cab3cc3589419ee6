"""One sentence for every frame, built from the run's own numbers."""

import numpy as np

from pages.drawing.wording import excerpt
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
        f"SFT epoch {epoch} of {run.settings.sft_epochs}: a demonstration costs {run.sft.loss[epoch]:.2f} nats, "
        f"down from {run.sft.loss[0]:.2f}; one never trained on {run.sft.heldout_loss[epoch]:.2f}."
    )


def _reward_model(run: PipelineRun, frame: Frame) -> str:
    epoch = frame.rm_epoch
    return (
        f"Reward-model epoch {epoch} of {run.settings.rm_epochs}: the loss is {run.reward.loss[epoch]:.2f} "
        f"(guessing costs log 2 = 0.69), and it picks the chosen response in "
        f"{run.reward.heldout_accuracy[epoch]:.0%} of held-out pairs."
    )


def _done(run: PipelineRun, frame: Frame) -> str:
    reward, truth, kl = run.ppo.reward, run.ppo.true_reward, run.ppo.kl
    return (
        f"Done: PPO raised the reward from 0 to {reward[-1]:.2f} for {kl[-1]:.2f} nats; "
        f"true reward went from {truth[0]:.2f} to {truth[-1]:.2f}."
    )


def _ppo(run: PipelineRun, frame: Frame, prompt: int) -> str:
    """Follow the rollout whose opening has the largest advantage through the five lines of the loop."""
    step = frame.ppo_step if frame.line == "update" else frame.ppo_step + 1
    batch = run.ppo.rollouts[step - 1]
    best = int(np.argmax(batch.advantages[prompt, :, 0]))
    response = int(batch.responses[prompt, best])
    rewards, advantage = batch.rewards[prompt], batch.advantages[prompt, best, 0]
    log_ratio = float(batch.log_ratio_to_ref[prompt, best].sum()) + 0.0
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
                f"The reward model scores {quoted} {rewards[best]:+.2f}; the batch runs from {rewards.min():+.2f} "
                f"to {rewards.max():+.2f}."
            )
        case "kl":
            return (
                f"{quoted} is {np.exp(log_ratio):.2f} times as probable as under the SFT policy: "
                f"log-ratio {log_ratio:+.2f} nats × β {beta:g} = penalty {beta * log_ratio + 0.0:+.2f}."
            )
        case "advantage":
            earned = rewards[best] - beta * log_ratio
            return (
                f"After the penalty {quoted} earned {earned:+.2f}; against its baseline that is an advantage "
                f"of {advantage:+.2f}."
            )
    before, after = np.exp(run.ppo.log_probs[step - 1 : step + 1, prompt, response])
    moves = "rises" if after >= before else "falls"
    return (
        f"Step {step}, update: {quoted} {moves} from {before:.1%} to {after:.1%}. "
        f"Over all prompts reward is {run.ppo.reward[step]:.2f}, KL {run.ppo.kl[step]:.2f} nats."
    )
