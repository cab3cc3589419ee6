"""Words that several pages share: excerpts, numbers with a true minus, counts, and answers by name."""

import re
from html import escape

from pages.drawing.view import View
from rlhf_core.scenarios import Scenario
from rlhf_core.yours.symptoms import CONFIDENCE, wilson

MARKDOWN = re.compile(r"([\\`*_$~\[\]<>#|])")


def excerpt(text: str, length: int = 60) -> str:
    """The beginning of a text, cut between words, with an ellipsis where something is left out."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0].rstrip(",.;:") + "\N{HORIZONTAL ELLIPSIS}"


def wrap(text: str, width: int = 46) -> str:
    """A text broken into lines for hover labels, which show it as it stands."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(escape(line, quote=False).replace("{", "&#123;") for line in lines)


def plain(text: str) -> str:
    """A text that Markdown shows as it stands."""
    return MARKDOWN.sub(r"\\\1", text)


def minus(value: float, pattern: str = ".2f") -> str:
    """Write a number with a true minus sign, and without any sign before zero."""
    text = format(value, pattern)
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def number(value: float, digits: int = 2) -> str:
    """Write a number with so many decimals; see `minus`."""
    return minus(value, f".{digits}f")


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 step, 8 steps, 2,000 comparisons."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def times(count: int) -> str:
    """A count in words: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def moves(before: float, after: float, digits: int = 2, unit: str = "") -> str:
    """From one number to another, in the direction in which they are written: "rises from 0.10 to 0.30"."""
    start, end = (number(value, digits) + unit for value in (before, after))
    return f"stays at {end}" if start == end else f"{'rises' if after > before else 'falls'} from {start} to {end}"


def interval(share: float, count: int) -> str:
    """What a share counted in so many cases leaves open, such as "90% interval 62% to 77%"."""
    low, high = wilson(share, count)
    return f"{2 * CONFIDENCE - 1:.0%} interval {low:.0%} to {high:.0%}"


def kinds(view: View, response: int) -> str:
    """A response by the kinds of its three phrases, as in `praise · clear · promise`."""
    return named(view.run.scenario, view.prompt, response)


def named(scenario: Scenario, prompt: int, response: int) -> str:
    """The same for a scenario and a prompt; texts may begin alike, but no two responses to a prompt share a name."""
    return " · ".join(phrase.kind.replace("_", " ") for phrase in scenario.parts(prompt, response))


def worth(view: View, response: int) -> str:
    """True reward of a response, with its sign."""
    return minus(view.run.scenario.true_reward[view.prompt, response], "+.1f")
