"""How long something takes when nothing else disturbs it, on machines that are shared."""

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.05
"""Between two calls: what disturbs one is over at the next."""


def quickest(action: Callable[[], object], times: int = 10) -> float:
    """CPU seconds of this process for the quickest of some calls, with a pause before each but the first."""
    found = []
    for i in range(times):
        time.sleep(PAUSE_SECONDS if i else 0)
        start = time.process_time()
        action()
        found.append(time.process_time() - start)
    return min(found)
