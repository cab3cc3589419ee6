"""A reader's own scenario: the three rewards along PPO, and what they come to."""

import numpy as np

from pages.drawing import theme
from pages.drawing.marks import fell_back
from pages.drawing.panel import Panel
from pages.drawing.theme import Palette
from pages.drawing.wording import minus, moves, number, plural
from rlhf_core import PipelineRun
from rlhf_core.distributions import Array


def finding(run: PipelineRun) -> str:
    """Where PPO has gone in this world, by each of the three rewards."""
    ppo = run.ppo
    said = (
        f"Over {plural(run.settings.ppo_steps, 'PPO step')} the reward {moves(ppo.reward[0], ppo.reward[-1])}, the "
        f"labellers’ judgement {moves(ppo.labeller_reward[0], ppo.labeller_reward[-1])}, and true reward "
        f"{moves(ppo.true_reward[0], ppo.true_reward[-1])}, at {number(ppo.kl[-1])} nats from SFT. On held-out prompts "
        f"the reward model is right in {run.reward.heldout_accuracy[-1]:.0%} of the pairs. "
    )
    if fell_back(run):
        peak = int(ppo.true_reward.argmax())
        return said + f"True reward was highest at step {peak} and has fallen back since."
    return said


def charts(run: PipelineRun, palette: Palette) -> list[Panel]:
    """The three rewards, and the distance paid for them."""
    steps = np.arange(len(run.ppo.reward))
    rewards = (
        (run.ppo.reward, "reward", palette.reward, "dash"),
        (run.ppo.labeller_reward, "labellers’ judgement", palette.labellers, "dashdot"),
        (run.ppo.true_reward, "true reward", palette.true_reward, "solid"),
    )
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "x": steps, "y": values, "name": name,
            "line": theme.line(hue, dash), "marker": {"size": 5},
            "hovertemplate": f"{name}, step %{{x}}: %{{y:.2f}}<extra></extra>",
        }
        for values, name, hue, dash in rewards
    ]  # fmt: skip
    distance = {
        "type": "scatter", "mode": "lines+markers", "x": steps, "y": run.ppo.kl, "name": "KL", "showlegend": False,
        "line": theme.line(palette.kl), "marker": {"size": 5},
        "hovertemplate": "step %{x}: %{y:.2f} nats<extra></extra>",
    }  # fmt: skip
    one = theme.figure(palette, x="PPO step", y="mean over prompts [own units]", data=data, height=340)
    other = theme.figure(palette, x="PPO step", y="KL to SFT [nats]", data=[distance], height=340)
    return [
        Panel("The three rewards", one, "Reward, labellers' judgement and true reward along PPO's steps."),
        Panel("How far the policy has gone", other, "KL of the policy to the SFT policy along PPO's steps."),
    ]


def answers(run: PipelineRun, prompt: int) -> list[tuple[str, str, str]]:
    """Heading, text and figures of the answers that matter for a prompt; the text is the reader's, as it stands."""
    ranked: dict[str, Array] = {
        "SFT’s favourite": run.sft.log_probs[-1],
        "PPO’s favourite": run.ppo.log_probs[-1],
        "Best by the reward": run.reward.scores,
        "Best by true reward": run.scenario.true_reward,
    }
    shown = []
    for head, values in ranked.items():
        best = int(values[prompt].argmax())
        figures = (
            f"{np.exp(run.ppo.log_probs[-1][prompt, best]):.0%} of PPO’s answers · "
            f"reward {minus(run.reward.scores[prompt, best], '+.2f')} · "
            f"labellers’ judgement {minus(run.labeller_reward[prompt, best], '+.2f')} · "
            f"true reward {minus(run.scenario.true_reward[prompt, best], '+.2f')}"
        )
        shown.append((head, run.scenario.responses[prompt][best], figures))
    return shown
