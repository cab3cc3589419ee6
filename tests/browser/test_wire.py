"""What goes over the wire: a changed run costs little, a moved playhead next to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.browser.conftest import Seat
from tests.browser.reader import PAGES

BUDGET = {8: 120_000, 60: 250_000}
PLAYHEAD_TOTAL, PLAYHEAD_LARGEST = 30_000, 4_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """Sizes of what each page received."""

    n_steps: int
    changed: dict[str, list[int]]
    moved: dict[str, list[int]]


@pytest.fixture(scope="module", params=BUDGET)
def traffic(request: pytest.FixtureRequest, seat: Seat) -> Traffic:
    """On every page β is changed, and then the playhead moved."""
    reader = seat.take().open(f"/?ppo_steps={request.param}&at=ppo-4")
    changed, moved = {}, {}

    @contextmanager
    def record(sizes: dict[str, list[int]]) -> Iterator[None]:
        before = len(reader.messages)
        with reader.rerun():
            yield
        sizes[name] = [message.size for message in reader.messages[before:] if not message.sent]

    for name in PAGES:
        reader.turn_to(name)
        with record(changed):
            reader.slide("beta", "ArrowRight")
        with record(moved):
            reader.press("Step")
    return Traffic(request.param, changed, moved)


def test_a_changed_run_stays_within_its_budget_on_every_page(traffic: Traffic) -> None:
    sizes = {name: sum(sizes) for name, sizes in traffic.changed.items()}
    assert max(sizes.values()) <= BUDGET[traffic.n_steps], sizes


def test_a_moved_playhead_sends_no_picture_again(traffic: Traffic) -> None:
    sizes = {name: (sum(sizes), max(sizes)) for name, sizes in traffic.moved.items()}
    assert all(total <= PLAYHEAD_TOTAL and largest <= PLAYHEAD_LARGEST for total, largest in sizes.values()), sizes
