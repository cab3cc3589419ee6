"""Many readers at once, within the budgets: how long they wait, what they cost, and what a replica is for."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.load import beside, brought, heavy
from tests.load.gauge import Gauge, percentile
from tests.load.readers import BETAS, arrive, crowd, leave, tour
from tests.load.replicas import NGINX, Replicas, open_folder, two_replicas
from tests.load.tab import Reader, connect, cookies_of
from tests.serving import App, running_app

pytestmark = pytest.mark.soak
HEAVIEST = "/metrics"
QUIET = 0.2  # of the machine: where other programs use more, waits say nothing about the app


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns; run in a thread of its own, as a browser of other tests may keep this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Others:
    """How much of the machine programs other than the app and its readers use, since this was made."""

    def __init__(self, app: App) -> None:
        self.app, self.start = app, time.perf_counter()
        self.busy, self.own = self._busy(), self._own()

    @property
    def share(self) -> float:
        used = (self._busy() - self.busy) - (self._own() - self.own)
        return used / (time.perf_counter() - self.start) / (psutil.cpu_count() or 1)

    def _busy(self) -> float:
        times = psutil.cpu_times()
        return float(times.user + times.system)

    def _own(self) -> float:
        used = [process.cpu_times() for process in self.app.processes]
        return sum(times.user + times.system for times in used) + time.process_time()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running_app(tmp_path_factory.mktemp("load") / "log") as app:
        yield app
        assert app.failures() == []


@pytest.fixture(scope="module", autouse=True)
def memory_at_start(app: App) -> float:
    """MB after the first reader has opened the first page."""

    async def first_page() -> float:
        readers, (memory, _) = await arrive(app.url, "/", 1, gauge(app))
        await leave(readers)
        return memory

    return finished(first_page())


def gauge(app: App) -> Gauge:
    return Gauge((app.process.pid,))


def test_the_app_starts_in_160_mb(memory_at_start: float) -> None:
    assert 0 < memory_at_start < 160


def test_95_of_100_changes_by_twenty_readers_are_drawn_in_250_ms(app: App, record_property) -> None:
    shares = []
    for attempt in range(2):  # the better of two, for machines are busy
        others = Others(app)
        report = finished(
            crowd(app.url, path=HEAVIEST, n_readers=20, seconds=5, think=2, gauge=gauge(app), seed=attempt)
        )
        shares.append(others.share)
        record_property("report", f"{report}; other programs use {shares[-1]:.0%} of the machine")
        assert report.errors == () and len(report.waits) >= 20
        assert report.cpu < 110  # run, charts and a cached page: 25 + 60 + 25 ms
        if report.p95 <= 250:
            return
    (pytest.fail if max(shares) < QUIET else pytest.skip)(f"{report}; others used {max(shares):.0%} of the machine")


@pytest.mark.parametrize("kind", beside.KINDS)
def test_work_beside_the_pages_hardly_slows_them(app: App, record_property, kind: str) -> None:
    """Five sweep while 15 change β: p95 at most 400 ms; one fits 20,000 pairs while 20 do: at most half slower."""
    work, n_working, n_others, seconds = beside.KINDS[kind]
    others = Others(app)
    found = finished(beside.beside(app, work, n_working=n_working, n_others=n_others, seconds=seconds))
    record_property("report", f"{found}; other programs use {others.share:.0%} of the machine")
    assert found.working.errors == () and len(found.working.waits) >= 20 and found.finished
    if found.working.p95 > 400 if kind == "sweeps" else found.ratio > 1.5:
        (pytest.fail if others.share < QUIET else pytest.skip)(f"{found}; others used {others.share:.0%}")


def test_a_hundred_idle_readers_take_1_mb_each_at_most(app: App) -> None:
    async def crowded() -> tuple[tuple[float, float], Reader]:
        readers, memory = await arrive(app.url, HEAVIEST, 100, gauge(app))
        await readers[0].change(0.5)
        await leave(readers)
        return memory, readers[0]

    (first, last), active = finished(crowded())
    assert (last - first) / 99 <= 1
    assert active.errors == [] and len(active.waits) == 1


def test_twenty_readers_on_every_page_fit_in_250_mb(app: App) -> None:
    assert finished(tour(app.url, n_readers=20)) == []
    assert app.memory < 250


def test_thirty_readers_of_the_largest_runs_fit_in_400_mb(tmp_path: Path) -> None:
    with running_app(tmp_path / "log") as fresh:
        found, errors = finished(heavy.memory(fresh, n_readers=30))
        assert errors == [] == fresh.failures()
    assert found.start < 160 and found.all_readers < 400


def test_the_largest_fit_takes_a_minute_and_a_gigabyte_at_most_and_what_readers_brought_goes_with_them(
    tmp_path: Path,
) -> None:
    with running_app(tmp_path / "log") as fresh:
        found = finished(brought.measure(fresh, n_sessions=5))
        assert fresh.failures() == []
    assert found.fit_seconds < 60 and found.fit_peak < 1000
    assert found.after < found.first + 100  # of 180 and more that five files take


def test_a_request_that_names_a_moment_costs_5_ms_and_holds_nobody_up(app: App) -> None:
    cpu, waited = heavy.amplified(app, n_requests=200)
    assert cpu < 5 and waited < 2000


def test_a_page_that_is_missing_is_an_error_to_the_readers(app: App) -> None:
    async def lost() -> list[str]:
        reader = await connect(app.url)
        await reader.visit("/nowhere")
        await leave([reader])
        return reader.errors

    assert finished(lost()) == ["no page 'nowhere'"]


def test_the_percentile_is_a_value_that_occurred() -> None:
    values = [float(value) for value in range(1, 21)]
    assert percentile(values, 0.95) == 19
    assert percentile(values[:1], 0.95) == 1


# ---------------------------------------------------------------- two replicas


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    if NGINX is None:
        pytest.skip("needs nginx")
    with open_folder() as folder, two_replicas(folder) as replicas:
        yield replicas
        assert [app.failures() for app in replicas.apps] == [[], []]


def test_two_replicas_share_the_readers_and_each_reader_keeps_theirs(replicas: Replicas) -> None:
    async def read_twice() -> list[Reader]:
        readers = []
        for beta in BETAS[:10]:
            first = await connect(replicas.url)
            await first.visit("/ppo", f"beta={beta:g}")
            await first.change(0.5)
            again = await connect(replicas.url, first.cookies)  # as after a lost connection
            await again.visit("/sft")
            readers += [first, again]
        await leave(readers)
        return readers

    assert [reader.errors for reader in finished(read_twice())] == [[]] * 20
    visited = _eventually(replicas.visited, n=10)
    assert all(len(servers) == 1 for servers in visited.values())
    assert len(set.union(*visited.values())) == 2


def test_when_a_replica_dies_its_readers_go_on_at_the_other(replicas: Replicas) -> None:
    async def open_page(cookies: str) -> Reader:
        reader = await connect(replicas.url, cookies)
        await reader.visit("/ppo", "beta=0.3")
        await leave([reader])
        return reader

    cookies = [cookies_of(replicas.url) for _ in range(8)]
    replicas.apps[0].kill()
    readers = [finished(open_page(each)) for each in cookies]
    assert [reader.errors for reader in readers] == [[]] * 8
    assert all("beta" in reader.widgets for reader in readers)


def _eventually(look, *, n: int) -> dict[str, set[str]]:
    """What nginx has logged once all connections have ended."""
    deadline = time.monotonic() + 5
    while len(look()) < n and time.monotonic() < deadline:
        time.sleep(0.05)
    return look()
