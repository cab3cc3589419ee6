"""One sentence for every frame, built from the run's own numbers."""

import numpy as np

from pages.drawing.wording import minus, moves, named, number, plural
from pages.figures.ppo.words import adding_up, operand
from rlhf_core import PipelineRun, Settings
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
        f"SFT epoch {epoch} of {run.settings.sft_epochs}: a demonstration costs {number(run.sft.loss[epoch])} nats, at "
        f"first {number(run.sft.loss[0])}; one that it was never shown {number(run.sft.heldout_loss[epoch])}."
    )


def _reward_model(run: PipelineRun, frame: Frame) -> str:
    epoch = frame.rm_epoch
    return (
        f"Reward-model epoch {epoch} of {run.settings.rm_epochs}: the loss is {number(run.reward.loss[epoch])} "
        f"(guessing costs log 2 = 0.69), and it picks the chosen response in "
        f"{run.reward.heldout_accuracy[epoch]:.0%} of held-out pairs."
    )


def _done(run: PipelineRun, frame: Frame) -> str:
    reward, truth, kl = run.ppo.reward, run.ppo.true_reward, run.ppo.kl
    return (
        f"Done: PPO took the reward from 0 to {number(reward[-1])}, {number(kl[-1])} nats away from SFT; "
        f"true reward went from {number(truth[0])} to {number(truth[-1])}."
    )


def _ppo(run: PipelineRun, frame: Frame, prompt: int) -> str:
    """Follow the rollout whose opening has the largest advantage through the five lines of the loop."""
    step = frame.ppo_step if frame.line == "update" else frame.ppo_step + 1
    batch = run.ppo.rollouts[step - 1]
    best = int(np.argmax(batch.advantages[prompt, :, 0]))
    response = int(batch.responses[prompt, best])
    name = f"“{named(run.scenario, prompt, response)}”"
    rewards, log_ratio = batch.rewards[prompt], float(batch.log_ratio_to_ref[prompt, best].sum())
    match frame.line:
        case "sample":
            return _sample(run, step, np.unique(batch.responses[prompt]).size, name)
        case "score":
            return (
                f"The reward model scores {name} {minus(rewards[best], '+.2f')}; the batch runs from "
                f"{minus(rewards.min(), '+.2f')} to {minus(rewards.max(), '+.2f')}."
            )
        case "kl":
            return _penalty(name, log_ratio, run.settings.beta)
        case "advantage":
            earned = rewards[best] - run.settings.beta * log_ratio
            return _advantage(run.settings, name, earned, float(batch.advantages[prompt, best, 0]))
    before, after = np.exp(run.ppo.log_probs[step - 1 : step + 1, prompt, response])
    return (
        f"Step {step}, update: {name} {moves(100 * before, 100 * after, digits=1, unit='%')}. "
        f"Over all prompts reward is {number(run.ppo.reward[step])}, KL {number(run.ppo.kl[step])} nats."
    )


def _sample(run: PipelineRun, step: int, different: int, name: str) -> str:
    n = run.settings.rollouts
    if n == 0:
        return f"Step {step}: each of the {different} responses counts with its probability; follow {name}."
    batch = f"{plural(n, 'response')} to this prompt" + (f", {different} different" if n > 1 else "")
    return f"Step {step}: the policy writes {batch}; follow {name}."


def _penalty(name: str, log_ratio: float, beta: float) -> str:
    shown, penalty = adding_up([log_ratio], lambda k: beta * k, beta * log_ratio, digits=3)
    return (
        f"{name} is {number(np.exp(log_ratio))} times as probable as under the SFT policy: "
        f"β {beta:g} × log-ratio {operand(shown)} nats = penalty {penalty}."
    )


def _advantage(settings: Settings, name: str, earned: float, advantage: float) -> str:
    start = f"After the penalty {name} earned"
    if settings.advantage == "gae":
        return (
            f"{start} {number(earned)}; by what came of it, against the values that were expected, its opening has an "
            f"advantage of {number(advantage)}."
        )
    if settings.rollouts == 1:
        return f"{start} {number(earned)}; a single rollout has nothing to be compared with, so its advantage is 0."
    if settings.advantage == "group_normalised":
        return f"{start} {number(earned)}: {number(advantage)} spreads of the batch above its mean."
    gained, baseline, shown = adding_up([earned, earned - advantage], lambda a, b: a - b, advantage)
    rest = "the others" if settings.advantage == "leave_one_out" else "the batch"
    rest = "all answers" if settings.rollouts == 0 else rest
    return f"{start} {gained}, {rest} on average {baseline}: its advantage is {shown}."
