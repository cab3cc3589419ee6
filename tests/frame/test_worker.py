"""The process beside the server: it does what would be done here, fails in sentences, and goes with the server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice

import psutil
import pytest

from pages.drawing.theme import LIGHT
from pages.figures.lab.experiment import Experiment
from pages.frame.lab import EXPERIMENTS
from pages.frame.worker import BEHIND, Failed, Worker
from rlhf_core import Settings
from rlhf_core.lab.sweeps import beta_sweep_pieces
from rlhf_core.lab.work import finish
from rlhf_core.yours.pairs import parse_pairs
from rlhf_core.yours.preference_fit import fit_pairs_pieces
from tests.frame import works
from tests.frame.works import ENDLESS, broken, printing
from tests.serving import ROOT

SMALL = Settings(beta=0.3, ppo_steps=2, n_comparisons=60)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    ours = Worker()
    yield ours
    ours.end()


@pytest.mark.parametrize("chosen", [e for e in EXPERIMENTS if e.name != "arrives"], ids=lambda chosen: chosen.name)
def test_every_experiment_finds_there_what_it_finds_here(worker: Worker, chosen: Experiment) -> None:
    n_seeds = min(chosen.seeds)
    there, here = finish(worker.pieces(partial(chosen.pieces, SMALL, n_seeds))), finish(chosen.pieces(SMALL, n_seeds))
    assert chosen.finding(there) == chosen.finding(here)
    assert chosen.table(there) == chosen.table(here)
    drawn = [[panel.drawing.figure.to_json() for panel in chosen.charts(found, LIGHT)] for found in (there, here)]
    assert drawn[0] == drawn[1]


def test_pairs_are_fitted_there_as_here(worker: Worker) -> None:
    rows = ["prompt,chosen,rejected", *(f"p{i // 2},good {i} {'x ' * (i % 7)},bad {i}" for i in range(60))]
    pairs = parse_pairs("\n".join(rows).encode(), "pairs.csv")
    there, here = finish(worker.pieces(partial(fit_pairs_pieces, pairs))), finish(fit_pairs_pieces(pairs))
    assert there.heldout_accuracy == here.heldout_accuracy and there.blind == here.blind


def test_works_take_turns_and_what_they_print_is_no_answer(worker: Worker) -> None:
    first, second = worker.pieces(partial(printing, 3)), worker.pieces(ENDLESS)
    assert next(second).done < 20_000
    assert [piece.result for piece in first] == [2]  # short pieces come together
    assert next(second).done > 0
    second.close()


def test_a_refusal_is_the_same_sentence(worker: Worker) -> None:
    with pytest.raises(ValueError, match="beta must be a number from 0 to 2, got -1"):
        next(worker.pieces(partial(beta_sweep_pieces, Settings(), betas=[-1])))


def test_of_an_error_kind_and_place_come_back_and_what_was_found_before_it(worker: Worker) -> None:
    work = worker.pieces(broken)
    assert next(work).result == 10
    with pytest.raises(Failed, match="what a reader wrote") as caught:
        next(work)
    kind, place = caught.value.failure.kind, caught.value.failure.place
    assert kind == "KeyError" and place.startswith(works.__file__)


def test_it_goes_behind_the_pages(worker: Worker) -> None:
    finish(worker.pieces(partial(printing, 1)))
    assert worker.process_id is not None
    process = psutil.Process(worker.process_id)
    assert process.nice() >= min(19, os.nice(0) + BEHIND)
    process.send_signal(signal.SIGINT)  # as Ctrl-C at the server's terminal
    assert finish(worker.pieces(partial(printing, 1))) == 0
    assert worker.process_id == process.pid


def test_when_it_is_killed_its_works_end_with_an_error_and_the_next_begins_in_another(worker: Worker) -> None:
    first, second = worker.pieces(ENDLESS), worker.pieces(ENDLESS)
    next(first), next(second)
    killed = worker.process_id
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    for work in (first, second):
        with pytest.raises((EOFError, OSError)):
            list(islice(work, 3))
    third = worker.pieces(partial(printing, 2))
    assert finish(third) == 1 and worker.process_id not in (None, killed)
    first.close()
    process = psutil.Process(worker.process_id)
    worker.end()
    assert worker.process_id is None and not process.is_running()


SERVER = """
from functools import partial
from pages.frame.worker import Worker
from tests.frame.works import ENDLESS
worker = Worker()
work = worker.pieces(ENDLESS)
next(work)
print(worker.process_id, flush=True)
while True:
    next(work)
"""


def test_it_ends_with_a_server_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        process = psutil.Process(int(server.stdout.readline()))
        server.kill()
    psutil.wait_procs([process], timeout=20)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
