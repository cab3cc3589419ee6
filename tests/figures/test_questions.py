"""What stands beside a chart before it is played gives nothing away: it is the same for runs that end differently."""

from collections.abc import Iterator

import pytest

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.view import View
from rlhf_core import Settings
from tests.everything import everything
from tests.settings_at_random import trained


def charts(seed: int) -> Iterator[tuple[str, Chart]]:
    run, timeline = trained(Settings(seed=seed))
    view = View(run, timeline, prompt=2, palette=theme.LIGHT)
    return ((name, made) for name, made in everything(view) if isinstance(made, Chart))


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, Chart, Chart]]:
    return [(name, one, other) for (name, one), (_, other) in zip(charts(0), charts(1), strict=True)]


def test_questions_guides_and_text_alternatives_know_no_result(pairs: list[tuple[str, Chart, Chart]]) -> None:
    before = [(name, *((each.question, each.guide, each.alt) for each in both)) for name, *both in pairs]
    assert not {name for name, one, other in before if one != other}


def test_what_knows_a_result_waits_for_it(pairs: list[tuple[str, Chart, Chart]]) -> None:
    unasked = [(name, *both) for name, *both in pairs if not both[0].question]
    open_ended = [(name, *((each.title, each.reading) for each in both)) for name, *both in unasked]
    assert not {name for name, one, other in open_ended if one != other}
    asked = [one.question for _, one, _ in pairs if one.question]
    assert len(asked) >= 30 and all(question.endswith("?") for question in asked)


@pytest.mark.parametrize(
    ("at", "told"),
    [("idle", set()), ("sft-15", set()), ("sft-30", {"sft"}), ("rm-30", {"sft"}), ("rm-60", {"sft", "rm"}),
     ("ppo-8", {"sft", "rm"}), ("done", {"sft", "rm", "done"})],
)  # fmt: skip
def test_a_finding_is_told_when_its_part_has_been_played_to_the_end(
    pairs: list[tuple[str, Chart, Chart]], at: str, told: set[str]
) -> None:
    run, timeline = trained(Settings(seed=0))
    frame = timeline.find(at)
    assert {one.told_at for _, one, _ in pairs if one.question and one.words.told(frame, run.settings)} == told
