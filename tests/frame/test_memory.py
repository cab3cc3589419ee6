"""What is kept for all readers is weighed, and never weighs more than the budget."""

import gc
import threading
import weakref
from dataclasses import dataclass, replace

import numpy as np
import pytest

from pages.frame import memory, runs
from pages.frame.memory import Memory, kept, weigh
from rlhf_core import Settings, load_scenario, run_pipeline


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """An empty memory of 10 kB in place of the app's."""
    ours = Memory(10_000)
    monkeypatch.setattr(memory, "SHARED", ours)
    return ours


@dataclass(frozen=True, eq=False)
class Record:
    array: np.ndarray
    rest: object = None


def test_an_array_weighs_what_it_holds_once() -> None:
    array = np.zeros(1000)
    assert 8000 <= weigh(array) < 8200
    assert weigh([array, array, Record(array)]) < 8500


def test_a_slice_weighs_what_it_keeps_alive() -> None:
    array = np.zeros((1000, 10))
    assert weigh(array[:1]) >= 80_000
    assert weigh([array[:1], array[1:2], array.T]) < 81_000


def test_texts_numbers_and_what_holds_them_are_weighed() -> None:
    assert weigh(b"x" * 1000) >= 1000
    assert weigh({"a": ["x" * 1000], "b": {"c": ("y" * 500,)}}) >= 1500
    assert 24_000 <= weigh(list(np.linspace(0, 1, 1000))) and 24_000 <= weigh([i / 7 for i in range(1000)]) < 80_000
    assert weigh(np.array(["x" * 1000, "y" * 1000], dtype=object)) >= 2000


def test_a_heavy_run_weighs_more_than_a_light_one_and_the_scenario_nothing() -> None:
    light, heavy = (run_pipeline(Settings(ppo_steps=n, rollouts=256)) for n in (1, 60))
    assert 1e6 < weigh(heavy) - weigh(light) < 3e6
    ours = load_scenario("safety")
    assert weigh(ours) == 0 and weigh(replace(ours, name="mine")) > 100_000  # a reader's own


def test_what_was_used_longest_ago_makes_room() -> None:
    ours = Memory(10_000)
    for name in "abc":
        ours.keep(name, np.zeros(400))
    assert ours.find("a")  # used again
    ours.keep("d", np.zeros(400))
    assert [bool(ours.find(name)) for name in "abcd"] == [True, False, True, True] and ours.weight <= 10_000


def test_what_is_heavier_than_the_budget_is_not_kept_and_drives_nothing_out() -> None:
    ours = Memory(10_000)
    ours.keep("light", np.zeros(100))
    ours.keep("heavy", np.zeros(2000))
    assert ours.find("light") and ours.find("heavy") is None


def test_a_key_kept_twice_weighs_once() -> None:
    ours = Memory(10_000)
    for _ in range(5):
        ours.keep("a", np.zeros(400))
    assert 3200 <= ours.weight < 3500
    ours.clear()
    assert ours.weight == 0 and ours.find("a") is None


def test_what_leaves_is_freed(shared: Memory) -> None:
    array = np.zeros(1000)
    ghost = weakref.ref(array)
    shared.keep("a", Record(array))
    del array
    shared.keep("b", np.zeros(1000))
    gc.collect()
    assert ghost() is None


def test_a_kept_function_is_asked_once_and_may_give_none(shared: Memory) -> None:
    asked = []

    @kept
    def look(number: int, twice: bool = False) -> None:
        asked.append((number, twice))

    assert look.known(1) is None
    for _ in range(3):
        assert look(1) is None and look(1, twice=True) is None
    assert asked == [(1, False), (1, True)] and look.__name__ == "look"


def test_two_functions_do_not_share(shared: Memory) -> None:
    assert kept(lambda x: x + 1)(1) == 2 and kept(lambda x: x + 2)(1) == 3


def test_what_made_room_is_given_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    memory.prepare()
    memory.give_back()  # on any C library
    times = []
    monkeypatch.setattr(memory, "give_back", lambda: times.append(1))
    ours = Memory(10_000_000)
    for name in range(20):
        ours.keep(name, np.zeros(500_000))  # 4 MB: two have room
    assert 3 <= len(times) <= 5  # 72 MB made room, once every 16


def test_many_threads_leave_the_weight_right() -> None:
    ours = Memory(20_000)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(300):
            ours.keep(int(rng.integers(30)), np.zeros(int(rng.integers(300))))
            ours.find(int(rng.integers(30)))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ours.weight == sum(weight for _, weight in ours._kept.values()) <= 20_000


def test_a_run_is_known_once_somebody_has_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SHARED", Memory(10_000_000))
    settings = Settings(ppo_steps=1)
    assert runs.shared_run.known(settings) is None
    run, _ = runs.shared_run(settings)
    assert runs.shared_run.known(Settings(ppo_steps=1))[0] is run
    for seed in range(30):
        runs.shared_run(Settings(ppo_steps=1, seed=seed))
    assert memory.SHARED.weight <= 10_000_000 and runs.shared_run.known(settings) is None
