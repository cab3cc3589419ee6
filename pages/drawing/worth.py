"""What true reward is made of, to be opened on a card: phrase by phrase, with the appeal beside it."""

from collections.abc import Callable, Sequence
from functools import cache
from html import escape

from pages.drawing.view import View
from pages.drawing.wording import minus
from rlhf_core.scenarios import SLOTS
from rlhf_core.worth import Part, worth

SUMMARY = "what true reward is made of"


def opened(view: View, response: int) -> str:
    """HTML of a fold that takes the true reward of one of the prompt's responses apart."""
    said = _words(view)(response)
    return _fold(lambda key: escape(said[key]))


def live_fold(name: str) -> str:
    """HTML of the same fold on a card whose response changes; two of one passage need two names."""
    return _fold(lambda key: "", lambda key: f' data-slot="{name}-{key}"')


def live_words(view: View, name: str, responses: Sequence[int]) -> dict[str, list[str]]:
    """What the slots of such a fold show, given the response of each row."""
    rows = list(map(_words(view), responses))
    return {f"{name}-{key}": [row[key] for row in rows] for key in rows[0]}


def _words(view: View) -> Callable[[int], dict[str, str]]:
    """What a fold says, by response; each is worked out once."""
    bias = view.run.settings.labeller_bias

    @cache
    def words(response: int) -> dict[str, str]:
        found = worth(view.run.scenario, view.prompt, response)
        said = {}
        for part in found.parts:
            said[f"{part.slot}-kind"] = f"{part.phrase.kind.replace('_', ' ')} {part.slot}"
            said[f"{part.slot}-worth"] = _worth(part)
            said[f"{part.slot}-appeal"] = f"appeal {minus(part.phrase.appeal, '+.2f')}" if part.phrase.appeal else ""
        said["clashes"] = "; ".join(f"{minus(-clash.penalty, '+.2f')}: {clash.reason}" for clash in found.clashes)
        said["sum"] = f"True reward {minus(found.true_reward, '+.2f')}."
        said["judged"] = (
            f"With {bias:g} × appeal {minus(found.appeal, '+.2f')}, labellers see "
            f"{minus(float(view.run.labeller_reward[view.prompt, response]), '+.2f')}."
            if bias
            else "Labellers without a bias see just that."
        )
        return said

    return words


def _worth(part: Part) -> str:
    """A phrase's values that are not 0, and their sum where there are several."""
    named = [f"{name} {minus(value, '+.2f')}" for name, value in part.values.items() if value]
    return ", ".join(named) + (f" = {minus(part.total, '+.2f')}" if len(named) > 1 else "") or "0"


def _fold(text: Callable[[str], str], slot: Callable[[str], str] = lambda key: "") -> str:
    items = "".join(
        f"<li><b{slot(f'{name}-kind')}>{text(f'{name}-kind')}</b> <span class=\"truth num\""
        f'{slot(f"{name}-worth")}>{text(f"{name}-worth")}</span> <span class="labellers num"'
        f"{slot(f'{name}-appeal')}>{text(f'{name}-appeal')}</span></li>"
        for name in SLOTS
    )
    return (
        f'<details class="worth"><summary>{SUMMARY}</summary><ul>{items}<li class="worth-clash"'
        f'{slot("clashes")}>{text("clashes")}</li></ul><p><span class="truth num"{slot("sum")}>{text("sum")}</span> '
        f'<span class="labellers num"{slot("judged")}>{text("judged")}</span></p></details>'
    )
