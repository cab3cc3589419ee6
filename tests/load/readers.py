"""Readers without a browser, who change β again and again.

    python tests/load/readers.py --readers 20 --think 2 --path /ppo

Serves app.py on a free loopback port, unless `--url` names a server that runs already; `--pid` lets it be measured.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pages.frame import navigation  # noqa: E402
from tests.load.gauge import Gauge, Report  # noqa: E402
from tests.load.tab import Reader, connect  # noqa: E402
from tests.serving import running_app  # noqa: E402

PAGES = tuple(map(navigation.path_of, navigation.TITLES))
BETAS = [round(0.01 * i, 2) for i in range(201)]
WARM_UP = 6  # readers who come first, so that every server has imported and drawn what all share


async def arrive(url: str, path: str, n_readers: int, gauge: Gauge) -> tuple[list[Reader], tuple[float, float]]:
    """Let readers open a page, one after another; memory with the first and with all."""
    readers, first = [], 0.0
    for _ in range(n_readers):
        readers.append(await connect(url))
        await readers[-1].visit(path)
        first = first or gauge.memory()
    return readers, (first, gauge.memory())


async def read(reader: Reader, *, think: float, until: float, rng: random.Random) -> None:
    """Change β about every `think` seconds, at no fixed beat."""
    await asyncio.sleep(think * rng.random())
    while time.perf_counter() < until:
        start = time.perf_counter()
        await reader.change(rng.choice(BETAS))
        await asyncio.sleep(max(0, start + think * rng.uniform(0.5, 1.5) - time.perf_counter()))


async def crowd(
    url: str, *, path: str, n_readers: int, seconds: float, think: float, gauge: Gauge, seed: int = 0
) -> Report:
    """Let readers come, read for some seconds, and go; with 0 seconds they only stay a moment."""
    rng = random.Random(seed)
    readers, memory = await arrive(url, path, n_readers, gauge)
    before, arrived = gauge.cpu(), sum(reader.n_bytes for reader in readers)
    until = time.perf_counter() + seconds
    if seconds:
        await asyncio.gather(*(read(reader, think=think, until=until, rng=rng) for reader in readers))
    waits = tuple(wait for reader in readers for wait in reader.waits)
    n_bytes, n_reruns = sum(reader.n_bytes for reader in readers) - arrived, max(1, len(waits))
    report = Report(
        n_readers, waits, tuple(error for reader in readers for error in reader.errors), n_bytes / n_reruns / 1e3,
        1e3 * (gauge.cpu() - before) / n_reruns, memory, psutil.getloadavg()[0],
    )  # fmt: skip
    await leave(readers)
    return report


async def tour(url: str, *, n_readers: int) -> list[str]:
    """Let every reader open every page, each with a β of their own; what went wrong."""
    readers = [await connect(url) for _ in range(n_readers)]
    for page in PAGES:
        for i, reader in enumerate(readers):
            await reader.visit(page, f"beta={BETAS[7 * i % len(BETAS)]:g}")
    await leave(readers)
    return [error for reader in readers for error in reader.errors]


async def leave(readers: Sequence[Reader]) -> None:
    """Close all tabs."""
    await asyncio.gather(*(reader.socket.close() for reader in readers))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=20, help="how many change β")
    parser.add_argument("--idle", type=int, default=0, help="how many have the page open and do nothing")
    parser.add_argument("--seconds", type=float, default=10, help="how long they read")
    parser.add_argument("--think", type=float, default=2, help="seconds from one change to the next, on average")
    parser.add_argument("--path", default="/ppo", help="the page they read")
    parser.add_argument("--url", help="a server that runs already, on loopback")
    parser.add_argument("--pid", type=int, action="append", default=[], help="its process, to be measured")
    return parser.parse_args()


async def measure(options: argparse.Namespace, url: str, gauge: Gauge, say: Callable[[str], None] = print) -> None:
    """Run what the command line asks for, and report."""
    await leave((await arrive(url, options.path, WARM_UP, gauge))[0])
    idle, memory = await arrive(url, options.path, options.idle, gauge)
    if idle:
        per_session = (memory[1] - memory[0]) / max(1, len(idle) - 1)
        say(f"{len(idle)} idle readers: {memory[1]:.0f} MB, {per_session:.2f} MB per session")
    say(str(await crowd(url, path=options.path, n_readers=options.readers, seconds=options.seconds,
                        think=options.think, gauge=gauge)))  # fmt: skip
    await leave(idle)


def main() -> None:
    """Measure a server, or one of our own."""
    options = arguments()
    with ExitStack() as stack:
        url, pids = options.url, options.pid
        if url is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            app = stack.enter_context(running_app(folder / "log"))
            url, pids = app.url, [app.process.pid]
            print(f"memory at start: {app.memory:.0f} MB")
        asyncio.run(measure(options, url, Gauge(tuple(pids))))


if __name__ == "__main__":
    main()
