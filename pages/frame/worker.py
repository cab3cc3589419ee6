"""A process beside the server for work that takes longer than a page may.

Python runs one thread at a time, so work in a thread of the server makes every page late, however short its pieces.
Here it has an interpreter of its own, behind the pages where the system decides who goes first. The process starts with
the first work, does pieces of it when it is asked to, and ends with the server.

    pieces = Worker().pieces(partial(beta_sweep_pieces, settings))

What is handed over, and what comes back, goes through `pickle`: between the two of us alone, never from a reader.
"""

import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, TypeVar

from pages.frame.faults import kind_and_place
from rlhf_core.lab.work import Progress

ROOT = Path(__file__).parents[2]
BEHIND = 10
"""Niceness: pages go first."""
ASIDE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Environment in which the numerical libraries leave the other cores to the pages."""
PORTION_SECONDS = 0.05
"""Pieces are short: so many are done before a word goes back."""
T = TypeVar("T")


class Failure(NamedTuple):
    """An error of ours in the process."""

    traceback: str
    kind: str
    """Name of the error's class."""
    place: str
    """File and line that raised it."""


class Failed(Exception):
    """Work has failed in the process."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.traceback)
        self.failure = failure


class _Order(NamedTuple):
    """What is asked of the process: to begin with work, to go on with it, or to let go of it."""

    number: int
    what: Literal["begin", "go on", "let go"]
    make: Callable[[], Iterator[Progress[Any]]] | None = None


class _Answer(NamedTuple):
    """What going on has brought: how far the work has come, and what has ended it; neither after its end."""

    progress: Progress[Any] | None
    ended: str | Failure | None = None
    """A sentence for the reader, or an error of ours."""


class Worker:
    """Whoever has work done in the process; for one thread at a time."""

    def __init__(self) -> None:
        self._process: _Process | None = None

    @property
    def process_id(self) -> int | None:
        """None while there is no process."""
        return self._process.id if self._process else None

    def pieces(self, make: Callable[[], Iterator[Progress[T]]]) -> Iterator[Progress[T]]:
        """Work in the process, as if it were done here.

        Parameters
        ----------
        make : callable
            Gives the work; functions are handed over by their names, so no lambda.

        Returns
        -------
        iterator of Progress
            The last of each portion. Raises ValueError as the work does, `Failed` for any other error in it, and
            OSError or EOFError if the process has ended meanwhile; the next work begins in another one.
        """
        if self._process is None or self._process.gone:
            self._process = _Process()
        return self._process.pieces(make)

    def end(self) -> None:
        """Let the process go, with all that it holds; the next work starts another one."""
        if self._process:
            self._process.end()
        self._process = None


class _Process:
    """The process as the server sees it."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import main; main()"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **ASIDE},
        )  # fmt: skip
        self._numbers = count()
        self.id = self._popen.pid

    @property
    def gone(self) -> bool:
        return self._popen.poll() is not None

    def pieces(self, make: Callable[[], Iterator[Progress[T]]]) -> Iterator[Progress[T]]:
        number = next(self._numbers)
        self._send(_Order(number, "begin", make))
        try:
            while any(answer := self._answer(number)):
                if answer.progress:
                    yield answer.progress
                _raise(answer.ended)
        finally:
            if not self.gone:
                self._send(_Order(number, "let go"))

    def end(self) -> None:
        self._popen.kill()
        self._popen.communicate()

    def _answer(self, number: int) -> _Answer:
        self._send(_Order(number, "go on"))
        with self._noticed():
            answer: _Answer = pickle.load(self._popen.stdout)  # type: ignore[arg-type]
            return answer

    def _send(self, order: _Order) -> None:
        with self._noticed():
            _write(order, self._popen.stdin)  # type: ignore[arg-type]

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        """Notice if the process has ended."""
        if self.gone:
            raise EOFError("the process that did the work has ended")
        try:
            yield
        except (OSError, EOFError):
            self.end()
            raise


def _raise(ended: str | Failure | None) -> None:
    if isinstance(ended, Failure):
        raise Failed(ended)
    if ended is not None:
        raise ValueError(ended)


def _write(what: _Order | _Answer, to: IO[bytes]) -> None:
    to.write(pickle.dumps(what, pickle.HIGHEST_PROTOCOL))  # all of it or, if it cannot be pickled, nothing
    to.flush()


# ------------------------------------------------------------ in the process


def main() -> None:
    """Do what is asked for until the server has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is meant for the server, with which this ends
    if hasattr(os, "nice"):
        os.nice(BEHIND)
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what is printed would be taken for an answer
    works: dict[int, Iterator[Progress[Any]]] = {}
    try:
        while True:
            _obey(pickle.load(orders), works, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # at once: nobody is there to read what would still be flushed


def _obey(order: _Order, works: dict[int, Iterator[Progress[Any]]], answers: IO[bytes]) -> None:
    if order.what == "begin" and order.make:
        works[order.number] = _begun(order.make)
    elif order.what == "go on":
        _write(_portion(works[order.number]), answers)
    else:
        works.pop(order.number, None)


def _begun(make: Callable[[], Iterator[Progress[Any]]]) -> Iterator[Progress[Any]]:
    """The work, which begins with its first piece, so that what fails in making it fails there."""
    yield from make()


def _portion(work: Iterator[Progress[Any]]) -> _Answer:
    found, until = None, time.monotonic() + PORTION_SECONDS
    try:
        for piece in work:
            found = piece
            if time.monotonic() >= until:
                break
    except ValueError as error:  # a sentence for the reader, as everywhere
        return _Answer(found, str(error))
    except Exception as error:
        return _Answer(found, Failure(traceback.format_exc(), *kind_and_place(error)))
    return _Answer(found)
