"""Experiments in pieces: what is done, of how much, and what is known so far.

Every experiment is a generator of `Progress`, so whoever runs it can show a count, draw what has come
and stop between two pieces; the plain function of the same name runs it to its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Progress(Generic[Result]):
    """How far an experiment has come."""

    done: int
    total: int
    result: Result | None
    """What is known so far; None until there is something to show."""


def finish(pieces: Iterator[Progress[Result]]) -> Result:
    """Run an experiment to its end and return its result.

    Raises
    ------
    ValueError
        If it ends without a result.
    """
    last: Result | None = None
    for piece in pieces:
        last = piece.result
    if last is None:
        raise ValueError("the experiment ended without a result")
    return last
