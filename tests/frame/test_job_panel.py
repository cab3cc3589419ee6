"""What a page shows of work beside it, and when it lets the work go."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from pages.frame import job_panel, jobs, memory
from pages.frame.jobs import Jobs
from pages.frame.memory import Memory
from rlhf_core.lab.work import Progress
from tests.frame.test_jobs import Here
from tests.load.readers import leave
from tests.load.tab import connect
from tests.serving import ROOT, running_app

GATE: list[bool] = []
"""Work goes on to its end once something is in here."""
BEGAN: list[int] = []


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    ours = Jobs(Here())
    monkeypatch.setattr(job_panel, "JOBS", ours)
    monkeypatch.setattr(jobs, "SHARED", Memory(1_000_000))
    monkeypatch.setattr(memory, "SHARED", Memory(1_000_000))
    GATE.clear()
    BEGAN.clear()
    yield ours
    GATE.append(True)


def count(upto: int) -> Iterator[Progress[int]]:
    BEGAN.append(upto)
    for i in range(1, upto + 1):
        while i > 2 and not GATE:
            time.sleep(0.005)
            yield Progress(2, upto, 20)
        if i == 13:
            raise ValueError("the 13th cannot be done, got 13")
        yield Progress(i, upto, 10 * i)


def page() -> None:
    """A page with one place for work, and a box that turns to another page."""
    import streamlit as st

    from pages.frame import job_panel
    from tests.frame.test_job_panel import count

    with job_panel.only_for_this_page():
        upto = st.number_input("Up to", 1, 100, 5, key="upto")
        if not st.checkbox("Another page", key="other"):
            known = lambda result: st.markdown(f"known: {result}")  # noqa: E731
            job_panel.show("count", ("count", upto), lambda: count(upto), known, label="Steps")


def opened() -> AppTest:
    return AppTest.from_function(page, default_timeout=20).run()


def said(app: AppTest) -> list[str]:
    return [part.value for part in (*app.markdown, *app.caption, *app.text)]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def job_of(app: AppTest) -> jobs.Job:
    return app.session_state[job_panel.HELD]["count"].job


def test_a_page_shows_what_is_known_and_a_count_and_goes_on_at_once() -> None:
    app = opened()
    assert [button.label for button in app.button] == ["Stop"] and not app.exception
    wait_until(lambda: job_of(app).result == 20)
    app.run()
    assert said(app) == ["known: 20"] and "Steps: 2 of 5" in str(app.get("progress")[0].proto)
    GATE.append(True)
    wait_until(lambda: job_of(app).state == "done")
    app.run()
    assert said(app) == ["known: 50"] and not app.button and not app.get("progress")


def test_stop_keeps_what_is_known_and_the_work_can_begin_again() -> None:
    app = opened()
    job = job_of(app)
    wait_until(lambda: job.result == 20)
    app.button(key="stop-count").click().run()
    wait_until(lambda: job.state == "stopped")
    app.run()
    assert said(app) == ["known: 20", "Stopped after 2 of 5."]
    GATE.append(True)
    app.button(key="again-count").click().run()
    wait_until(lambda: job_of(app).state == "done")
    assert said(app.run()) == ["known: 50"] and BEGAN == [5, 5]


def test_asking_for_something_else_or_turning_the_page_stops_the_work() -> None:
    app = opened()
    first = job_of(app)
    app.number_input(key="upto").set_value(7).run()
    second = job_of(app)
    wait_until(lambda: first.state == "stopped")
    assert second is not first and second.state == "running"
    app.checkbox(key="other").check().run()
    wait_until(lambda: second.state == "stopped")
    assert app.session_state[job_panel.HELD] == {}


def test_two_readers_have_one_job_and_one_may_leave() -> None:
    ann, bob = opened(), opened()
    assert job_of(ann) is job_of(bob)
    GATE.append(True)
    wait_until(lambda: job_of(bob).state == "done")
    assert said(bob.run()) == said(ann.run()) == ["known: 50"] and BEGAN == [5]


def test_a_failure_is_said_in_a_sentence_beside_what_is_known() -> None:
    GATE.append(True)
    app = opened()
    app.number_input(key="upto").set_value(20).run()
    wait_until(lambda: job_of(app).state == "failed")
    app.run()
    assert not app.exception
    assert said(app) == ["known: 120", "\N{WARNING SIGN} the 13th cannot be done, got 13"]


LONG = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from functools import partial
from pages.frame import job_panel
from rlhf_core import Settings
from rlhf_core.lab.sweeps import beta_sweep_pieces

with job_panel.only_for_this_page():
    work = partial(beta_sweep_pieces, Settings(ppo_steps=60), seeds=range(200))
    job_panel.show("long", "long", work, lambda known: None, label="Pieces")
"""


@pytest.mark.slow
def test_work_for_a_tab_that_is_closed_stops_within_half_a_second(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(LONG)

    async def come_and_go(url: str, server: psutil.Process) -> psutil.Process:
        reader = await connect(url)
        await reader.visit("/")
        while not server.children() or seconds_of(server.children()[0]) < 3:
            await asyncio.sleep(0.05)
        worker = server.children()[0]
        await leave([reader])
        return worker

    with running_app(tmp_path / "log", root=tmp_path) as app, ThreadPoolExecutor(1) as pool:
        server = psutil.Process(app.process.pid)
        worker = pool.submit(asyncio.run, come_and_go(app.url, server)).result(60)
        time.sleep(0.5)
        done = seconds_of(worker)
        time.sleep(1)
        assert seconds_of(worker) - done < 0.1  # of a second of work
        assert app.failures() == []
    wait_until(lambda: not worker.is_running())  # it goes with the server


def seconds_of(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))
