"""Work beside a page, as the page shows it: what is known so far, a count, and a button that stops it.

    job_panel.show("sweep", ("beta_sweep", settings), partial(sweep_pieces, settings), draw, label="Runs")

The page goes on at once. A fragment of it looks every now and then, and draws what has come, in its turn as any page:
often until there is something to see, for readers wait for that, and more rarely from then on. Where several have work
done, each gets on more slowly, and looks more rarely: there is as much to see in each look.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.frame import turns
from pages.frame.jobs import JOBS, Job
from rlhf_core.lab.work import Progress

FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.4, 1.2
MOST_BESIDE = 3
"""Looks become so many times rarer at most."""
HELD, ASKED = "jobs-held", "jobs-asked"
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Held:
    """What a session has asked for in one place of a page."""

    key: Hashable
    job: Job[Any]
    slowed: int = 1
    """How many jobs took turns when the page was last drawn."""
    stopped: bool = False

    @property
    def running(self) -> bool:
        return self.job.state == "running" and not self.stopped

    @property
    def look_seconds(self) -> float | None:
        """How long until the next look; None for never."""
        if not self.running:
            return None
        return self.slowed * (FIRST_LOOK_SECONDS if self.job.result is None else LOOK_SECONDS)


def show(
    place: str, key: Hashable, make: Callable[[], Iterator[Progress[T]]], draw: Callable[[T], None], *, label: str,
    shared: bool = True,
) -> None:  # fmt: skip
    """Have work done beside the page, and draw its results as they come.

    Parameters
    ----------
    place : str
        Names the place on the page: one piece of work at a time; another key there stops the one before.
    key, make, shared
        As for `Jobs.ask`.
    draw : callable
        Draws what is known so far.
    label : str
        What is counted.
    """
    held = _ask(place, key, make, shared)
    held.slowed = min(max(JOBS.n_running, 1), MOST_BESIDE)
    every = held.look_seconds
    st.fragment(_panel, run_every=every)(place, held, every, draw, label)


@contextmanager
def only_for_this_page() -> Iterator[None]:
    """While a page is drawn: work that it does not ask for any more is left."""
    st.session_state[ASKED] = set()
    yield
    for place in set(_held()) - st.session_state[ASKED]:
        _leave(place)


def _panel(place: str, held: _Held, every: float | None, draw: Callable[[Any], None], label: str) -> None:
    if held.look_seconds != every or _held().get(place) is not held:
        st.rerun()  # as a whole: to look more rarely, no further, or to begin again
    with _turn():
        _show(place, held, draw, label)


def _turn() -> AbstractContextManager[None]:
    """A turn of its own for a part of a page that is drawn alone; within a page it has the page's."""
    context = get_script_run_ctx()
    return turns.turn() if context and context.fragment_ids_this_run else nullcontext()


def _show(place: str, held: _Held, draw: Callable[[Any], None], label: str) -> None:
    job = held.job
    if held.running:
        done, total = (job.progress.done, job.progress.total) if job.progress else (0, 1)
        count = f"{label}: {done} of {total}" if job.progress else f"{label}: starting"
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.progress(min(done / total, 1.0), text=count)
        right.button("Stop", key=f"stop-{place}", on_click=_stop, args=(place,), width="stretch")
    elif job.state == "failed":
        st.text(f"\N{WARNING SIGN} {job.error}")
    elif held.stopped or job.state == "stopped":
        count = f" after {job.progress.done} of {job.progress.total}" if job.progress else ""
        st.caption(f"Stopped{count}.")
        st.button("Start again", key=f"again-{place}", on_click=_leave, args=(place,))
    if job.result is not None:
        draw(job.result)


def _ask(place: str, key: Hashable, make: Callable[[], Iterator[Progress[Any]]], shared: bool) -> _Held:
    st.session_state[ASKED] = {*st.session_state.get(ASKED, ()), place}
    held = _held().get(place)
    if held is not None and held.key != key:
        _leave(place)
    if held is None or held.key != key or (held.job.state == "stopped" and not held.stopped):  # as the line was lost
        held = _held()[place] = _Held(key, JOBS.ask(key, make, _session(), shared=shared))
    return held


def _held() -> dict[str, _Held]:
    found: dict[str, _Held] = st.session_state.setdefault(HELD, {})
    return found


def _leave(place: str) -> None:
    if place in _held():
        _stop(place)
        del _held()[place]


def _stop(place: str) -> None:
    held = _held()[place]
    held.stopped = True
    if not any(other.job is held.job and not other.stopped for other in _held().values()):
        JOBS.leave(held.job, _session())


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""
