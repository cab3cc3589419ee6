"""Readers take turns: one page is computed at a time.

Python runs one thread at a time anyway. Left to share it, the pages of twenty readers all finish late, and the threads
hold each other up besides; in turns each is finished as soon as it can be. A page that holds its turn for longer than
any page should is late: it goes on, but whoever comes next no longer waits for it.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LATE_SECONDS = 2
"""A page that has held its turn this long keeps nobody waiting any more."""


class Turns:
    """Who is computing a page, since when, and who waits, in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._holder: object | None = None
        self._since = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other page is being computed, or the one that is has become late."""
        me = object()
        self._begin(me)
        try:
            yield
        finally:
            self._end(me)

    def give_way(self, most: float) -> None:
        """Wait while a page is being computed, for `most` seconds at most; for work that no reader sees a page of."""
        with self._changed:
            self._changed.wait_for(lambda: self._holder is None and not self._waiting, timeout=most)

    def _begin(self, me: object) -> None:
        with self._changed:
            self._waiting.append(me)
            try:
                while self._waiting[0] is not me or self._remaining() > 0:
                    self._changed.wait(self._remaining() or None)
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
            self._holder, self._since = me, time.monotonic()

    def _end(self, me: object) -> None:
        with self._changed:
            if self._holder is me:  # who was late has been overtaken, and ends nobody else's turn
                self._holder = None
                self._changed.notify_all()

    def _remaining(self) -> float:
        """Seconds for which the holder may still keep others waiting."""
        return 0.0 if self._holder is None else max(0.0, self._since + LATE_SECONDS - time.monotonic())


_turns = Turns()
turn, give_way = _turns.turn, _turns.give_way
