"""Formulas whose terms bear the colours of the charts."""

import re

from pages.drawing.theme import Palette

TERM = re.compile(r"\\(policy|reference|reward|kl|truth|optimum)\{")


def coloured(source: str, palette: Palette) -> str:
    r"""LaTeX with coloured terms: `\policy{.}`, `\reference{.}`, `\reward{.}`, `\kl{.}`, `\truth{.}`, `\optimum{.}`."""

    def start(match: re.Match[str]) -> str:
        hue = palette.true_reward if match[1] == "truth" else getattr(palette, match[1])
        return rf"\textcolor{{{hue.text}}}{{"

    return TERM.sub(start, source)
