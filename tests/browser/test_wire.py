"""What goes over the wire: a changed run costs little, a moved playhead next to nothing."""

import pytest

from tests.browser.reader import PAGES, Reader

BUDGET = {8: 60_000, 60: 250_000}
PLAYHEAD_TOTAL, PLAYHEAD_LARGEST = 25_000, 4_000


@pytest.mark.parametrize("n_steps", BUDGET)
def test_a_changed_run_stays_within_its_budget_on_every_page(reader: Reader, n_steps: int) -> None:
    reader.open(f"/?ppo_steps={n_steps}&at=ppo-5")
    sizes = {}
    for name in PAGES:
        reader.turn_to(name)
        before = len(reader.messages)
        with reader.rerun():
            reader.slide("beta", "ArrowRight")
        sizes[name] = reader.received_since(before)
    assert all(size <= BUDGET[n_steps] for size in sizes.values()), sizes


def test_a_moved_playhead_sends_no_picture_again(reader: Reader) -> None:
    reader.open("/?at=ppo-3")
    for name in PAGES:
        reader.turn_to(name)
        before = len(reader.messages)
        with reader.rerun():
            reader.press("Step")
        sizes = [message.size for message in reader.messages[before:] if not message.sent]
        assert max(sizes) <= PLAYHEAD_LARGEST and sum(sizes) <= PLAYHEAD_TOTAL, (name, sorted(sizes)[-5:], sum(sizes))
