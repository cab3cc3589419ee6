"""Readers who have work done beside the pages: sweeps in the Lab, fits to pairs of their own.

    python tests/load/beside.py sweeps|fits [--seconds 12]

Serves app.py on a free loopback port, and prints what other readers wait for a page with the work and without it.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.load.gauge import Gauge, Report  # noqa: E402
from tests.load.readers import WARM_UP, arrive, crowd, leave  # noqa: E402
from tests.load.tab import Reader, connect, cookies_of  # noqa: E402
from tests.serving import App, running_app  # noqa: E402

SWEPT_STEPS = 60
N_PAIRS = 20_000
UPLOADER = "yours-pairs-file-0"
Work = Callable[[str, int, float, asyncio.Event], Awaitable[int]]
"""Address, number of the reader, seconds that readers look at what they see, end -> sweeps or fits finished."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What others have waited for a page while work was done beside it, and before and after."""

    working: Report
    before: Report
    after: Report
    finished: int
    """Sweeps or fits."""

    @property
    def ratio(self) -> float:
        """95th percentile with the work over that without it; the larger of the two without, for machines are busy."""
        return self.working.p95 / max(self.before.p95, self.after.p95)

    def __str__(self) -> str:
        rows = (("without", self.before), (f"with, {self.finished} finished", self.working), ("without", self.after))
        lines = [f"{name}: {str(report).splitlines()[0]}" for name, report in rows]
        return "\n".join([*lines, f"ratio {self.ratio:.2f}"])


async def sweeps(url: str, number: int, think: float, over: asyncio.Event) -> int:
    """Run the default sweep of β with 60 steps, look at what came of it, and run it with other settings."""
    reader, done, rng = await connect(url), 0, random.Random(number)
    while not over.is_set():
        query = urlencode({"experiment": "beta", "ppo_steps": SWEPT_STEPS, "seed": 1000 * number + done})
        await reader.visit("/lab", query)
        await reader.press("lab-run", query)
        done += await watched(reader, over)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), think * rng.uniform(0.5, 1.5))
    await leave([reader])
    assert reader.errors == []
    return done


async def fits(url: str, number: int, think: float, over: asyncio.Event) -> int:
    """Upload 20,000 pairs, and have them fitted again and again."""
    token = cookies_of(f"{url}/_stcore/health")  # as a browser gets it, for what it uploads
    reader, done, data = await connect(url, token), 0, many_pairs(number)
    while not over.is_set():
        await reader.visit("/yours", "section=pairs")
        await upload(reader, url, data)
        done += await watched(reader, over)
    await leave([reader])
    assert reader.errors == []
    return done


async def beside(
    app: App, work: Work, *, n_working: int, n_others: int, seconds: float, path: str = "/ppo", think: float = 2
) -> Beside:
    """Let some readers have work done while others change β, and the same others alone before and after."""
    await leave((await arrive(app.url, path, WARM_UP, Gauge((app.process.pid,))))[0])
    reports, finished = [], 0
    for busy in (False, True, False):
        over = asyncio.Event()
        working = [asyncio.create_task(work(app.url, i, think, over)) for i in range(n_working if busy else 0)]
        reports.append(
            await crowd(app.url, path=path, n_readers=n_others, seconds=seconds, think=think,
                        gauge=Gauge((app.process.pid,)), seed=len(reports))
        )  # fmt: skip
        over.set()
        finished += sum(await asyncio.gather(*working))
    before, with_work, after = reports
    return Beside(with_work, before, after, finished)


async def watched(reader: Reader, over: asyncio.Event) -> int:
    """Look as a browser does, until the work is done; whether it is."""
    while reader.looks:
        if over.is_set():
            return 0
        await asyncio.sleep(reader.interval)
        await reader.look()
    return 1


def many_pairs(number: int, n: int = N_PAIRS) -> bytes:
    """A file of pairs, by default as many as one may hold, of 20 to 60 words an answer."""
    rng, words = random.Random(number), [f"word{i}" for i in range(3000)]
    texts = [" ".join(rng.choices(words, k=rng.randint(20, 60))) for _ in range(max(2, n // 10))]
    rows = []
    for i in range(n):
        pair = [f"{text} {i}" for text in rng.sample(texts, 2)]
        chosen, rejected = sorted(pair, key=len, reverse=rng.random() < 0.65)
        rows.append(json.dumps({"prompt": f"prompt {i // 2}", "chosen": chosen, "rejected": rejected}))
    return "\n".join(rows).encode()


async def upload(reader: Reader, url: str, data: bytes) -> None:
    """Give a file to the uploader of the page, as a browser does."""
    ask = BackMsg()
    ask.file_urls_request.request_id = uuid.uuid4().hex
    ask.file_urls_request.file_names.append("pairs.jsonl")
    ask.file_urls_request.session_id = reader.session
    await reader.socket.send(ask.SerializeToString())
    while True:
        answer = ForwardMsg.FromString(await reader.socket.recv())  # type: ignore[arg-type]
        if answer.WhichOneof("type") == "file_urls_response":
            break
    place = answer.file_urls_response.file_urls[0]
    await asyncio.to_thread(_put, url + place.upload_url, data, reader.cookies)
    await reader.give(UPLOADER, "pairs.jsonl", len(data), place, "section=pairs")


def _put(address: str, data: bytes, cookies: str) -> None:
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="pairs.jsonl"\r\n\r\n'.encode()
    body = head + data + f"\r\n--{edge}--\r\n".encode()
    token = dict(part.strip().partition("=")[::2] for part in cookies.split(";")).get("_streamlit_xsrf", "")
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}", "Cookie": cookies, "X-Xsrftoken": token}
    with urlopen(Request(address, body, headers, method="PUT"), timeout=60) as answer:
        assert answer.status < 300


KINDS: dict[str, tuple[Work, int, int, int]] = {"sweeps": (sweeps, 5, 15, 12), "fits": (fits, 1, 20, 30)}
"""Work, readers who have it done, readers who change β meanwhile, and for how many seconds: enough to finish some."""


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seconds", type=float, help="for each of three times; by default as long as it takes")
    parser.add_argument("--think", type=float, default=2, help="seconds from one change of β to the next, on average")
    parser.add_argument("--path", default="/ppo", help="the page that the others read")
    options = parser.parse_args(given)
    work, n_working, n_others, seconds = KINDS[options.kind]
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder) / "log") as app:
        print(asyncio.run(beside(app, work, n_working=n_working, n_others=n_others, seconds=options.seconds or seconds,
                                 path=options.path, think=options.think)))  # fmt: skip
        print(*app.failures())


if __name__ == "__main__":
    main()
