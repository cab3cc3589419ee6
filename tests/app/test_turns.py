"""Pages are computed one after another, and none waits for ever."""

import threading

import pytest

from pages.frame import turns


def test_one_at_a_time() -> None:
    inside, most = [], []

    def page() -> None:
        for _ in range(50):
            with turns.turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=page) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 200 and max(most) == 1


def test_an_exception_ends_the_turn() -> None:
    with pytest.raises(KeyError), turns.turn():
        raise KeyError
    with turns.turn():
        pass


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    with turns.turn():
        with turns.turn():
            pass
        assert not turns._turn.acquire(blocking=False)  # who went ahead has not ended the other's turn
