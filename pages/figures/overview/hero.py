"""The first thing a reader sees move: one prompt, and the policy's likeliest answer as it rewrites itself."""

from collections.abc import Sequence
from html import escape

import numpy as np

from pages.drawing import glossary
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import minus
from pages.drawing.worth import live_fold, live_words
from rlhf_core.timeline import MISSING, Frame

PHRASES = ("opening", "body", "closing")
WORTHS = {"truth": "true_reward", "labellers": "labellers_judgement", "reward": "reward"}
"""What an answer is worth, by name, and the term that explains it."""


def hero(view: View) -> Live:
    """The likeliest answer of the policy at the playhead, phrase by phrase, with its chance and its three rewards."""
    states = [(int(row), _who(view, frame), _scored(view, frame)) for row, frame in _moments(view)]
    distinct = list(dict.fromkeys(states))
    rows = np.array([distinct.index(state) for state in states])
    policies = np.array([row for row, _, _ in distinct])
    likeliest = view.policy_log_probs[policies].argmax(axis=1)
    chance = np.exp(view.policy_log_probs[policies, likeliest])
    values: dict[str, Sequence[str]] = {
        "hero-who": [who for _, who, _ in distinct],
        "hero-chance": [_percent(each) for each in chance],
        "hero-unscored": ["" if scored else "unscored" for *_, scored in distinct],
    }
    for i, name in enumerate(PHRASES):
        values[f"hero-{name}"] = [view.run.scenario.parts(view.prompt, int(answer))[i].text for answer in likeliest]
    for name, (worth, low, high) in _worths(view).items():
        shown = worth[likeliest]
        known = [name != "reward" or scored for *_, scored in distinct]
        values[f"hero-{name}"] = [minus(each, "+.1f") if k else MISSING for each, k in zip(shown, known, strict=True)]
        widths = [max(100 * (each - low) / (high - low), 2) for each in shown]
        values[f"hero-{name}-bar"] = [f"{each if k else 0:.0f}%" for each, k in zip(widths, known, strict=True)]
    values |= live_words(view, "hero-parts", likeliest.tolist())
    return Live(_template(view.question), rows, values)


def _moments(view: View) -> list[tuple[int, Frame]]:
    """Row of `view.policy_log_probs` and frame, for every frame."""
    return list(zip(view.progress.tolist(), view.timeline.frames, strict=True))


def _who(view: View, frame: Frame) -> str:
    settings = view.run.settings
    if frame.phase in ("ppo", "done") and frame.ppo_step:
        return f"the policy after {frame.ppo_step} of {settings.ppo_steps} PPO step{'s'[: settings.ppo_steps > 1]}"
    if frame.sft_epoch:
        done = frame.sft_epoch == settings.sft_epochs
        return "the SFT policy" if done else f"the policy after {frame.sft_epoch} of {settings.sft_epochs} SFT epochs"
    return "the base policy, which has only read the web"


def _scored(view: View, frame: Frame) -> bool:
    return frame.rm_epoch == view.run.settings.rm_epochs


def _worths(view: View) -> dict[str, tuple[np.ndarray, float, float]]:
    """Worth of the prompt's responses by name, and the ends of its bar; truth and judgement share theirs."""
    truth, judged = view.run.scenario.true_reward[view.prompt], view.run.labeller_reward[view.prompt]
    reward = view.run.reward.scores[view.prompt]
    both = _ends(np.append(truth, judged))
    return {"truth": (truth, *both), "labellers": (judged, *both), "reward": (reward, *_ends(reward))}


def _ends(worth: np.ndarray) -> tuple[float, float]:
    """Least and greatest, apart even where all are equal."""
    low, high = float(worth.min()), float(worth.max())
    return low, high if high > low else low + 1


def _percent(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.1 else f"{probability:.1%}"


def _template(question: str) -> str:
    answer = " ".join(f'<span data-slot="hero-{name}" data-flash></span>' for name in PHRASES)
    bars = "".join(
        f'<div class="he-worth"><dt>{glossary.term(key)}</dt>'
        f'<dd><span class="he-track"><span class="bar he-{name}" data-width="hero-{name}-bar"></span></span>'
        f'<b class="{name} num" data-slot="hero-{name}"></b></dd></div>'
        for name, key in WORTHS.items()
    )
    return (
        f'<div class="he-stage" data-testid="hero"><i class="he-flag" data-slot="hero-unscored"></i>'
        f'<p class="he-question">{escape(question)}</p><p class="he-answer">{answer}</p>'
        f'<p class="he-who">The likeliest answer of <b data-slot="hero-who"></b>, '
        f'<b class="num" data-slot="hero-chance"></b> of the time.</p><dl class="he-worths">{bars}</dl>'
        f"{live_fold('hero-parts')}</div>"
    )
