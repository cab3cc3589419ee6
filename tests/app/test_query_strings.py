"""Links that nobody meant: 2,000 of them are read without an exception, and what cannot be used is said."""

from functools import cache
from urllib.parse import parse_qs, quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.frame import link
from pages.frame.sidebar import SPEED, SPEEDS
from pages.frame.tour import STEPS
from rlhf_core import Settings, load_scenario, run_pipeline
from rlhf_core.settings import CONTROLS, parse
from rlhf_core.timeline import Timeline, build
from tests.app.opening import ROOT

PAGES = ("overview", "sft", "reward_model", "ppo", "metrics")
OWN = ("speed", "prompt", "at", "tour", "pin", "optimum")
MARKUP = "<b id=x>**bold** $x^2$ :red[y]</b>"
WORDS = (
    "", " ", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "1e-999", "-0", "-1", "0", "1", "2", "0.3",
    "0.123456789", "12.7", "1_0", "0x10", "1,5", "True", "None", "null", "[]", "{}", "undefined", "__proto__", "../..",
    "9" * 40, "9" * 5000, "-" + "9" * 400, "x" * 10_000, "一二三", "๓", "²", "１２", "بيتا", "β", "💥", "\u202eabc",
    "\0", "a\nb", "'", MARKUP, "<script>alert(1)</script>", "%", "&", "ppo-", "ppo-3", "ppo-999", "ppo-1-x",
    "sft-9999999999", "rm-60", "done", "idle", "beta=nan&seed=<b>&beta=1", "helpfulness", "safety", "gae",
)  # fmt: skip
NAMES = st.sampled_from([*CONTROLS, *OWN]) | st.sampled_from(["embed", "utm_source", "Beta", "β", "<b>", "__proto__"])
VALUES = st.sampled_from(WORDS) | st.text(max_size=60) | st.floats().map(repr) | st.integers().map(str)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=12)
PLAN = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@cache
def timeline() -> Timeline:
    return build(run_pipeline(Settings(ppo_steps=3, sft_epochs=4, rm_epochs=5, n_comparisons=24)))


