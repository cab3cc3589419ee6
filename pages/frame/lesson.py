"""Lesson mode: a link that picks the controls (`controls=beta,prompt`) and the parts of a page (`show=reward_kl_path`).

The parts of a page are the charts and passages that its script names, under the names of the functions that
draw them; they are read from the script, so that there is no second list to keep.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.stage import style
from rlhf_core.settings import CONTROLS

FOLDER = Path(__file__).parents[1]
PAGES = tuple(sorted(script.stem for script in FOLDER.glob("*.py")))
CONTROL_NAMES = (*CONTROLS, "speed", "prompt", "presets", "share")
STAGE = "stage"  # part of every page; alone it asks for nothing else
VARIANT = re.compile(r"_(with_optimum|by_kl|guess|guessed)$")  # the same part, switched by a control of its page
SHELF = "lesson-parts"  # the key of a container; lesson.css hides what follows it
BELOW = "lesson-controls"  # and of one that lesson_controls.css keeps at the lower edge

# ------------------------------------------------------------ what a link asks for


def split(text: str) -> tuple[str, ...]:
    """Names in a parameter, each once, without the blanks around them."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def parse_controls(text: str) -> tuple[tuple[str, ...], str]:
    """Known controls of a link, and a sentence about the others; no known one means all of them."""
    known, unknown = _divide(split(text), CONTROL_NAMES)
    return known, f"controls has no {_quoted(unknown)}; it has {', '.join(CONTROL_NAMES)}." if unknown else ""


def parse_show(text: str, page: str) -> tuple[tuple[str, ...], str]:
    """Parts that a link wants of a page, and a sentence if some are on no page or none is on this one.

    No part of this page means the whole page.
    """
    wanted = tuple(dict.fromkeys(part_name(name) for name in split(text)))
    here, elsewhere = _divide(wanted, offered(page))
    unknown = elsewhere if not here else _divide(elsewhere, all_parts())[1]
    note = f"show has no {_quoted(unknown)} on this page; it offers {', '.join(offered(page))}."
    return here, note if unknown else ""


def part_name(name: str) -> str:
    """Name of a part, whichever of its variants is drawn."""
    return VARIANT.sub("", name)


def _divide(names: Sequence[str], known: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(name for name in names if name in known), tuple(name for name in names if name not in known)


def _quoted(names: Sequence[str], most: int = 3) -> str:
    """The first few names, for a link may hold thousands."""
    words = [f"“{name[:40]}”" for name in names[:most]] + ["…"] * (len(names) > most)
    return ", ".join(words)


# ------------------------------------------------------------ what a page offers


@lru_cache
def parts_of(page: str) -> tuple[str, ...]:
    """Names of a page's charts and passages, in the order of its script."""
    return tuple(functions_of(page))


@lru_cache
def functions_of(page: str) -> Mapping[str, Callable[..., Any]]:
    """What draws each part of a page, or gives what does; of variants the one that the script names first."""
    found: dict[str, Callable[..., Any]] = {}
    for name, function in _drawn(FOLDER / f"{page.replace('-', '_')}.py"):
        found.setdefault(part_name(name), function)
    return found


def offered(page: str) -> tuple[str, ...]:
    """What a link may ask a page to show."""
    return (STAGE, *parts_of(page))


def all_parts() -> tuple[str, ...]:
    """Names of the parts of all pages."""
    return tuple(part for page in PAGES for part in parts_of(page))


def _drawn(script: Path) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Draw functions that a script names, with their names, whether of an imported module or imported by name."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found = {
        alias.asname or alias.name: _imported(node.module or "", alias.name)
        for node in imports
        if (node.module or "").startswith("pages.figures")
        for alias in node.names
    }
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)]
    for node in sorted(uses, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.Name) and draws(found.get(node.id)):
            yield node.id, found[node.id]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if draws(function := getattr(found.get(node.value.id), node.attr, None)):
                yield node.attr, function


def _imported(module: str, name: str) -> Any:
    parent = import_module(module)
    return getattr(parent, name) if hasattr(parent, name) else import_module(f"{module}.{name}")


def draws(function: object) -> bool:
    """Whether something draws a chart or a passage, or gives a function that does."""
    if not callable(function) or isinstance(function, type):
        return False
    hint = get_type_hints(function).get("return")
    return (get_args(hint)[-1] if get_args(hint) else hint) in (Chart, Live)


# ------------------------------------------------------------ this reader's lesson


def _asked(name: str) -> str:
    """A parameter as it stood in the link with which the reader came."""
    key = f"lesson-{name}"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(name, "")
    return str(st.session_state[key])


def controls() -> tuple[str, ...]:
    """Controls that the link names; none means all of them."""
    return parse_controls(_asked("controls"))[0]


def has_control(name: str) -> bool:
    """Whether a control is to be drawn."""
    return not controls() or name in controls()


def shown(page: str) -> tuple[str, ...]:
    """Parts of a page that the link names; none means the whole page."""
    return parse_show(_asked("show"), page)[0]


def rooms(page: str) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Where controls and page go: the controls into the sidebar, on a slide below what it shows.

    A slide is a frame in somebody's page whose link names both parts and controls.
    """
    if not (st.context.is_embedded and controls() and shown(page)):
        return st.sidebar, nullcontext()
    style("lesson_controls.css")
    body = st.container()
    return st.container(key=BELOW, horizontal=True, vertical_alignment="bottom"), body


def parameters() -> dict[str, str]:
    """Lesson mode as it stands in the URL, without the names that nothing bears; empty texts where it is off."""
    wanted = dict.fromkeys(part_name(name) for name in split(_asked("show")))
    known = _divide(tuple(wanted), (STAGE, *all_parts()))[0] if wanted else ()
    return {"controls": ",".join(controls()), "show": ",".join(known)}


def notes(page: str) -> list[str]:
    """What the link asked for and the page has not."""
    return [note for note in (parse_controls(_asked("controls"))[1], parse_show(_asked("show"), page)[1]) if note]


def places(page: str) -> dict[str, DeltaGenerator] | None:
    """Places for the wanted parts, two in a row; None for the whole page."""
    wanted = shown(page)
    if not wanted:
        return None
    parts = [name for name in wanted if name != STAGE]
    style("lesson.css", *(["slide.css"] if parts else []))
    made: dict[str, DeltaGenerator] = {}
    with st.container(key=SHELF):
        if not parts:
            st.html("<span></span>")  # a container without content would not be drawn, and nothing hidden after it
        for first in range(0, len(parts), 2):
            row = parts[first : first + 2]
            made |= zip(row, st.columns(len(row), gap="medium"), strict=True)
    return made


def place(made: Mapping[str, DeltaGenerator] | None, draw: Callable[..., Any]) -> AbstractContextManager[Any] | None:
    """Where a part goes: where the script stands if there are no places; None if it is not wanted."""
    return nullcontext() if made is None else made.get(part_name(draw.__name__))
