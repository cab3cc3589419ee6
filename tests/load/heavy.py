"""Visitors who ask for as much as the controls allow, and requests that would like a run for nothing.

    python tests/load/heavy.py [--readers 30]

Serves app.py on a free loopback port and prints what it takes: memory at the start, with all readers on every page with
a pin of their own, and once they have left; processor time of requests that name a moment, and the next page's wait.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.load.readers import PAGES, leave  # noqa: E402
from tests.load.tab import connect  # noqa: E402
from tests.serving import App, running_app  # noqa: E402

LARGEST = {
    "ppo_steps": 60, "rollouts": 256, "sft_epochs": 100, "rm_epochs": 300, "n_comparisons": 2000,
    "n_demonstrations": 32,
}  # fmt: skip
"""Every control that makes a run large."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MB of a server."""

    start: float
    """With one reader on the first page."""
    all_readers: float
    after: float
    """Once they have left."""


def asked(reader: int) -> str:
    """What a reader's link asks for: their own run, and another one pinned."""
    pin = {**LARGEST, "seed": 100 + reader, "beta": 0.0}
    return urlencode({**LARGEST, "seed": reader, "beta": 0.02 * (reader + 1), "at": "done", "pin": urlencode(pin)})


async def memory(app: App, n_readers: int) -> tuple[Memory, list[str]]:
    """Let readers open every page, one after another; what it takes, and what went wrong."""
    first = await connect(app.url)
    await first.visit("/")
    start = app.memory
    readers = [await connect(app.url) for _ in range(n_readers)]
    for page in PAGES:
        for i, reader in enumerate(readers):
            await reader.visit(page, asked(i))
    full = app.memory
    await leave([first, *readers])
    await asyncio.sleep(1)
    return Memory(start, full, app.memory), [error for reader in readers for error in reader.errors]


def amplified(app: App, n_requests: int) -> tuple[float, float]:
    """Milliseconds of processor time for a request that names a moment of a new run, and of the next page's wait.

    Nobody waits for the answers: each connection is closed as soon as it has asked.
    """
    before = app.cpu
    for i in range(n_requests):
        query = urlencode({**LARGEST, "seed": 1000 + i, "at": "done"}, quote_via=quote)
        with socket.create_connection(("127.0.0.1", app.port)) as line:
            line.sendall(f"GET /ppo?{query} HTTP/1.1\r\nHost: {urlsplit(app.url).netloc}\r\n\r\n".encode())
    start = time.perf_counter()
    urlopen(app.url, timeout=60).read()
    waited = time.perf_counter() - start
    time.sleep(1)
    return 1000 * (app.cpu - before) / n_requests, 1000 * waited


def main() -> None:
    """Measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        app = stack.enter_context(running_app(folder / "log"))
        cpu, waited = amplified(app, options.requests)
        found, errors = asyncio.run(memory(app, options.readers))
    print(f"{options.requests} requests that name a moment: {cpu:.1f} ms CPU each, the next page after {waited:.0f} ms")
    print(f"memory with a first reader: {found.start:.0f} MB")
    print(f"{options.readers} readers of runs with {', '.join(f'{name}={value}' for name, value in LARGEST.items())},")
    print(f"every page, each with a pin of their own: {found.all_readers:.0f} MB")
    print(f"once they have left: {found.after:.0f} MB; {len(errors)} errors")


if __name__ == "__main__":
    main()
