"""What true reward is made of: the chosen prompt's phrases, what each is worth, and how far it sways labellers."""

from html import escape

import numpy as np

from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import minus
from rlhf_core.scenarios import VALUES
from rlhf_core.scenarios.brought import Brought
from rlhf_core.worth import part


def phrase_values(view: View) -> Live:
    """A table that stands still: one row per phrase, by slot; clashes below."""
    rows = []
    for slot, phrases in view.run.scenario.phrases[view.prompt].items():
        for phrase in phrases:
            found = part(view.run.scenario, slot, phrase)
            cells = [(name, found.values[name], "") for name in VALUES]
            cells += [("true reward", found.total, "truth"), ("appeal", phrase.appeal, "labellers")]
            numbers = "".join(
                f'<td class="{css} num" data-label="{name}">{minus(value, "+.2f") if value else "0"}</td>'
                for name, value, css in cells
            )
            name = f"<b>{_end(slot, phrase.kind)}</b><span>{escape(phrase.text)}</span>"
            rows.append(f'<tr><th scope="row">{name}</th>{numbers}</tr>')
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("phrase", *VALUES, "true reward", "appeal"))
    template = (
        f'<div class="po-table"><table class="po-rollouts ph-phrases"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{_clashes(view)}"
    )
    return Live(template, np.zeros(len(view.timeline.frames), int))


def _clashes(view: View) -> str:
    """What is taken off where two phrases contradict each other, if the scenario has such pairs."""
    items = "".join(
        f"<li>{_end(*clash.first)} with {_end(*clash.second)}: "
        f'<span class="truth num">{minus(-clash.penalty, "+.2f")}</span>, {escape(clash.reason)}</li>'
        for clash in view.run.scenario.clashes
    )
    return f'<p class="sr-note">Taken off where they meet:</p><ul class="sr-note">{items}</ul>' if items else ""


def _end(slot: str, kind: str) -> str:
    return escape(f"{kind.replace('_', ' ')} {slot}")


def made_of(view: View) -> str:
    """Who says what an answer is worth, and how the parts add up."""
    scenario, bias = view.run.scenario, view.run.settings.labeller_bias
    weights = " + ".join(f"{name} × {weight:g}" for name, weight in scenario.values.items())
    rule = "" if isinstance(view.run.settings.scenario, Brought) else ", by a rule at the head of its file"
    return f"""
The scenario’s author says what each phrase is worth{rule}, and true reward is the sum over
an answer’s three phrases ({weights}): what somebody thinks of the answer who has the time to check it. Appeal is
how far a phrase sways somebody who has not; labellers add appeal × {bias:g} to its worth. Both are judgements that
you may dispute: read the rows and see whether you agree."""
