"""Work beside the pages: shared, in pieces, behind the pages, and over when nobody wants it."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pages.frame import jobs, memory
from pages.frame.jobs import Job, Jobs
from pages.frame.memory import Memory
from pages.frame.worker import Worker
from rlhf_core.lab.work import Progress


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Memory:
    ours = Memory(1_000_000)
    monkeypatch.setattr(jobs, "SHARED", ours)
    monkeypatch.setattr(memory, "SHARED", ours)
    return ours


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of the sessions whose tabs are open."""
    found = {"ann", "bob"}
    monkeypatch.setattr(jobs, "is_here", lambda session: session in found)
    return found


class Here(Worker):
    """Does the work in this process, where a test can look at it."""

    ended = 0

    def pieces(self, make: Callable[[], Iterator[Progress[Any]]]) -> Iterator[Progress[Any]]:
        return make()

    def end(self) -> None:
        self.ended += 1


class Counted:
    """Work that counts to a number, and counts its own pieces."""

    def __init__(self, total: int, seconds: float = 0.0) -> None:
        self.total, self.seconds = total, seconds
        self.began = self.pieces = 0
        self.closed = False

    def __call__(self) -> Iterator[Progress[int]]:
        self.began += 1
        try:
            for i in range(1, self.total + 1):
                time.sleep(self.seconds)
                self.pieces += 1
                yield Progress(i, self.total, i * 10)
        finally:
            self.closed = True


def wait_until(condition: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def over(job: Job) -> Job:
    wait_until(lambda: job.state != "running")
    return job


def test_work_is_done_piece_by_piece_to_its_end(here: set[str]) -> None:
    work, ours = Counted(5), Jobs(Here())
    job = over(ours.ask("key", work, "ann"))
    assert (job.state, job.result, job.progress.done, work.pieces) == ("done", 50, 5, 5)
    wait_until(lambda: work.closed)


def test_who_asks_for_the_same_waits_for_the_same_and_who_asks_later_has_it_at_once(here: set[str]) -> None:
    work, ours = Counted(20, 0.005), Jobs(Here())
    first, second = ours.ask("key", work, "ann"), ours.ask("key", work, "bob")
    assert first is second
    over(first)
    wait_until(lambda: ours.ask("key", work, "bob") is not first)
    later = ours.ask("key", work, "bob")
    assert (later.state, later.result, work.began) == ("done", 200, 1)


def test_what_a_reader_brought_is_kept_for_nobody(here: set[str], nothing_kept: Memory) -> None:
    work, ours = Counted(3), Jobs(Here())
    over(ours.ask(("ann", "file"), work, "ann", shared=False))
    assert nothing_kept.weight == 0
    wait_until(lambda: ours._jobs == {})
    over(ours.ask(("ann", "file"), work, "ann", shared=False))
    assert work.began == 2


@pytest.mark.parametrize("leaves", ["presses stop", "closes the tab"])
def test_work_that_nobody_wants_stops_within_half_a_second(leaves: str, here: set[str]) -> None:
    work, ours = Counted(10_000, 0.02), Jobs(Here())
    job = ours.ask("key", work, "ann")
    wait_until(lambda: work.pieces > 2)
    if leaves == "presses stop":
        ours.leave(job, "ann")
    else:
        here.remove("ann")
    start = time.monotonic()
    over(job)
    assert time.monotonic() - start < 0.5
    assert job.state == "stopped" and job.result >= 20  # what is done is not lost
    wait_until(lambda: work.closed)
    pieces = work.pieces
    time.sleep(0.1)
    assert work.pieces == pieces


def test_work_goes_on_for_who_is_left(here: set[str]) -> None:
    work, ours = Counted(20, 0.005), Jobs(Here())
    job = ours.ask("key", work, "ann")
    ours.ask("key", work, "bob")
    ours.leave(job, "ann")
    assert over(job).state == "done"


def test_stopped_work_can_be_asked_for_again(here: set[str]) -> None:
    work, ours = Counted(30, 0.005), Jobs(Here())
    job = ours.ask("key", work, "ann")
    wait_until(lambda: work.pieces > 2)
    ours.leave(job, "ann")
    over(job)
    again = over(ours.ask("key", work, "ann"))
    assert again is not job and again.state == "done" and work.began == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [(ValueError("beta must be a number from 0 to 2, got 3"), "beta must be"), (KeyError("x"), jobs.FAILED)],
)
def test_a_failure_is_a_sentence_and_stops_nothing_else(error: Exception, said: str, here: set[str], caplog) -> None:
    def broken() -> Iterator[Progress[int]]:
        yield Progress(1, 2, 10)
        raise error

    ours = Jobs(Here())
    job = over(ours.ask("broken", broken, "ann"))
    assert job.state == "failed" and job.error.startswith(said) and job.result == 10
    assert over(ours.ask("sound", Counted(3), "ann")).state == "done"
    wait_until(lambda: "broken" not in ours._jobs)
    assert over(ours.ask("broken", Counted(3), "ann")).state == "done"  # a failure is not kept


@pytest.mark.parametrize("shared", [True, False])
def test_the_log_has_the_failure_but_nothing_of_what_a_reader_brought(shared: bool, here: set[str], caplog) -> None:
    def broken() -> Iterator[Progress[int]]:
        yield Progress(1, 2, {}["my secret"])

    over(Jobs(Here()).ask(("ann", "my file"), broken, "ann", shared=shared))
    assert "KeyError" in caplog.text
    assert ("my secret" in caplog.text) == ("my file" in caplog.text) == shared


def test_readers_work_is_done_in_turn(here: set[str]) -> None:
    works, ours = [Counted(40, 0.005) for _ in range(4)], Jobs(Here())
    running = [ours.ask(i, work, "ann") for i, work in enumerate(works)]
    wait_until(lambda: works[0].pieces >= 15)
    assert min(work.pieces for work in works) >= 5  # none waits for another's end
    assert [over(job).state for job in running] == ["done"] * 4


def test_the_process_goes_when_there_is_nothing_to_do(here: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "IDLE_SECONDS", 0.1)
    worker = Here()
    ours = Jobs(worker)
    over(ours.ask("key", Counted(3), "ann"))
    wait_until(lambda: worker.ended == 1)
    assert over(ours.ask("another", Counted(3), "ann")).state == "done"
    wait_until(lambda: worker.ended == 2)


def test_a_hundred_readers_ask_for_one_thing_at_once(here: set[str]) -> None:
    work, ours, found = Counted(5, 0.01), Jobs(Here()), []
    here |= {str(i) for i in range(100)}
    threads = [
        threading.Thread(target=lambda i=i: found.append(ours.ask("key", work, str(i)))) for i in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert work.began <= 1 and all(over(job).state == "done" for job in found) and work.began == 1


def test_a_thread_that_waits_holds_nothing_of_what_it_has_done(here: set[str]) -> None:
    ours, work = Jobs(Here()), Counted(2)
    seen = weakref.ref(work)
    over(ours.ask("key", work, "ann", shared=False))
    del work
    wait_until(lambda: gc.collect() is not None and seen() is None)
