"""Readers who bring as much as they may: 20,000 pairs each, fitted, and what is left of it once they have gone.

    python tests/load/brought.py [--sessions 30]

Serves app.py on a free loopback port, and prints how long the first fit takes, the server's memory with the first
reader's page, at the fit's most, while further readers bring a file and go, and once their sessions are over.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.load.beside import many_pairs, upload, watched  # noqa: E402
from tests.load.readers import leave  # noqa: E402
from tests.load.tab import Reader, connect, cookies_of  # noqa: E402
from tests.serving import App, running_app  # noqa: E402

LOOK_SECONDS = 0.2
GONE_SECONDS = 125
"""After which a session is over whose tab was closed: Streamlit keeps it for two minutes, as a line may come back."""


@dataclass(frozen=True, slots=True)
class Brought:
    """Resident MB of a server, and what one fit takes."""

    megabytes: float
    """Of a file."""
    fit_seconds: float
    first: float
    """With one reader on the page, who has brought nothing."""
    fit_peak: float
    """The most while one file is read and fitted."""
    peaks: tuple[float, ...]
    """The most while each further reader brings a file, sees it counted and goes."""
    after: float
    """Once all sessions are over, and another reader has brought ten pairs."""

    def __str__(self) -> str:
        return (
            f"20,000 pairs, {self.megabytes:.0f} MB: read and fitted in {self.fit_seconds:.0f} s\n"
            f"memory with a first reader {self.first:.0f} MB, with the fit {self.fit_peak:.0f} MB at most\n"
            f"{len(self.peaks)} more, one after another: {max(self.peaks):.0f} MB at most; {self.after:.0f} MB "
            "once their sessions are over"
        )


async def measure(app: App, n_sessions: int) -> Brought:
    """Let one reader have pairs fitted, then others bring as many and go."""
    token = cookies_of(f"{app.url}/_stcore/health")
    reader, data = await connect(app.url, token), many_pairs(0)
    await reader.visit("/yours", "section=pairs")
    first, start = app.memory, time.perf_counter()
    fit_peak = await _most(app, _fitted(reader, app.url, data))
    seconds = time.perf_counter() - start
    await leave([reader])
    peaks = [await _brings(app, token, many_pairs(number)) for number in range(1, n_sessions + 1)]
    await asyncio.sleep(GONE_SECONDS)
    for number in range(2):  # the first to go is noticed by the store of sessions, the second finds it empty
        await _brings(app, token, many_pairs(number, 10))
    return Brought(len(data) / 1e6, seconds, first, fit_peak, tuple(peaks), app.memory)


async def _brings(app: App, token: str, data: bytes) -> float:
    """MB at most while a reader comes, brings a file, sees it counted and goes."""
    reader = await connect(app.url, token)
    await reader.visit("/yours", "section=pairs")
    most = await _most(app, upload(reader, app.url, data))
    assert reader.errors == []
    await leave([reader])
    return most


async def _fitted(reader: Reader, url: str, data: bytes) -> None:
    await upload(reader, url, data)
    assert await watched(reader, asyncio.Event()) and reader.errors == []


async def _most(app: App, work: Coroutine[Any, Any, None]) -> float:
    """MB at most while something is done."""
    task, most = asyncio.ensure_future(work), app.memory
    while not task.done():
        await asyncio.sleep(LOOK_SECONDS)
        most = max(most, app.memory)
    await task
    return most


def main() -> None:
    """Measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder) / "log") as app:
        print(asyncio.run(measure(app, options.sessions)))
        print(*app.failures())


if __name__ == "__main__":
    main()
