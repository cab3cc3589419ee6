"""Words that several pages share: excerpts, numbers with a true minus, counts, and answers by name."""

import re

from pages.drawing.view import View

MARKDOWN = re.compile(r"([\\`*_$~\[\]<>#|])")


def excerpt(text: str, length: int = 60) -> str:
    """The beginning of a text, cut between words, with an ellipsis where something is left out."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0].rstrip(",.;:") + "\N{HORIZONTAL ELLIPSIS}"


def wrap(text: str, width: int = 46) -> str:
    """A text broken into lines for hover labels."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def plain(text: str) -> str:
    """A text that Markdown shows as it stands."""
    return MARKDOWN.sub(r"\\\1", text)


def minus(value: float, pattern: str = ".2f") -> str:
    """Write a number with a true minus sign, and without one before zero."""
    text = format(value, pattern)
    return text.replace("-", "" if float(text) == 0 else "\N{MINUS SIGN}")


def times(count: int) -> str:
    """A count in words: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def kinds(view: View, response: int) -> str:
    """A response by the kinds of its three phrases, as in `praise · clear · promise`."""
    return " · ".join(phrase.kind.replace("_", " ") for phrase in view.run.scenario.parts(view.prompt, response))


def worth(view: View, response: int) -> str:
    """True reward of a response, with its sign."""
    return minus(view.run.scenario.true_reward[view.prompt, response], "+.1f")
