"""What readers share is kept in one place and weighed in bytes: what was used longest ago makes room for what is new.

Counting entries would not do: a run of 60 steps takes fifty times what one of a single step takes. (`rlhf_core` keeps a
little of its own, for those who use it without the app: eight first stages and the numbers of 64 steps, 30 MB at most.)
"""

import ctypes
import gc
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from rlhf_core import Scenario, Settings, load_scenario
from rlhf_core.scenarios import scenario_names
from rlhf_core.scenarios.brought import Brought

BUDGET_BYTES = 120_000_000
"""For everything that is kept, whoever keeps it."""
OWN_BYTES = 16_000_000
"""For all that is made from a scenario that one reader has brought."""
TRIM_BYTES = 16_000_000
"""When this much has made room, the process gives back what it no longer uses."""
OBJECT_BYTES = 32  # a number, and the place that points to it
NUMBERS = {int, float, bool, type(None)}

N_ARENAS, M_ARENA_MAX = 2, -8  # the second is glibc's name for it
LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None
P, T = ParamSpec("P"), TypeVar("T")


class Memory:
    """Values by key, the one used longest ago first; together they weigh no more than a budget."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.weight = 0
        self._gone = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> tuple[Any] | None:
        """The value of a key, which is thereby used, in a tuple; None if it is not kept."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return (self._kept[key][0],)

    def keep(self, key: Hashable, value: object) -> None:
        """Keep a value, and let others go until all fit; one that is heavier than the budget is not kept."""
        weight = weigh(value)
        with self._lock:
            self.weight -= self._kept.pop(key, (None, 0))[1]
            if weight <= self.budget:
                self._kept[key] = (value, weight)
                self.weight += weight
            while self.weight > self.budget:
                _, (_, gone) = self._kept.popitem(last=False)
                self.weight -= gone
                self._gone += gone
            full, self._gone = divmod(self._gone, TRIM_BYTES)
        if full:
            give_back()

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            self._kept.clear()
            self.weight = 0


SHARED = Memory(BUDGET_BYTES)


def brought_in(*values: object) -> Brought | None:
    """The reader's own scenario that one of some values depends on, if any."""
    chosen = (value.scenario for value in values if isinstance(value, Settings))
    return next((scenario for scenario in chosen if isinstance(scenario, Brought)), None)


def _memory_for(values: Iterable[object]) -> Memory:
    """Where results belong: what depends on a reader's own scenario stays with it, and goes when it goes."""
    own = brought_in(*values)
    memory: Memory = SHARED if own is None else own.made.setdefault(Memory, Memory(OWN_BYTES))
    return memory


class Kept(Generic[P, T]):
    """A function whose results are kept: for all readers, or with the one reader's scenario that they depend on."""

    def __init__(self, make: Callable[P, T]) -> None:
        self._make = make
        update_wrapper(self, make)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result for these arguments, made unless it is kept."""
        key, memory = self._key(args, kwargs), _memory_for((*args, *kwargs.values()))
        found = memory.find(key)
        if found is None:
            found = (self._make(*args, **kwargs),)
            memory.keep(key, found[0])
        return found[0]

    def known(self, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The result for these arguments if it is kept; nothing is made."""
        found = _memory_for((*args, *kwargs.values())).find(self._key(args, kwargs))
        return found[0] if found else None

    def _key(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Hashable:
        return (self._make, args, tuple(sorted(kwargs.items())))


def kept(make: Callable[P, T]) -> Kept[P, T]:
    """Keep a function's results for all readers, within the one budget; its arguments must be hashable."""
    return Kept(make)


def weigh(value: object) -> int:
    """Bytes that a value holds, with all that it refers to; what is loaded once for everybody weighs nothing."""
    weight, seen, waiting = 0, set(), [value]
    while waiting:
        value = waiting.pop()
        if type(value) in NUMBERS:
            weight += OBJECT_BYTES
            continue
        if isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
            value = value.base  # it holds the memory of its views
        if id(value) not in seen and not _is_everybodys(value):
            seen.add(id(value))
            own, others = _parts(value)
            weight += own
            waiting.extend(others)
    return weight


def _parts(value: object) -> tuple[int, Iterable[object]]:
    """Bytes of a value itself, and what it refers to."""
    if isinstance(value, str | bytes):
        return sys.getsizeof(value), ()
    if isinstance(value, np.ndarray):
        return value.nbytes, value.ravel().tolist() if value.dtype.hasobject else ()
    if isinstance(value, list | tuple | set | frozenset):
        if NUMBERS.issuperset(map(type, value)):  # most lists are; there is no need to look at each
            return sys.getsizeof(value) + OBJECT_BYTES * len(value), ()
        return sys.getsizeof(value), value
    if isinstance(value, Mapping):
        return sys.getsizeof(value), (*value.keys(), *value.values())
    if is_dataclass(value):
        return sys.getsizeof(value), [getattr(value, spec.name) for spec in fields(value)]
    return sys.getsizeof(value), ()


def _is_everybodys(value: object) -> bool:
    if isinstance(value, Scenario):
        return value.name in _shipped() and value is load_scenario(value.name)
    return isinstance(value, type) or callable(value)


@cache
def _shipped() -> tuple[str, ...]:
    return scenario_names()


def prepare() -> None:
    """Prepare the process for its readers, before the first has come.

    What is loaded by now stays, so the collector need not go through it again and again: each time everybody waits.
    And where the C library is glibc, threads share their heaps: it gives each of the many that draw pages one of its
    own, and what is free in one is no use to another.
    """
    gc.collect()
    gc.freeze()
    if hasattr(LIBRARY, "mallopt"):
        LIBRARY.mallopt(M_ARENA_MAX, N_ARENAS)


def give_back() -> None:
    """Return the free pages of the heaps to the system, where the C library is glibc; it keeps them otherwise."""
    if hasattr(LIBRARY, "malloc_trim"):
        LIBRARY.malloc_trim(0)
