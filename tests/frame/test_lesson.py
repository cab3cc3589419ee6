"""Lesson mode as text: which controls and parts a link names, and what it is told about the rest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.drawing.theme import DARK
from pages.figures.ppo import follow, objective, plane
from pages.figures.reward_model import pairs
from pages.frame import lesson
from rlhf_core import Settings


def test_names_stand_in_the_order_of_the_link_each_once() -> None:
    assert lesson.split(" beta,scenario,,beta , ") == ("beta", "scenario")


def test_every_setting_is_a_control() -> None:
    names = ",".join(Settings.__dataclass_fields__)
    assert lesson.parse_controls(names) == (tuple(Settings.__dataclass_fields__), "")


@pytest.mark.parametrize("text", ["", " ", ",,"])
def test_no_names_ask_for_nothing(text: str) -> None:
    assert lesson.parse_controls(text) == ((), "")
    assert lesson.parse_show(text, "ppo") == ((), "")


def test_unknown_controls_are_named_once_and_ignored() -> None:
    known, note = lesson.parse_controls("beta,gamma,<b>,prompt")
    assert known == ("beta", "prompt")
    assert note.startswith("controls has no “gamma”, “<b>”; it has scenario, seed, beta,")


def test_unknown_parts_are_named_once_with_what_the_page_offers() -> None:
    parts, note = lesson.parse_show("reward_kl_path,nope", "ppo")
    assert parts == ("reward_kl_path",)
    assert note.startswith("show has no “nope” on this page; it offers stage, objective,") and "loop" in note


def test_a_part_of_another_page_is_no_mistake_unless_nothing_is_left() -> None:
    assert lesson.parse_show("reward_kl_path,imitation", "sft") == (("imitation",), "")
    parts, note = lesson.parse_show("reward_kl_path", "sft")
    assert parts == () and note.startswith("show has no “reward_kl_path” on this page; it offers stage,")


def test_the_stage_alone_can_be_asked_for() -> None:
    assert lesson.parse_show("stage", "metrics") == (("stage",), "")


@pytest.mark.parametrize("page", lesson.PAGES)
def test_every_page_offers_parts_and_takes_all_of_them(page: str) -> None:
    offered = lesson.offered(page)
    # the charts of the Lab and of Yours are not on the clock
    assert len(offered) == len(set(offered)) >= (1 if page in ("lab", "yours") else 4)
    assert lesson.parse_show(",".join(offered), page) == (offered, "")


def test_a_page_is_known_by_the_name_of_its_clock_too() -> None:
    assert lesson.offered("reward-model") == lesson.offered("reward_model")


def test_a_switched_variant_is_the_same_part() -> None:
    assert lesson.parse_show("objective_curves_with_optimum", "ppo") == (("objective_curves",), "")
    assert lesson.parse_show("score_and_truth_by_kl,score_and_truth", "metrics") == (("score_and_truth",), "")
    assert lesson.part_name("kl_by_response") == "kl_by_response"


@pytest.mark.parametrize("function", [plane.reward_kl_path, objective.objective, follow.policies, pairs.pair_loss])
def test_charts_passages_and_what_makes_them_are_parts(function: object) -> None:
    assert lesson.draws(function)


@pytest.mark.parametrize("thing", [pairs.pair_names, DARK, "text", None, Settings])
def test_nothing_else_is_a_part(thing: object) -> None:
    assert not lesson.draws(thing)


def test_without_a_lesson_every_part_stays_where_the_script_draws_it() -> None:
    place = lesson.place(None, plane.reward_kl_path)
    assert place is not None
    with place:
        pass
    assert lesson.place({}, plane.reward_kl_path) is None


@settings(deadline=None)  # the first one imports every figure
@given(st.text(max_size=2000))
def test_whatever_a_link_holds_the_notes_stay_short(text: str) -> None:
    for names, note in (lesson.parse_controls(text), lesson.parse_show(text, "overview")):
        assert set(names) <= {*lesson.CONTROL_NAMES, *lesson.offered("overview")}
        assert len(note) < 800
        assert bool(note) == any(name not in names for name in lesson.split(text))
