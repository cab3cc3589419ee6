"""What is computed once of a record, and kept no longer than the record itself: a reader's own may come and go."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

K = TypeVar("K")
T = TypeVar("T")


def while_it_is_there(make: Callable[[K], T]) -> Callable[[K], T]:
    """Remember what a function makes of each record; what it makes must not hold the record."""
    made: WeakKeyDictionary[K, T] = WeakKeyDictionary()

    @wraps(make)
    def remembered(record: K) -> T:
        if record not in made:
            made[record] = make(record)
        return made[record]

    return remembered
