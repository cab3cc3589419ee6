"""Pages are computed one after another, and a stuck one holds nobody up for long, or twice."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pages.frame import turns
from pages.frame.turns import Turns
from tests.load.readers import leave
from tests.load.tab import connect
from tests.serving import ROOT, running_app


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds after which a page is late."""
    monkeypatch.setattr(turns, "LATE_SECONDS", 0.1)
    return 0.1


def in_threads(work: Callable[[int], object], n: int) -> None:
    threads = [threading.Thread(target=work, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_one_at_a_time() -> None:
    inside, most = [], []

    def pages(_: int) -> None:
        for _ in range(50):
            with turns.turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    in_threads(pages, 4)
    assert len(most) == 200 and max(most) == 1


def test_in_the_order_in_which_they_came() -> None:
    ours, order, threads = Turns(), [], []

    def page(i: int) -> None:
        with ours.turn():
            order.append(i)

    with ours.turn():
        for i in range(5):
            threads.append(threading.Thread(target=page, args=(i,)))
            threads[-1].start()
            while len(ours._waiting) <= i:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_an_exception_ends_the_turn() -> None:
    with pytest.raises(KeyError), turns.turn():
        raise KeyError
    with turns.turn():
        pass


def test_a_stuck_page_is_waited_for_once(late: float) -> None:
    ours = Turns()
    with ours.turn():  # stuck
        start = time.monotonic()
        with ours.turn():
            assert late * 0.9 < time.monotonic() - start < late * 2
        again = time.monotonic()
        for _ in range(20):
            with ours.turn():
                pass
        assert time.monotonic() - again < late / 2


def test_readers_in_line_behind_a_stuck_page_wait_together(late: float) -> None:
    ours, inside, most, waits = Turns(), [], [], []

    def page(_: int) -> None:
        start = time.monotonic()
        with ours.turn():
            waits.append(time.monotonic() - start)
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    with ours.turn():
        in_threads(page, 6)
    assert max(waits) < late * 2 and max(most) == 1  # and still one after another


def test_a_long_line_of_quick_pages_makes_nobody_late(late: float) -> None:
    ours, inside, most = Turns(), [], []

    def page(_: int) -> None:
        with ours.turn():
            inside.append(1)
            most.append(len(inside))
            time.sleep(late / 5)
            inside.pop()

    in_threads(page, 15)  # the last waits for three times as long as a late page may take
    assert len(most) == 15 and max(most) == 1


def test_who_was_overtaken_ends_nobody_elses_turn(late: float) -> None:
    ours = Turns()
    with ExitStack() as stuck:
        stuck.enter_context(ours.turn())
        with ours.turn():
            stuck.close()
            began = time.monotonic()
            ours.give_way(late / 2)
            assert time.monotonic() - began > late / 3  # somebody still has the turn
    ours.give_way(10)  # nobody has: no wait


def test_work_in_the_background_gives_way_to_pages_but_not_for_ever() -> None:
    ours = Turns()
    start = time.monotonic()
    ours.give_way(5)
    with ours.turn():
        ours.give_way(0.05)
    assert 0.05 <= time.monotonic() - start < 1


STUCK = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from pages.frame import turns

with turns.turn():
    if "stuck" in st.query_params:
        time.sleep(9)
    st.write("drawn")
"""


@pytest.mark.slow
def test_other_readers_wait_for_a_stuck_page_once_and_two_seconds(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(STUCK)

    async def read(url: str) -> list[float]:
        stuck, other = await connect(url), await connect(url)
        await other.visit("/")
        hanging = asyncio.ensure_future(stuck.visit("/", "stuck=1"))
        await asyncio.sleep(0.3)
        waits = []
        for _ in range(5):
            start = time.monotonic()
            await other.visit("/")
            waits.append(time.monotonic() - start)
        assert not hanging.done()
        await hanging
        await leave([stuck, other])
        return waits

    with running_app(tmp_path / "log", root=tmp_path) as app, ThreadPoolExecutor(1) as pool:
        waits = pool.submit(asyncio.run, read(app.url)).result()
    assert 1 < waits[0] < 2.5 and max(waits[1:]) < 1
