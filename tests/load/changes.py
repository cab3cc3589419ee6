"""What a change of β costs the server: one reader at a tab, the whole of the app, and nothing beside them."""

import asyncio
import atexit
import itertools
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from tests.load.tab import connect
from tests.serving import App, running_app

N_CHANGES = 40
KNOWN = (0.3, 0.4)
SEEDS = itertools.count(1000)


@cache
def served() -> App:
    """A server for all that is measured here, until the interpreter ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_app(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"))


def change(page: str, *, new: bool) -> float:
    """Seconds of processor time that a change takes, as the mean of some dozens.

    To and fro between two runs that are there, or to new ones, which nobody has asked for.
    """
    return asyncio.run(_change(served(), page, new))


async def _change(app: App, page: str, new: bool) -> float:
    reader = await connect(app.url)
    await reader.visit(page, f"seed={next(SEEDS)}" if new else "")
    for beta in (*KNOWN, *KNOWN):
        await reader.change(beta)
    before = app.cpu
    for i in range(N_CHANGES):
        await reader.change(0.5 + 0.01 * i if new else KNOWN[i % 2])
    used = app.cpu - before
    await reader.socket.close()
    if reader.errors:
        raise RuntimeError(f"{page}: {reader.errors[0]}")
    return used / N_CHANGES
