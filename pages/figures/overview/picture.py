"""The pipeline as a picture: people write, people compare, the policy practises on a leash."""

import numpy as np

from pages.drawing.live import Live
from pages.drawing.view import View

PERSON = '<circle cx="{x}" cy="{y}" r="9" class="ink"/><path d="M{left} {foot}c0-20 30-20 30 0" class="ink"/>'
PAGE = '<rect x="{x}" y="{y}" width="34" height="42" rx="4" class="paper"/>{lines}'
ARROW = '<path d="M{x} {y}h{length}m-7-6l7 6l-7 6" class="ink"/>'


def pipeline_picture(view: View) -> Live:
    """Three scenes, lit while their stage runs; a press shows the end of that stage."""
    scenes = (
        ("sft", "People write, the policy imitates", _writing()),
        ("rm", "People compare, the reward model learns", _comparing()),
        ("ppo", "The policy answers, is scored and moves, on a leash", _practising()),
    )
    ends = {"sft": f"sft-{view.run.settings.sft_epochs}", "rm": f"rm-{view.run.settings.rm_epochs}", "ppo": "done"}
    buttons = "".join(
        f'<button type="button" class="pi-stage" data-phase="{phase}" data-seek="{ends[phase]}">'
        f'<svg viewBox="0 0 280 96" aria-hidden="true">{scene}</svg><span>{label}</span></button>'
        for phase, label, scene in scenes
    )
    return Live(f'<div class="pi-stages">{buttons}</div>', np.zeros(len(view.timeline.frames), dtype=int))


def _person(x: int, y: int) -> str:
    return PERSON.format(x=x, y=y, left=x - 15, foot=y + 34)


def _page(x: int, y: int, n_lines: int = 4) -> str:
    lines = "".join(
        f'<path d="M{x + 7} {y + 9 + 8 * i}h{20 - 6 * (i == n_lines - 1)}" class="ink"/>' for i in range(n_lines)
    )
    return PAGE.format(x=x, y=y, lines=lines)


def _policy(x: int, y: int, kind: str = "of-policy") -> str:
    """A network of four dots: the policy, or the reference that it came from."""
    dots = [(x, y), (x, y + 28), (x + 26, y + 14), (x + 52, y + 14)]
    edges = "".join(f"M{a} {b}L{c} {d}" for a, b, c, d in ((x, y, x + 26, y + 14), (x, y + 28, x + 26, y + 14),
                                                           (x + 26, y + 14, x + 52, y + 14)))  # fmt: skip
    return f'<path d="{edges}" class="{kind}"/>' + "".join(
        f'<circle cx="{cx}" cy="{cy}" r="5" class="{kind}"/>' for cx, cy in dots
    )


def _gauge(x: int, y: int) -> str:
    """A dial: the reward model."""
    return f'<path d="M{x} {y}a24 24 0 0 1 48 0M{x + 24} {y}l12-15" class="of-reward"/>'


def _writing() -> str:
    return (
        _person(30, 26) + ARROW.format(x=58, y=46, length=22) + _page(92, 26) + ARROW.format(x=138, y=46, length=34)
        + _policy(192, 32)
    )  # fmt: skip


def _comparing() -> str:
    tick = '<path d="M124 80l6 7l12-14" class="of-reward"/>'
    pages = _page(78, 14) + _page(122, 14)
    return _person(30, 26) + pages + tick + ARROW.format(x=170, y=46, length=26) + _gauge(212, 60)


def _practising() -> str:
    leash = '<path d="M42 70c10 26 46 26 60 6" class="of-kl"/>'
    back = '<path d="M236 66c-10 26-70 30-100 8m1 11l-2-11l11-2" class="of-reward"/>'
    return (
        _policy(14, 34, "of-reference") + leash + _policy(88, 26) + ARROW.format(x=148, y=40, length=16)
        + _page(172, 18) + _gauge(216, 56) + back
    )  # fmt: skip
