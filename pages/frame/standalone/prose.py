"""Markdown as HTML, for pages without Streamlit: whatever a text holds, none of it becomes HTML of its own."""

import re
from dataclasses import replace
from functools import cache
from html import escape
from urllib.parse import urlsplit

from mistune import HTMLRenderer, InlineParser, InlineState, Markdown, create_markdown

from pages.drawing.theme import LIGHT, ROLES, Hue, Palette
from pages.frame.prose import coloured
from pages.frame.standalone.mathml import mathml


def _variables() -> Palette:
    """The palette as custom properties, which have a value in either theme."""
    names = {role: f"--rlhf-{role.replace('_', '-')}" for role in ROLES}
    return replace(LIGHT, **{role: Hue(f"var({name})", f"var({name}-text)") for role, name in names.items()})


VARIABLES = _variables()
BESIDE = 'target="_blank" rel="noopener"'
OF_APP = "data-app"
"""Attribute of a link to another page of the app: no link until it is known where the app is."""
INLINE_MATH = r"\$(?!\s)(?P<math>[^$]+?)(?<!\s)\$"
"""Mistune's own ends with the line."""


class _Renderer(HTMLRenderer):
    """Links to elsewhere open beside the page, which may stand in somebody else's; formulas are MathML."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("#"):
            return super().link(text, url, title)
        if urlsplit(url).scheme:
            return super().link(text, url, title).replace("<a ", f"<a {BESIDE} ", 1)
        return f'<a {OF_APP}="{escape(url)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Only its text: nothing is fetched."""
        return escape(text)

    def inline_math(self, text: str) -> str:
        return formula(text, display=False)

    def block_math(self, text: str) -> str:
        return formula(text, display=True)


def linked(html: str, app: str) -> str:
    """HTML whose links to the app lead there, if its address is known."""
    return html.replace(f'<a {OF_APP}="', f'<a {BESIDE} href="{escape(app)}/') if app else html


def html(text: str) -> str:
    """Markdown as HTML."""
    return str(_markdown()(coloured(text, VARIABLES)))


def formula(source: str, *, display: bool = True) -> str:
    """LaTeX as MathML; as it stands where that is not possible."""
    try:
        made = mathml(coloured(source, VARIABLES), display=display)
    except ValueError:
        made = f"<code>{escape(source.strip())}</code>"
    return f'<div class="formula">{made}</div>' if display else made


@cache
def _markdown() -> Markdown:
    markdown = create_markdown(renderer=_Renderer(escape=True), plugins=["math", "table"])
    markdown.inline.register("inline_math", INLINE_MATH, _inline_math)
    return markdown


def _inline_math(inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    state.append_token({"type": "inline_math", "raw": match["math"]})
    return match.end()
