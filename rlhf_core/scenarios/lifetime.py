"""What is computed once per scenario, and kept no longer than the scenario itself: a reader's own may come and go."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from rlhf_core.scenarios import Scenario

T = TypeVar("T")


def per_scenario(make: Callable[[Scenario], T]) -> Callable[[Scenario], T]:
    """Remember what a function makes of each scenario; what it makes must not hold the scenario."""
    made: WeakKeyDictionary[Scenario, T] = WeakKeyDictionary()

    @wraps(make)
    def remembered(scenario: Scenario) -> T:
        if scenario not in made:
            made[scenario] = make(scenario)
        return made[scenario]

    return remembered
