"""Work that takes longer than a page may: done in a process beside, piece by piece, once for all who ask for the same.

Work is an iterator of `Progress`, and a piece is what it does from one to the next; pieces of all that is asked for
take turns. Work stops when nobody wants it any more: who has turned the page, changed what they asked for, pressed Stop
or closed the tab. Results are kept with everything else that readers share.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from streamlit import runtime

from pages.frame.faults import kind_and_place
from pages.frame.memory import SHARED
from pages.frame.worker import Failed, Worker
from rlhf_core.lab.work import Progress

IDLE_SECONDS = 60
"""So long the process waits for more to do; then it goes, and its memory with it."""
FAILED = "This could not be computed; the server's log says why."
LOGGER = logging.getLogger(__name__)
T = TypeVar("T")


class Job(Generic[T]):
    """Work that some sessions wait for, and what is known of it so far."""

    def __init__(self, key: Hashable, begin: Callable[[], Iterator[Progress[T]]], *, shared: bool) -> None:
        self.key, self.shared = key, shared
        self.state: Literal["running", "done", "stopped", "failed"] = "running"
        self.progress: Progress[T] | None = None
        self.error = ""
        """What a reader is told of a failure."""
        self.sessions: set[str] = set()
        """Ids of those that wait."""
        self._begin = begin
        self._pieces: Iterator[Progress[T]] | None = None

    @property
    def result(self) -> T | None:
        """What is known so far; None until there is something to show."""
        return self.progress.result if self.progress else None

    @property
    def wanted(self) -> bool:
        """Whether somebody waits, at a tab that is open."""
        return any(is_here(session) for session in tuple(self.sessions))  # others may join meanwhile

    def advance(self) -> None:
        """Do one piece; whatever happens in it, the job knows."""
        try:
            self._pieces = self._begin() if self._pieces is None else self._pieces
            self.progress = next(self._pieces)
        except StopIteration:
            self.state = "done"
        except ValueError as error:  # a sentence for the reader, as everywhere
            self.state, self.error = "failed", str(error)
        except Exception as error:
            self._log("failed", error)
            self.state, self.error = "failed", FAILED

    def close(self) -> None:
        """Let go of what the work holds."""
        pieces, self._pieces = self._pieces, None
        try:
            if close := getattr(pieces, "close", None):
                close()
        except Exception as error:
            self._log("could not be closed", error)

    def _log(self, what: str, error: Exception) -> None:
        """All of an error; of work on what a reader has brought only its kind and place, for the rest may quote it."""
        if self.shared:
            LOGGER.error("Work in the background %s: %r", what, self.key, exc_info=error)
        else:
            kind, place = error.failure[1:] if isinstance(error, Failed) else kind_and_place(error)
            LOGGER.error("Work in the background %s: %s at %s", what, kind, place)


class Jobs:
    """Jobs by key, and the thread that has their pieces done in turn.

    Parameters
    ----------
    worker : Worker
        Does them.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._jobs: dict[Hashable, Job[Any]] = {}
        self._waiting: deque[Job[Any]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(
        self, key: Hashable, make: Callable[[], Iterator[Progress[T]]], session: str, *, shared: bool = True
    ) -> Job[T]:
        """The job of a key: the one that runs, or one that is done, or a new one.

        Parameters
        ----------
        key : hashable
            Everything that the result depends on; for a reader's own material, their session's id besides.
        make : callable
            Gives the work, by functions that have names: it is handed over to another process.
        session : str
            Id of the session that waits for it.
        shared : bool
            Whether the result is kept for all readers; False for what a reader has brought.
        """
        with self._changed:
            begin = partial(self._worker.pieces, make)
            if shared and (found := SHARED.find((Jobs, key))):
                job = Job(key, begin, shared=True)
                job.progress, job.state = found[0], "done"
                return job
            if key not in self._jobs:
                self._jobs[key] = Job(key, begin, shared=shared)
                self._waiting.append(self._jobs[key])
                self._start()
                self._changed.notify()
            self._jobs[key].sessions.add(session)
            return self._jobs[key]

    def leave(self, job: Job[Any], session: str) -> None:
        """Wait for a job no longer; it stops unless somebody else does."""
        with self._changed:
            job.sessions.discard(session)

    @property
    def n_running(self) -> int:
        """How many jobs take turns."""
        return len(self._jobs)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="rlhf-jobs", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._one_piece()

    def _one_piece(self) -> None:
        """Wait for a job and have a piece of it done; while this waits for the next it holds nothing of the last."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS):
                self._worker.end()
                self._changed.wait_for(lambda: self._waiting)
            job = self._waiting.popleft()
        if job.wanted:
            job.advance()
        self._put_back(job)

    def _put_back(self, job: Job[Any]) -> None:
        """Behind the others, if it is to go on; so long as this holds the lock, nobody can join a job that ends."""
        with self._changed:
            if job.state == "running" and job.wanted:
                self._waiting.append(job)
                self._changed.notify()
                return
            del self._jobs[job.key]
            if job.state == "running":
                job.state = "stopped"
            if job.state == "done" and job.shared and job.progress:
                SHARED.keep((Jobs, job.key), job.progress)
        job.close()


def is_here(session: str) -> bool:
    """Whether a session's tab is open."""
    return not runtime.exists() or bool(runtime.get_instance().is_active_session(session))


JOBS = Jobs(Worker())
