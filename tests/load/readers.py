"""Readers without a browser: a client of Streamlit's websocket protocol that changes β again and again.

    python tests/load/readers.py --readers 20 --think 2 --path /ppo

Serves app.py on a free loopback port, unless `--url` names a server that runs already; `--pid` lets it be measured.
"""

import argparse
import asyncio
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pages.frame import navigation  # noqa: E402
from tests.serving import running_app  # noqa: E402

PAGES = tuple("/" if name == navigation.DEFAULT else f"/{name}" for name in navigation.TITLES)
BETAS = [round(0.01 * i, 2) for i in range(201)]
PATIENCE = 60  # seconds
WARM_UP = 6  # readers who come first, so that every server has imported and drawn what all share


@dataclass
class Reader:
    """One tab: its websocket, what the server has told it, and how long it has waited."""

    socket: ClientConnection
    cookies: str
    page: str = ""
    script: str = ""
    slider: str = ""
    widgets: dict[str, str] = field(default_factory=dict)
    """Ids by the keys that the app gave."""
    looks: str = ""
    """Part of the page that is to be drawn again every now and then, as work beside the page goes on."""
    interval: float = 0.0
    """Seconds between two such looks."""
    session: str = ""
    cached: set[str] = field(default_factory=set)
    """Hashes of messages that a browser would keep, so that the server need not send them again."""
    n_bytes: int = 0
    errors: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Milliseconds of each rerun."""

    async def visit(self, page: str, query: str = "") -> None:
        """Open a page, as by its link in the navigation."""
        self.page, self.script = page.strip("/"), ""
        message = BackMsg()
        message.rerun_script.query_string = query
        await self._rerun(message)

    async def change(self, beta: float) -> None:
        """Move the slider of β, and wait until the page is drawn."""
        message = BackMsg()
        message.rerun_script.query_string = f"beta={beta:g}"
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.slider
        widget.double_array_value.data.append(beta)
        self.waits.append(await self._rerun(message))

    async def press(self, key: str, query: str) -> None:
        """Press a button, and wait until the page is drawn."""
        message = BackMsg()
        message.rerun_script.query_string = query
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.trigger_value = self.widgets[key], True
        await self._rerun(message)

    async def give(self, key: str, name: str, size: int, place: FileURLs, query: str) -> None:
        """Tell an uploader of a file that has been sent, and wait until the page is drawn."""
        message = BackMsg()
        message.rerun_script.query_string = query
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.widgets[key]
        file = widget.file_uploader_state_value.uploaded_file_info.add(name=name, size=size, file_id=place.file_id)
        file.file_urls.CopyFrom(place)
        await self._rerun(message)

    async def look(self) -> None:
        """Draw the part again that work beside the page fills, as a browser does by itself."""
        message = BackMsg()
        message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = self.looks, True
        await self._rerun(message)

    async def _rerun(self, message: BackMsg) -> float:
        ask = message.rerun_script
        self.looks = ask.fragment_id
        ask.page_name, ask.page_script_hash = ("", self.script) if self.script else (self.page, "")
        ask.cached_message_hashes.extend(self.cached)
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while not self._ends(await asyncio.wait_for(self.socket.recv(), PATIENCE)):
            pass
        return 1000 * (time.perf_counter() - start)

    def _ends(self, data: str | bytes) -> bool:
        """Take in a message; whether it is the last of a rerun."""
        assert isinstance(data, bytes)
        self.n_bytes += len(data)
        answer = ForwardMsg.FromString(data)
        if answer.metadata.cacheable:
            self.cached.add(answer.hash)
        match answer.WhichOneof("type"):
            case "new_session":
                self.session = answer.new_session.initialize.session_id
            case "auto_rerun":
                self.looks, self.interval = answer.auto_rerun.fragment_id, answer.auto_rerun.interval
            case "navigation":  # new_session names the entry script, if a reader comes by a link
                self.script = answer.navigation.page_script_hash
            case "delta":
                self._look_at(answer)
            case "page_not_found":
                self.errors.append(f"no page {self.page!r}")
            case "script_finished":
                # A page that was run alone starts over through app.py; that is not the end. Nor is a part of a page
                # the end that has the whole drawn again.
                again = bool(answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN)
                self.looks = "" if again else self.looks
                return not again
        return False

    def _look_at(self, answer: ForwardMsg) -> None:
        element = answer.delta.new_element
        part = getattr(element, element.WhichOneof("type") or "text")
        if len(names := str(getattr(part, "id", "")).split("-", 2)) == 3:  # $$ID-<hash>-<key>
            self.widgets[names[2]] = part.id
        if element.WhichOneof("type") == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif element.WhichOneof("type") == "slider" and element.slider.query_param_key == "beta":
            self.slider = element.slider.id


@dataclass(frozen=True, slots=True)
class Report:
    """What some readers have met, and what it cost the server."""

    n_readers: int
    waits: tuple[float, ...]
    errors: tuple[str, ...]
    kilobytes: float
    """Per rerun."""
    cpu: float
    """Milliseconds of the server's processor time per rerun."""
    memory: tuple[float, float]
    """Resident MB of the server with its first reader, and with all of them."""
    load: float
    """Load average of the machine: above the number of its cores, the waits say little about the app."""

    @property
    def p95(self) -> float:
        return percentile(self.waits, 0.95)

    @property
    def per_session(self) -> float:
        return (self.memory[1] - self.memory[0]) / max(1, self.n_readers - 1)

    def __str__(self) -> str:
        p50 = statistics.median(self.waits) if self.waits else math.nan
        return (
            f"{self.n_readers} readers, {len(self.waits)} reruns: p50 {p50:.0f} ms, p95 {self.p95:.0f} ms, "
            f"{len(self.errors)} errors, {self.kilobytes:.0f} kB and {self.cpu:.0f} ms CPU per rerun\n"
            f"memory: {self.memory[0]:.0f} MB with the first reader, {self.memory[1]:.0f} MB with all, "
            f"{self.per_session:.2f} MB per session; load average {self.load:.1f}"
        )


@dataclass(frozen=True, slots=True)
class Gauge:
    """Processor time and memory of the servers, by their process ids."""

    pids: tuple[int, ...]

    def cpu(self) -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in self.pids)

    def memory(self) -> float:
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids) / 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all is not above; NaN of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


def cookies_of(url: str) -> str:
    """What a new browser gets with the page itself: nothing from the app, its replica from a balancer."""
    with urlopen(url, timeout=PATIENCE) as answer:
        return "; ".join(line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))


async def connect(url: str, cookies: str = "") -> Reader:
    """A new tab; in a new browser, unless cookies say which."""
    cookies = cookies or cookies_of(url)
    socket = await websockets.connect(
        f"ws://{urlsplit(url).netloc}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        origin=websockets.Origin(url),
        additional_headers={"Cookie": cookies} if cookies else {},
        max_size=None,
    )
    return Reader(socket, cookies)


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
