"""Words, numbers and frames that the figures of the PPO page share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import product

import numpy as np

from pages.drawing.view import View, once
from pages.drawing.wording import excerpt, number
from rlhf_core.ppo import Rollouts

MINUS = "\N{MINUS SIGN}"
MOST_DIGITS = 9
TIE = 1e-9
"""What decides how a 5 at the end is rounded is less than this."""
TOKENS = ("opening", "body", "closing")
SHOWN = 32
"""Rollouts that the charts of one step draw at most; all count in training."""


def figures(value: float, n: int) -> str:
    """A number >= 0 with n significant figures."""
    return f"{float(value):#.{n}g}".rstrip(".")


def operand(text: str) -> str:
    """A number that follows an operator, in parentheses where it is negative."""
    return f"({text})" if text.startswith(MINUS) else text


def adding_up(
    terms: Sequence[float],
    combine: Callable[..., float],
    result: float,
    *,
    digits: int = 2,
    significant: bool = False,
) -> tuple[str, ...]:
    """Terms and result as text, the terms with as many digits as it takes to arrive at the shown result.

    The result has `digits` decimals, the terms as many or more; or, if `significant`, more significant digits. So a
    reader who recomputes the result from what is shown gets the same, however they round a 5 at the end.
    """
    shown = number(result, digits)
    for places in range(digits + significant, MOST_DIGITS):
        texts = [figures(term, places) if significant else number(term, places) for term in terms]
        with np.errstate(all="ignore"):
            reached = combine(*(np.float64(text.replace(MINUS, "-")) for text in texts))
        if np.isfinite(reached) and {number(reached - TIE, digits), number(reached + TIE, digits)} == {shown}:
            break
    return (*texts, shown)


@once
def _names(view: View) -> tuple[tuple[str, str], ...]:
    """Short name and abridged text of every response of the chosen prompt."""
    lengths = (36, 46, 32)
    combos = product(*view.run.scenario.phrases[view.prompt].values())
    return tuple(
        (
            " · ".join(phrase.kind.replace("_", " ") for phrase in combo),
            " ".join(excerpt(phrase.text, length) for phrase, length in zip(combo, lengths, strict=True)),
        )
        for combo in combos
    )


def name(view: View, response: int) -> str:
    """Short name of a response: the kinds of its opening, body and closing."""
    return _names(view)[response][0]


def abridged(view: View, response: int) -> str:
    """The beginnings of a response's three phrases."""
    return _names(view)[response][1]


def slot(key: str, css: str = "num") -> str:
    """A coloured word of a live passage."""
    return f'<span class="{escape(css)}" data-slot="{escape(key)}"></span>'


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What the chosen prompt's share of one PPO step was trained on, and the rollout that the page follows."""

    number: int
    responses: np.ndarray
    rewards: np.ndarray
    log_ratio: np.ndarray
    """(G, 3) old policy to reference, nats per token."""
    penalty: np.ndarray
    """(G,) beta times the response's log-ratio, in reward units."""
    advantages: np.ndarray
    """(G, 3)."""
    ratio: np.ndarray
    """(G, 3) new over old policy after the step."""
    weights: np.ndarray
    """(G,) share of each rollout in the step's means; sums to 1."""

    def follow(self, rule: str) -> int:
        """Index of the rollout that a rule of `RULES` picks."""
        return RULES[rule](self)


RULES: Mapping[str, Callable[[Step], int]] = {
    "largest advantage": lambda step: int(np.argmax(step.advantages[:, 0])),
    "smallest advantage": lambda step: int(np.argmin(step.advantages[:, 0])),
    "lowest log-ratio": lambda step: int(np.argmin(step.log_ratio.sum(axis=1))),
}
"""Which rollout to follow through a step; the first is the one that the narration follows."""
NARRATED = "largest advantage"


def _step(view: View, index: int, batch: Rollouts) -> Step:
    p, settings = view.prompt, view.run.settings
    n = batch.rewards.shape[1]
    log_ratio = batch.log_ratio_to_ref[p].copy()  # a slice would hold the numbers of all prompts
    return Step(
        number=index + 1,
        responses=batch.responses[p].copy(),
        rewards=batch.rewards[p].copy(),
        log_ratio=log_ratio,
        penalty=settings.beta * log_ratio.sum(axis=-1),
        advantages=batch.advantages[p].copy(),
        ratio=batch.ratio[p].copy(),
        weights=np.full(n, 1 / n) if settings.rollouts else np.exp(view.run.ppo.log_probs[index, p]),
    )


@once
def steps(view: View) -> tuple[Step, ...]:
    """The chosen prompt's part of every PPO step."""
    return tuple(_step(view, i, batch) for i, batch in enumerate(view.run.ppo.rollouts))


def batch_rows(view: View) -> np.ndarray:
    """PPO step whose rollouts each frame looks at, 1 … T; 0 before PPO."""
    numbers = {"ppo": lambda frame: frame.ppo_step + (frame.line != "update"), "done": lambda frame: frame.ppo_step}
    return np.array([numbers[frame.phase](frame) if frame.phase in numbers else 0 for frame in view.timeline.frames])


def update_rows(view: View) -> np.ndarray:
    """Two rows per PPO step: 2k-1 until its update, 2k from then on; 0 before PPO."""
    rows = 2 * batch_rows(view)
    return rows - np.array([frame.line not in (None, "update") for frame in view.timeline.frames])


def outlook(n_steps: int) -> int:
    """Step that stands in for all before PPO has begun: half-way, where policy and reference already differ."""
    return (n_steps + 1) // 2


def preview(values: Sequence[str]) -> list[str]:
    """Rows as in `batch_rows` from one value per step; row 0, before PPO, shows a step still to come."""
    return [values[outlook(len(values)) - 1], *values]
