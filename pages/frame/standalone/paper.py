"""Paper: what a page's script draws on where there is no Streamlit, with as much of Streamlit as the scripts use.

The scripts are run as they are; there is no second list of what a page shows. What one chooses stands at its default.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

from pages.frame.standalone import prose

HEADING = re.compile(r"<h(\d)(?: [^>]*)?>.*?</h\1>")


class Box:
    """A place on paper: HTML and other boxes, in order; the boxes of `with` statements are filled next."""

    def __init__(self, paper: "Paper", tag: str = "div", attributes: str = "") -> None:
        self.paper, self.tag, self.attributes = paper, tag, attributes
        self.parts: list[str | Box] = []

    def __enter__(self) -> None:
        self.paper.open.append(self)

    def __exit__(self, *error: object) -> None:
        self.paper.open.pop()

    @property
    def html(self) -> str:
        """The box with all that it holds."""
        return f"<{self.tag}{self.attributes}>{self.inner}</{self.tag}>"

    @property
    def inner(self) -> str:
        """What the box holds."""
        written = [part if isinstance(part, str) else part.html for part in self.parts]
        pairs = zip(written, [*written[1:], ""], strict=True)
        return "".join(part for part, following in pairs if not _idle(part, following))


def _idle(part: str, following: str) -> bool:
    """Whether a heading has nothing below it, as what stood there was for pressing."""
    heading, other = HEADING.fullmatch(part.strip()), HEADING.match(following)
    return heading is not None and (not following or (other is not None and other[1] <= heading[1]))


class Paper:
    """Stands for the module `streamlit` in a page's script."""

    def __init__(self, switches: dict[str, bool]) -> None:
        self.switches = switches
        """Switches that are bound to the address, by their keys."""
        self.session_state: dict[str, Any] = {}
        self.root = Box(self, "main")
        self.open = [self.root]

    def add(self, part: str | Box) -> None:
        """Put something below what stands there."""
        self.open[-1].parts.append(part)

    @contextmanager
    def box(self, attributes: str, tag: str = "div") -> Iterator[None]:
        """A box here, and what follows goes into it."""
        box = Box(self, tag, attributes)
        self.add(box)
        with box:
            yield

    # ------------------------------------------------------------ what the scripts use of Streamlit

    def markdown(self, text: str) -> None:
        """Markdown."""
        self.add(prose.html(text))

    def header(self, text: str, anchor: str) -> None:
        """A section's heading."""
        self.add(f'<h2 id="{escape(anchor)}">{escape(text)}</h2>')

    def container(self, **_: Any) -> "Paper":
        """Where one is."""
        return self

    def columns(
        self, spec: int | Sequence[int], *, border: bool = False, vertical_alignment: str = "top", **_: Any
    ) -> list[Box]:
        """Boxes side by side, on a narrow screen one below the other."""
        widths = [1] * spec if isinstance(spec, int) else spec
        look = " framed" * border + " level" * (vertical_alignment == "center")
        row = Box(self, attributes=f' class="columns{look}" style="--columns: {" ".join(f"{w}fr" for w in widths)}"')
        self.add(row)
        row.parts += [Box(self) for _ in widths]
        return [part for part in row.parts if isinstance(part, Box)]

    def expander(self, label: str) -> Box:
        """A box that is folded."""
        box = Box(self, "details")
        box.parts.append(f"<summary>{escape(label)}</summary>")
        self.add(box)
        return box

    def code(self, text: str, **_: Any) -> None:
        """Code as it stands."""
        self.add(f"<pre><code>{escape(text)}</code></pre>")

    def selectbox(
        self, label: str, options: Sequence[Any], *, key: str, format_func: Callable[[Any], str] = str, **_: Any
    ) -> Any:
        """What is chosen where nobody chooses: the first one, unless the script says another."""
        chosen = self.session_state.setdefault(key, options[0])
        self.add(f'<p class="choice">{escape(label)}: <b>{escape(format_func(chosen))}</b></p>')
        return chosen

    def segmented_control(self, label: str, options: Sequence[str], *, default: str, **_: Any) -> str:
        """The default."""
        return default

    def toggle(self, label: str, *, key: str, **_: Any) -> bool:
        """A switch as the address has it."""
        return self.switches.get(key, False)

    def page_link(self, *_: Any, **__: Any) -> None:
        """Nothing: there are no other pages."""

    def button(self, *_: Any, **__: Any) -> bool:
        """Nothing: there is nobody to answer."""
        return False
