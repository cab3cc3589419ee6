"""Many readers at once, within the budgets: how long they wait, what they cost, and what a replica is for."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.load.readers import BETAS, Gauge, Reader, arrive, connect, cookies_of, crowd, leave, percentile, tour
from tests.load.replicas import NGINX, Replicas, open_folder, two_replicas
from tests.serving import App, running_app

pytestmark = pytest.mark.slow
HEAVIEST = "/metrics"


def slowdown() -> float:
    """How much longer than alone a tenth of a second of work takes here now; 1 where a core is free."""
    start, worked = time.perf_counter(), time.thread_time()
    while time.thread_time() - worked < 0.1:
        pass
    return (time.perf_counter() - start) / 0.1


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

    return asyncio.run(first_page())


def gauge(app: App) -> Gauge:
    return Gauge((app.process.pid,))


def test_the_app_starts_in_160_mb(memory_at_start: float) -> None:
    assert 0 < memory_at_start < 160


def test_95_of_100_changes_by_twenty_readers_are_drawn_in_250_ms(app: App, record_property) -> None:
    busy = []
    for attempt in range(2):  # the better of two, for machines are busy
        before = slowdown()
        report = asyncio.run(
            crowd(app.url, path=HEAVIEST, n_readers=20, seconds=4, think=2, gauge=gauge(app), seed=attempt)
        )
        busy.append((before + slowdown()) / 2)
        record_property("report", str(report))
        assert report.errors == () and len(report.waits) >= 20
        assert report.cpu < 110  # run, charts and a cached page: 25 + 60 + 25 ms
        if report.p95 <= 250:
            return
    if min(busy) > 1.2:
        pytest.skip(f"other programs leave the app 1/{min(busy):.1f} of a core: {report}")
    pytest.fail(str(report))


def test_a_hundred_idle_readers_take_1_mb_each_at_most(app: App) -> None:
    async def crowded() -> tuple[tuple[float, float], Reader]:
        readers, memory = await arrive(app.url, HEAVIEST, 100, gauge(app))
        await readers[0].change(0.5)
        await leave(readers)
        return memory, readers[0]

    (first, last), active = asyncio.run(crowded())
    assert (last - first) / 99 <= 1
    assert active.errors == [] and len(active.waits) == 1


def test_twenty_readers_on_every_page_fit_in_250_mb(app: App) -> None:
    assert asyncio.run(tour(app.url, n_readers=20)) == []
    assert app.memory < 250


def test_a_page_that_is_missing_is_an_error_to_the_readers(app: App) -> None:
    async def lost() -> list[str]:
        reader = await connect(app.url)
        await reader.visit("/nowhere")
        await leave([reader])
        return reader.errors

    assert asyncio.run(lost()) == ["no page 'nowhere'"]


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

    assert [reader.errors for reader in asyncio.run(read_twice())] == [[]] * 20
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
    readers = [asyncio.run(open_page(each)) for each in cookies]
    assert [reader.errors for reader in readers] == [[]] * 8
    assert all(reader.slider for reader in readers)


def _eventually(look, *, n: int) -> dict[str, set[str]]:
    """What nginx has logged once all connections have ended."""
    deadline = time.monotonic() + 5
    while len(look()) < n and time.monotonic() < deadline:
        time.sleep(0.05)
    return look()
