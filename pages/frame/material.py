"""What a reader brings, held in their session alone: taken in, kept when the next one cannot be read, forgotten.

Nothing here writes, logs or shares it. A text of theirs goes to the screen by `st.text` or in a table, never as
Markdown or HTML; of an error that is ours the log has the place, not the message, which might quote them.
"""

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.frame.faults import kind_and_place
from pages.frame.jobs import is_here
from pages.frame.memory import give_back
from rlhf_core.yours.files import LARGEST_FILE

MEGABYTES = LARGEST_FILE // 1_000_000
OURS = "This could not be read or shown, and the fault is ours; the rest of the page holds."
LOGGER = logging.getLogger(__name__)
LONGEST_NAME, LONGEST_SAID = 120, 600
"""Characters that are shown of a file's name, and of why it cannot be read, which may quote it."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Material(Generic[T]):
    """One thing that a reader has brought."""

    name: str
    """Of the file; shown as plain text."""
    number: int
    """Counts what this session has brought, so that work and widgets for one are never taken for another's."""
    content: T
    session: str
    """Id of the session that holds it."""


_brought: WeakSet[Material[Any]] = WeakSet()
_lock = threading.Lock()


def held(place: str) -> Material[Any] | None:
    """What the session has in a place, if anything."""
    return st.session_state.get(_key(place))


def take(place: str, name: str, read: Callable[[], Any]) -> None:
    """Read something new; where that fails a sentence says why, and what was there stays."""
    st.session_state.pop(_key(place, "said"), None)
    try:
        content = read()
    except ValueError as error:
        st.session_state[_key(place, "said")] = str(error)[:LONGEST_SAID]
    except Exception as error:  # whatever hostile material runs into
        _report(error)
        st.session_state[_key(place, "said")] = OURS
    else:
        number = st.session_state[_key("count")] = st.session_state.get(_key("count"), 0) + 1
        there = st.session_state[_key(place)] = Material(name[:LONGEST_NAME], number, content, _session())
        _let_go()
        with _lock:
            _brought.add(there)


def _let_go() -> None:
    """Free what those have brought who have gone: a session refers to itself, so it waits for the collector."""
    with _lock:
        gone = not all(is_here(each.session) for each in _brought)
    if gone:
        gc.collect()
        give_back()


def say(place: str) -> None:
    """Why the last thing brought could not be read."""
    if said := st.session_state.get(_key(place, "said")):
        stays = " What you see below is what you brought before." if held(place) else ""
        st.text(f"\N{WARNING SIGN} {said[:1].upper()}{said[1:].removesuffix('.')}.{stays}")


def forget(place: str) -> None:
    """Let go of what is there, the uploaded file with it."""
    for part in ("", "said"):
        st.session_state.pop(_key(place, part), None)
    st.session_state[_key(place, "round")] = st.session_state.get(_key(place, "round"), 0) + 1


def drop(place: str) -> None:
    """Let go of what is there; an uploaded file stays in its box."""
    st.session_state.pop(_key(place), None)


def upload(place: str, label: str, read: Callable[[bytes, str], Any], megabytes: int = MEGABYTES) -> None:
    """A place to drop a file, which is read at once; taking the file away forgets it."""
    key = _key(place, f"file-{st.session_state.get(_key(place, 'round'), 0)}")
    st.file_uploader(label, key=key, max_upload_size=megabytes, on_change=_uploaded, args=(place, key, read))


def mine(place: str, *more: object) -> tuple[object, ...]:
    """A key for work on what is there: no other session's, and no other material's."""
    there = held(place)
    return (place, _session(), there.number if there else 0, *more)


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


@contextmanager
def guarded() -> Iterator[None]:
    """A part of the page that fails is one sentence to the reader."""
    try:
        yield
    except Exception as error:
        _report(error)
        st.caption(OURS)


def _report(error: Exception) -> None:
    """Where something failed, and nothing of what the reader brought."""
    LOGGER.error("A reader's material could not be used: %s at %s", *kind_and_place(error))


def _uploaded(place: str, key: str, read: Callable[[bytes, str], Any]) -> None:
    file = st.session_state.get(key)
    if file is None:
        forget(place)
    else:
        take(place, file.name, lambda: read(file.getvalue(), file.name))


def _key(place: str, part: str = "") -> str:
    return f"yours-{place}" + (f"-{part}" if part else "")
