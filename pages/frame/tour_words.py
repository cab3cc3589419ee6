"""What has happened at each step of the tour, with the run's own numbers: true of whatever the reader has set."""

import numpy as np

from pages.drawing.marks import fell_back
from pages.drawing.wording import minus, plural
from pages.figures.ppo.words import adding_up, operand
from pages.frame.memory import brought_in
from rlhf_core import PipelineRun


def answers(run: PipelineRun) -> str:
    """What PPO did to the reward and to the true reward."""
    reward, truth = run.ppo.reward, run.ppo.true_reward
    return (
        f"The reward went from {minus(reward[0])} to {minus(reward[-1])}, and the true reward, what a careful reader "
        f"thinks of the answers, from {minus(truth[0])} to {minus(truth[-1])}. PPO only ever saw the first."
    )


def imitation(run: PipelineRun) -> str:
    """What SFT learned, and what not."""
    best = run.scenario.true_reward.max(axis=1).mean()
    return (
        f"A demonstration that SFT was trained on now costs {minus(run.sft.loss[-1])} nats, at first "
        f"{minus(run.sft.loss[0])}; another one by the same writer {minus(run.sft.heldout_loss[-1])}, at first "
        f"{minus(run.sft.heldout_loss[0])}. True reward is {minus(run.ppo.true_reward[0])}, where the best answers "
        f"would earn {minus(best)}: SFT copies what the writer wrote, the good and the middling alike, and never hears "
        f"which was better."
    )


def pairs(run: PipelineRun) -> str:
    """Why only differences count."""
    return (
        f"The loss went from log 2 = {minus(run.reward.loss[0])} to {minus(run.reward.loss[-1])} a pair. A label says "
        "which of two answers is better and nothing else, so only differences enter the loss, and adding 10 to every "
        "score changes nothing. (Labellers can be asked for more: InstructGPT's put 4 to 9 answers in order, which "
        "were then taken apart into pairs, and some projects ask for marks.)"
    )


def one_step(run: PipelineRun) -> str:
    """How far one step went."""
    most, limit = float(run.ppo.rollouts[0].ratio.max()), 1 + run.settings.clip_range
    lesson = (
        f"clipping at {limit:g} stops the push, it does not hold the ratio there"
        if most > limit
        else f"this time none has passed {limit:g}, where clipping would stop the push"
    )
    return (
        f"In one step the KL has come to {minus(run.ppo.kl[1], '.3f')} nats and the mean reward to "
        f"{minus(run.ppo.reward[1])}. The largest ratio of new to old probability is {minus(most)}: {lesson}."
    )


def leash(run: PipelineRun) -> str:
    """What a high price bought."""
    ppo, beta = run.ppo, run.settings.beta
    reward, kl, objective = adding_up([ppo.reward[-1], ppo.kl[-1]], lambda r, k: r - beta * k, ppo.objective[-1])
    return (
        f"At β = {beta:g}, {plural(run.settings.ppo_steps, 'step')} bring a reward of {reward} for {kl} nats, so "
        f"J = {operand(reward)} − {beta:g} × {operand(kl)} = {objective}. A nat that brings less than {beta:g} reward "
        f"units is not worth its price."
    )


def hacked(run: PipelineRun) -> str:
    """Whether the reward was hacked."""
    reward, truth = run.ppo.reward, run.ppo.true_reward
    peak = int(np.argmax(truth))
    if not fell_back(run):
        return (
            f"Here little or nothing is lost: true reward is {minus(truth[-1])} at the end and was highest at step "
            f"{peak} ({minus(truth[peak])}), with a reward of {minus(reward[-1])}. Try another seed or scenario, or "
            f"labellers with more bias."
        )
    return (
        f"True reward was best at step {peak} ({minus(truth[peak])}) and is {minus(truth[-1])} at the end, while the "
        f"reward went from {minus(reward[peak])} to {minus(reward[-1])}. Read the answers on the Overview page: the "
        f"policy has found some that the reward model overrates."
    )


def bias(run: PipelineRun) -> str:
    """What swayed labellers make of accuracy, of their own judgement and of the truth."""
    ppo, accuracy = run.ppo, run.reward.heldout_accuracy[-1]
    judged, gained = (curve[-1] - curve[0] for curve in (ppo.labeller_reward, ppo.true_reward))
    return (
        f"The reward model predicts {accuracy:.0%} of the labellers’ held-out choices: what sways them stands in the "
        f"text, so it can be learnt. After PPO the labellers’ judgement has changed by {minus(judged, '+.2f')} and the "
        f"true reward by {minus(gained, '+.2f')}. Accuracy is measured against labellers, never against the truth; "
        "more labels of the same kind make it surer, not righter."
    )


def rescue(run: PipelineRun) -> str:
    """What the chosen price saved."""
    truth, kl = run.ppo.true_reward, run.ppo.kl[-1]
    if truth[-1] < truth[0]:
        verdict = "That is less than before PPO: this β is too small for so many steps."
    elif fell_back(run):
        verdict = f"At step {int(truth.argmax())} it was {minus(truth.max())}: stopping there would have kept it."
    else:
        verdict = "Little or nothing of what was gained is lost again. Does another β bring more?"
    return (
        f"With β = {run.settings.beta:g} the policy ends at KL {minus(kl)} nats and true reward {minus(truth[-1])}, "
        f"from {minus(truth[0])} after SFT. {verdict} The penalty does not make the reward model right; it keeps the "
        f"policy nearer to where it was measured."
    )


def closing(run: PipelineRun) -> str:
    """What was learnt, and what to do in one's own project."""
    taken = "has a link to" if brought_in(run.settings) is None else "saves a file of"
    return (
        "SFT copies, good and middling alike. A reward model learns what labellers choose, and what sways them. PPO "
        "climbs the reward, and β only sets how far it goes from where the reward was measured. **In your own "
        "project:** try SFT and DPO first; measure how far labellers agree, and have some labels checked; hold pairs "
        "out and count them; sweep β and compare answers at equal KL; stop by people’s judgement of samples, never by "
        f"the reward. The run on screen ends with a true reward of {minus(run.ppo.true_reward[-1])}, from "
        f"{minus(run.ppo.true_reward[0])} after SFT. *Share* in the sidebar {taken} it. Next: the "
        "[stopping game](lab?experiment=stopping&beta=0&ppo_steps=60) and [which method?](lab?experiment=methods) in "
        "the Lab."
    )
