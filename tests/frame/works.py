"""Work that tests hand over to the process beside the server; it loads no more than the work itself needs."""

from collections.abc import Iterator
from functools import partial

from rlhf_core import Settings
from rlhf_core.lab.sweeps import beta_sweep_pieces
from rlhf_core.lab.work import Progress

ENDLESS = partial(beta_sweep_pieces, Settings(ppo_steps=60), seeds=range(200))


def printing(upto: int) -> Iterator[Progress[int]]:
    """Work that prints, as somebody who looks for a fault might let it."""
    for i in range(upto):
        print("found", i)
        yield Progress(i + 1, upto, i)


def broken() -> Iterator[Progress[int]]:
    yield Progress(1, 2, 10)
    raise KeyError("what a reader wrote")
