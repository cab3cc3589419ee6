"""What the reward model reads off the text of a response."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlhf_core import load_scenario
from rlhf_core.features import FEATURE_NAMES, FEATURES, measure, measure_scenario
from tests.core.tools import fuzzed


def value(name: str, text: str, prompt: str = "") -> float:
    return float(measure(prompt, [text])[0, FEATURE_NAMES.index(name)])


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("words", "Don't panic, it's 5 o'clock.", 5),
        ("sentences", "One. Two! Three? And 3.5 litres", 3),
        ("sentences", "Wait... what?!", 2),
        ("steps", "First mix, then bake for 2 hours at 180.", 5),  # first, then, 2, hours, 180
        ("steps", "Footsteps stepped on the hourly authentic tent.", 0),
        ("hedges", "Maybe it might work, I think, but I'm not sure.", 4),
        ("certainty", "It will definitely, absolutely work, no doubt.", 3),
        ("certainty", "It is uncertain.", 0),
        ("praise", "What a great, brilliant idea: I love it.", 3),
        ("praise", "The ingrate is gloveless.", 0),
        ("refusal", "I can't help with that and I won't.", 2),  # "can't help" counts once
        ("caveats", "Check with your doctor, unless a pharmacist is near.", 4),
        ("second_person", "You know your dog yourself.", 3),
        ("second_person", "The young bayou.", 0),
        ("questions", "Really? Why??", 3),
        ("exclamations", "Yes! Do it!", 2),
    ],
)
def test_a_feature_counts_whole_words(name: str, text: str, count: int) -> None:
    assert value(name, text) == count


def test_overlap_is_the_share_of_the_prompts_telling_words_that_come_back() -> None:
    # Telling words: stop, rice, turning, sticky. Two of the four come back.
    prompt = "How do I stop rice from turning out sticky?"
    assert value("overlap", "Sticky rice, sticky fingers.", prompt) == 0.5


def test_a_prompt_without_telling_words_has_no_overlap() -> None:
    assert value("overlap", "What is it?", "What is it?") == 0


def test_curly_apostrophes_read_like_straight_ones() -> None:
    straight = "I can't help, I won't. It's what it's."
    np.testing.assert_array_equal(measure("", [straight]), measure("", [straight.replace("'", "\u2019")]))


@fuzzed
@given(st.text(alphabet="abcdefg can't HELP you? 12 maybe. GREAT!", max_size=60))
def test_upper_case_changes_nothing(text: str) -> None:
    np.testing.assert_array_equal(measure("Can you help?", [text.upper()]), measure("Can you help?", [text.lower()]))


@fuzzed
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_has_finite_features(prompt: str, text: str) -> None:
    found = measure(prompt, [text])
    assert found.shape == (1, len(FEATURES))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert found[0, FEATURE_NAMES.index("overlap")] <= 1


def test_silence_has_no_features() -> None:
    assert not measure("How are you?", [""]).any()


def test_no_responses_make_an_empty_table() -> None:
    assert measure("How are you?", []).shape == (0, len(FEATURES))


def test_names_are_unique_and_labels_are_words_for_readers() -> None:
    assert len(set(FEATURE_NAMES)) == len({feature.label for feature in FEATURES}) == len(FEATURES)
    assert not any("_" in feature.label for feature in FEATURES)


@pytest.mark.parametrize("name", ["helpfulness", "safety"])
def test_a_scenario_is_measured_text_by_text(name: str) -> None:
    scenario = load_scenario(name)
    found = measure_scenario(scenario)
    assert found.shape == (len(scenario.prompts), 80, len(FEATURES))
    for prompt, response in ((0, 0), (3, 41), (-1, 79)):
        text = " ".join(phrase.text for phrase in scenario.parts(prompt, response % 80))
        np.testing.assert_array_equal(found[prompt, response], measure(scenario.prompts[prompt], [text])[0])


def test_a_scenarios_features_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        measure_scenario(load_scenario("safety"))[0, 0, 0] = 1.0
