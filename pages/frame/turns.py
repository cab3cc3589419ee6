"""Readers take turns: one page is computed at a time.

Python runs one thread at a time anyway. Left to share it, the pages of twenty readers all finish late, and the threads
hold each other up besides; in turns each is finished as soon as it can be.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 10
"""A page that has waited this long goes ahead, whatever holds the other one up."""

_turn = threading.Lock()


@contextmanager
def turn() -> Iterator[None]:
    """Wait until no other reader's page is being computed."""
    mine = _turn.acquire(timeout=PATIENCE_SECONDS)
    try:
        yield
    finally:
        if mine:
            _turn.release()
