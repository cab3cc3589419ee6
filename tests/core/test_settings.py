"""Settings: what is allowed, what is refused and in which words, and the way through a URL."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlhf_core import Settings
from rlhf_core.settings import CONTROLS, parse

# Spelled out here on purpose: DESIGN.md promises these names to links, notebooks and other programs.
DEFAULTS = {
    "scenario": "helpfulness",
    "seed": 0,
    "beta": 0.1,
    "ppo_steps": 8,
    "rollouts": 32,
    "advantage": "group_mean",
    "clip_range": 0.2,
    "ppo_epochs": 4,
    "ppo_learning_rate": 0.8,
    "n_demonstrations": 4,
    "sft_epochs": 30,
    "sft_learning_rate": 0.15,
    "n_comparisons": 400,
    "label_noise": 0.7,
    "labeller_bias": 0.75,
    "rm_epochs": 60,
    "rm_learning_rate": 0.5,
    "rm_l2": 0.02,
}
WHOLE = {name for name, value in DEFAULTS.items() if type(value) is int}
REAL = {name for name, value in DEFAULTS.items() if type(value) is float}
CHOICES = {name for name, value in DEFAULTS.items() if type(value) is str}
NUMBERS = sorted(WHOLE | REAL)


def settings_strategy(names: set[str] | None = None) -> st.SearchStrategy[Settings]:
    """Any legal settings; numbers favour their bounds, as hypothesis does by itself."""

    def values(name: str) -> st.SearchStrategy:
        control = CONTROLS[name]
        if name in CHOICES:
            return st.sampled_from(control.choices)
        if name in WHOLE:
            return st.integers(int(control.minimum), int(control.maximum))
        return st.floats(control.minimum, control.maximum)

    return st.fixed_dictionaries({}, optional={name: values(name) for name in DEFAULTS}).map(lambda kw: Settings(**kw))


def refusal(name: str, value: object) -> str:
    with pytest.raises(ValueError) as caught:
        Settings(**{name: value})
    return str(caught.value)


def test_the_fields_and_their_defaults_are_those_of_the_design():
    assert dataclasses.asdict(Settings()) == DEFAULTS


def test_a_control_describes_every_field():
    assert list(CONTROLS) == list(DEFAULTS)
    assert all(control.label and control.help.endswith(".") for control in CONTROLS.values())


def test_settings_are_frozen_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().beta = 1.0
    assert {Settings(): "cached"}[Settings(beta=0.1)] == "cached"


@pytest.mark.parametrize("name", NUMBERS)
def test_both_bounds_belong_to_the_range(name):
    control = CONTROLS[name]
    assert getattr(Settings(**{name: control.minimum}), name) == control.minimum
    assert getattr(Settings(**{name: control.maximum}), name) == control.maximum


@pytest.mark.parametrize("name", NUMBERS)
def test_a_value_just_outside_is_refused_with_field_value_and_range(name):
    control = CONTROLS[name]
    if name in WHOLE:
        outside = (int(control.minimum) - 1, int(control.maximum) + 1)
    else:
        outside = (math.nextafter(control.minimum, -math.inf), math.nextafter(control.maximum, math.inf))
    for value in outside:
        message = refusal(name, value)
        assert message.startswith(f"{name} must be ")
        assert message.endswith(f"from {control.minimum:g} to {control.maximum:g}, got {value!r}")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf")], ids=repr)
@pytest.mark.parametrize("name", NUMBERS)
def test_not_a_number_and_infinity_are_refused(name, value):
    assert refusal(name, value).endswith(f"got {value!r}")


@pytest.mark.parametrize(
    "value", [True, False, np.True_, "1", b"1", None, [1], 1 + 0j, np.array(1), np.array([1.0])], ids=repr
)
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_refused(name, value):
    assert refusal(name, value).startswith(f"{name} must be a")


@pytest.mark.parametrize("value", [None, 0, True, "", "nonesuch", "Helpfulness", ["safety"], b"gae", {}], ids=repr)
@pytest.mark.parametrize("name", sorted(CHOICES))
def test_a_choice_is_refused_with_all_that_may_be_chosen(name, value):
    message = refusal(name, value)
    assert message.startswith(f"{name} must be one of ") and message.endswith(f"got {value!r}")
    assert all(choice in message for choice in CONTROLS[name].choices)


def test_the_choices_are_those_of_the_design():
    assert CONTROLS["scenario"].choices == ("helpfulness", "safety")
    assert set(CONTROLS["advantage"].choices) == {"group_mean", "leave_one_out", "group_normalised", "gae"}


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_count_must_be_whole(name):
    middle = int((CONTROLS[name].minimum + CONTROLS[name].maximum) // 2)
    assert refusal(name, middle + 0.5).startswith(f"{name} must be a whole number")
    assert type(getattr(Settings(**{name: float(middle)}), name)) is int


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("beta", np.float64(0.3), 0.3),
        ("beta", np.float32(0.5), 0.5),
        ("beta", np.int64(1), 1.0),
        ("beta", 1, 1.0),
        ("beta", Fraction(1, 4), 0.25),
        ("ppo_steps", np.int64(12), 12),
        ("ppo_steps", np.uint8(12), 12),
        ("ppo_steps", np.float64(12.0), 12),
        ("scenario", np.str_("safety"), "safety"),
    ],
    ids=repr,
)
def test_numpy_scalars_become_plain_values_that_share_a_cache_entry(name, given, expected):
    ours, plain = Settings(**{name: given}), Settings(**{name: expected})
    assert ours == plain and hash(ours) == hash(plain) and repr(ours) == repr(plain)
    assert type(getattr(ours, name)) is type(DEFAULTS[name])


def test_minus_zero_is_zero():
    assert repr(Settings(beta=-0.0)) == repr(Settings(beta=0.0))


@pytest.mark.parametrize("value", [10**400, -(10**400), 10**5000], ids=["1e400", "-1e400", "1e5000"])
@pytest.mark.parametrize("name", ["seed", "beta"])
def test_an_integer_beyond_every_float_is_refused_in_short_words(name, value):
    message = refusal(name, value)
    assert message.startswith(f"{name} must be ") and len(message) < 150


def test_a_long_text_is_quoted_only_in_part():
    assert len(refusal("scenario", "x" * 10_000)) < 150


def test_a_default_is_left_out_of_the_url():
    assert Settings().to_query() == {}
    assert Settings(beta=0.3, ppo_steps=8, scenario="safety").to_query() == {"scenario": "safety", "beta": "0.3"}


@given(settings_strategy())
@example(Settings(beta=1 / 3, seed=9999, n_comparisons=2000))
@example(Settings(beta=5e-324, ppo_learning_rate=0.1 + 0.2))
def test_settings_survive_the_url_to_the_last_bit(ours):
    assert Settings.from_query(ours.to_query()) == (ours, ())


@pytest.mark.parametrize(("beta", "text"), [(2.0, "2"), (0.0, "0"), (0.02, "0.02"), (1, "1")])
def test_the_url_writes_numbers_as_a_person_would(beta, text):
    assert Settings(beta=beta).to_query() == {"beta": text}


TEXTS = st.one_of(
    st.text(max_size=60),
    st.floats(width=64).map(repr),
    st.integers().map(str),
    st.sampled_from(["", " ", "nan", "-inf", "1e999", "1_0", "٣", "0x10", "True", "1,5", "\ud800", "\x00", "1" * 5000]),
)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(DEFAULTS)), st.text(max_size=8)), TEXTS))
@settings(max_examples=300)
def test_no_url_breaks_the_settings_and_every_change_is_noted(query):
    ours, notes = Settings.from_query(query)
    expected = []
    for name, default in DEFAULTS.items():
        try:
            assert getattr(ours, name) == (parse(name, query[name]) if name in query else default)
        except ValueError as error:
            expected.append(f"{error}; using {getattr(ours, name)}".removesuffix(".0") + ".")
    assert list(notes) == expected
    assert all(len(note) < 250 for note in notes)


ADVANTAGE_NOTE = (
    "advantage must be one of group_mean, leave_one_out, group_normalised, gae, got 'best'; using group_mean."
)


@pytest.mark.parametrize(
    ("name", "text", "used", "note"),
    [
        ("beta", "5", 2.0, "beta must be a number from 0 to 2, got 5; using 2."),
        ("beta", "-0.5", 0.0, "beta must be a number from 0 to 2, got -0.5; using 0."),
        ("beta", "inf", 2.0, "beta must be a number from 0 to 2, got inf; using 2."),
        ("beta", "nan", 0.1, "beta must be a number from 0 to 2, got nan; using 0.1."),
        ("beta", "strong", 0.1, "beta must be a number from 0 to 2, got 'strong'; using 0.1."),
        ("ppo_steps", "61", 60, "ppo_steps must be a whole number from 1 to 60, got 61; using 60."),
        ("ppo_steps", "7.4", 7, "ppo_steps must be a whole number from 1 to 60, got 7.4; using 7."),
        ("ppo_steps", "", 8, "ppo_steps must be a whole number from 1 to 60, got ''; using 8."),
        ("advantage", "best", "group_mean", ADVANTAGE_NOTE),
    ],
)
def test_a_url_value_is_clamped_or_replaced_and_the_note_says_so(name, text, used, note):
    ours, notes = Settings.from_query({name: text})
    assert (getattr(ours, name), notes) == (used, (note,))


def test_parameters_of_others_are_ignored():
    assert Settings.from_query({"speed": "7", "at": "ppo-3", "__class__": "x"}) == (Settings(), ())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("beta", "0.3", 0.3), ("beta", "1", 1.0), ("seed", "12", 12), ("seed", "12.0", 12), ("advantage", "gae", "gae")],
)
def test_parse_reads_a_value(name, text, value):
    assert parse(name, text) == value and type(parse(name, text)) is type(value)


@pytest.mark.parametrize(
    ("name", "text"), [("beta", "2.01"), ("beta", "nan"), ("ppo_steps", "1.5"), ("seed", "zero"), ("advantage", "GAE")]
)
def test_parse_is_as_strict_as_settings(name, text):
    with pytest.raises(ValueError, match=rf"^{name} must be .*{text}"):
        parse(name, text)