def read(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Parameters as the server gets them from a browser."""
    text = urlencode(pairs, errors="replace")
    return parse_qs(text, keep_blank_values=True)


def last(query: dict[str, list[str]], name: str, default: str) -> str:
    return query.get(name, [default])[-1]


def sentences(query: dict[str, list[str]], run: Timeline, n_prompts: int = 12) -> tuple[str, ...]:
    """Everything that a page says of a link, in the order of the page."""
    usual = load_scenario(link.settings(query)[0].scenario).telling + 1
    number, said_number = link.whole("prompt", last(query, "prompt", str(usual)), 1, n_prompts, usual)
    pin, said_pin = link.pinned(last(query, "pin", ""))
    at, said_at = link.playhead(last(query, "at", "idle"), run)
    step, said_step = link.tour_step(last(query, "tour", "0"), len(STEPS))
    pinned = "no pin" if pin is None else urlencode(pin.to_query()) or link.DEFAULTS
    notes = (
        *link.settings(query)[1],
        link.speed(query.get("speed", []), *SPEEDS, SPEED)[1],
        said_number or link.once("prompt", query.get("prompt", []), number),
        *(said_pin or [link.once("pin", query.get("pin", []), pinned)]),
        said_at or link.once("at", query.get("at", []), at),
        said_step or link.once("tour", query.get("tour", []), step or "no tour"),
        link.switch("optimum", query.get("optimum", [])),
    )
    return tuple(note for note in notes if note)


def can_be_used(name: str, values: list[str]) -> bool:
    try:
        parse(name, values[-1])
    except ValueError:
        return False
    return len(values) == 1


@settings(max_examples=2000, **PLAN)
@given(PAIRS)
def test_no_link_raises_and_each_sentence_is_a_line_that_says_what_was_used(pairs: list[tuple[str, str]]) -> None:
    query = read(pairs)
    for note in sentences(query, timeline()):
        assert note.isprintable() and len(note) < 260, note
        assert note.removeprefix("pin: ").split()[0] in (*CONTROLS, *OWN)
        assert " must be " in note and ", got " in note and "; using " in note


@settings(max_examples=400, **PLAN)
@given(PAIRS)
def test_a_setting_is_used_as_it_stands_or_has_its_sentence(pairs: list[tuple[str, str]]) -> None:
    query = read(pairs)
    chosen, notes = link.settings(query)
    said = [note.split()[0] for note in notes]
    for name, default in ((name, getattr(Settings(), name)) for name in CONTROLS):
        if name not in query:
            assert getattr(chosen, name) == default and name not in said
        elif can_be_used(name, query[name]):
            assert getattr(chosen, name) == parse(name, query[name][-1]) and name not in said
        else:
            assert said.count(name) == 1


@settings(max_examples=400, **PLAN)
@given(PAIRS)
def test_a_link_made_of_what_was_used_needs_no_sentence(pairs: list[tuple[str, str]]) -> None:
    query = read(pairs)
    chosen = link.settings(query)[0]
    speed = link.speed(query.get("speed", []), *SPEEDS, SPEED)[0]
    at = link.playhead(last(query, "at", "idle"), timeline())[0]
    again = read([*chosen.to_query().items(), ("speed", str(speed)), ("at", at)])
    assert link.settings(again) == (chosen, ()) and sentences(again, timeline()) == ()


@pytest.mark.parametrize(
    ("text", "used"),
    [("0", 1), ("-7", 1), ("13", 12), ("1e999", 12), ("-inf", 1), ("nan", 1), ("", 1), ("2.7", 2), ("٣", 3), ("x", 1)],
)
def test_a_number_out_of_range_becomes_the_nearest(text: str, used: int) -> None:
    assert link.whole("prompt", text, 1, 12, 1)[0] == used


@pytest.mark.parametrize(
    ("text", "name"),
    [("ppo-999", "ppo-3"), ("ppo-9-kl", "ppo-3"), ("sft-99", "sft-4"), ("rm-6", "rm-5"), ("zz", "idle"), ("", "idle")],
)
def test_a_playhead_after_the_end_is_the_last_of_its_phase(text: str, name: str) -> None:
    assert link.playhead(text, timeline())[0] == name
    assert f"using {name}." in link.playhead(text, timeline())[1]


@pytest.mark.parametrize(
    ("text", "name"),
    [("ppo-0", "ppo-1"), ("sft-0", "sft-1"), ("sft-3-sample", "sft-3"), ("ppo-02", "ppo-2"), ("rm-5-kl", "rm-5")],
)
def test_a_playhead_that_the_run_has_not_is_the_nearest_and_that_is_said(text: str, name: str) -> None:
    used, note = link.playhead(text, timeline())
    assert used == name and note.startswith("at must be a frame of this run")
    assert note.endswith(f", got {text!r}; using {name}.")


@pytest.mark.parametrize("name", ["at", "prompt", "tour", "pin"])
def test_a_parameter_given_twice_has_its_sentence_at_once(name: str) -> None:
    twice = {"at": ["ppo-2", "ppo-3"], "prompt": ["2", "3"], "tour": ["1", "2"], "pin": ["beta=0.3", "beta=0.4"]}[name]
    app = opened("metrics", {name: twice})
    assert said(app) == [f"{name} must be given once, got 2 values; using {twice[-1]}."]


@pytest.mark.parametrize(
    ("text", "pinned", "notes"),
    [
        ("", None, ()),
        ("defaults", Settings(), ()),
        ("beta=0.1", Settings(), ()),
        ("beta=0.3&seed=1", Settings(beta=0.3, seed=1), ()),
        ("betta=0.3", None, ("pin must be settings such as beta=0.3&seed=1, got 'betta=0.3'; using no pin.",)),
        ("0.3", None, ("pin must be settings such as beta=0.3&seed=1, got '0.3'; using no pin.",)),
        ("&", None, ("pin must be settings such as beta=0.3&seed=1, got '&'; using no pin.",)),
        (
            "beta=0.3&sead=1", Settings(beta=0.3),
            ("pin must be settings such as beta=0.3&seed=1, got 'beta=0.3&sead=1'; using beta=0.3.",),
        ),
        (
            "beta=9&sead=1", Settings(beta=2),
            ("pin must be settings such as beta=0.3&seed=1, got 'beta=9&sead=1'; using beta=2.",
             "pin: beta must be a number from 0 to 2, got 9; using 2."),
        ),
    ],
)  # fmt: skip
def test_a_pin_is_settings_and_says_what_of_it_is_none(text: str, pinned: Settings | None, notes: tuple) -> None:
    assert link.pinned(text) == (pinned, notes)


@pytest.mark.parametrize("lesson", [{}, {"controls": ["beta"]}])
def test_what_a_pin_could_not_have_is_said_on_the_first_page(lesson: dict[str, list[str]]) -> None:
    app = opened("ppo", {"pin": ["betta=0.3"], **lesson})
    assert said(app) == ["pin must be settings such as beta=0.3&seed=1, got 'betta=0.3'; using no pin."]
    assert "pin" not in app.query_params


@pytest.mark.parametrize("text", ["idle", "sft-1", "sft-4", "rm-5", "ppo-1-kl", "ppo-3", "done"])
def test_a_playhead_of_the_run_needs_no_sentence(text: str) -> None:
    assert link.playhead(text, timeline()) == (text, "")


def test_a_tour_step_that_does_not_exist_is_no_step() -> None:
    assert link.tour_step("9", 8)[0] == link.tour_step("-1", 8)[0] == link.tour_step("x", 8)[0] == 0
    assert link.tour_step("8", 8) == (8, "")


def opened(page: str, query: dict[str, list[str]]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, values in query.items():
        app.query_params[name] = values
    return app.switch_page(f"pages/{page}.py").run()


def said(app: AppTest) -> list[str]:
    start = "\N{WARNING SIGN} In the link, "
    return [line.value.removeprefix(start) for line in app.text if line.value.startswith(start)]


def hostile(i: int) -> dict[str, list[str]]:
    """A different mixture of unusable, usable and repeated values for each number."""
    names = (*CONTROLS, *OWN)
    pairs = [(names[(5 * i + 3 * j) % len(names)], WORDS[(7 * i + 11 * j) % len(WORDS)]) for j in range(9)]
    return read([*pairs, ("beta", WORDS[i % len(WORDS)]), (WORDS[i], MARKUP)])


@pytest.mark.slow
@pytest.mark.parametrize("i", range(40))
def test_a_page_opens_with_any_link_and_says_what_it_could_not_use(i: int) -> None:
    query = hostile(i)
    app = opened(PAGES[i % len(PAGES)], query)
    assert not app.exception
    chosen = link.settings(query)[0]
    expected = sentences(query, build(run_pipeline(chosen)), len(load_scenario(chosen.scenario).prompts))
    assert sorted(said(app)) == sorted(expected) and expected
    assert all(app.session_state[name] == getattr(chosen, name) for name in CONTROLS)


def test_markup_in_a_link_is_shown_as_text_and_nowhere_else() -> None:
    app = opened("metrics", {name: [MARKUP] for name in (*CONTROLS, *OWN, "unknown")})
    assert not app.exception
    assert any(MARKUP in sentence for sentence in said(app))
    assert len(said(app)) == len(CONTROLS) + len(OWN)
    rendered = [*app.markdown, *app.caption, *app.title, *app.info, *app.get("html")]
    assert not any("id=x" in str(getattr(element, "value", element.proto)) for element in rendered)


def test_a_switch_is_on_or_off() -> None:
    assert [link.switch("optimum", values) for values in ([], ["true"], ["False"])] == ["", "", ""]
    assert [link.is_on(values) for values in ([], ["true"], ["True"], ["False"], ["1"], ["true", "true"])] == [
        False, True, True, False, False, False,
    ]  # fmt: skip
    assert link.switch("optimum", ["1"]) == "optimum must be true or false, got '1'; using false."
    app = opened("ppo", {"optimum": ["yes"]})
    assert said(app) == ["optimum must be true or false, got 'yes'; using false."]
    assert app.toggle(key="optimum").value is False and "optimum" not in app.query_params


def test_notes_leave_when_the_reader_changes_a_control() -> None:
    app = opened("ppo", {"beta": ["7"]})
    assert said(app) == ["beta must be a number from 0 to 2, got 7; using 2."]
    assert app.query_params["beta"] == "2"
    app.slider(key="beta").set_value(0.5).run()
    assert said(app) == []


TEXTS = {
    "empty": "", "blank": " \n\t ", "long": "You should try this, maybe. " * 357, "one word": "x" * 10_000,
    "html": MARKUP + "<script>alert(1)</script>", "emoji": "👩‍👩‍👧‍👦 💥 🏳️‍🌈", "rtl": "שלום، مرحبا \u202e abc",
    "zero": "\0", "combining": "e" + "\u0301" * 500, "percent": "%{x} {y} %s $x$",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_any_typed_response_is_scored_and_never_rendered(name: str) -> None:
    app = opened("reward_model", {"at": ["done"]})
    box = next(area for area in app.text_area if area.label == "Response")
    box.set_value(TEXTS[name]).run()
    assert not app.exception
    assert any(block.value.startswith("**Reward ") for block in app.markdown)
    rendered = [*app.markdown, *app.caption, *app.get("html")]
    assert not any("id=x" in str(getattr(element, "value", element.proto)) for element in rendered)


def test_a_link_is_read_as_the_browser_wrote_it() -> None:
    assert read([("at", MARKUP)]) == parse_qs(f"at={quote(MARKUP)}")
