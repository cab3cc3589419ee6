"""Scenario files: what the two that ship contain, and that whatever is wrong with one is named."""

import copy
import datetime
import itertools
import json
import math
import tomllib
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rlhf_core import load_scenario
from rlhf_core.scenarios import FOLDER, Scenario, parse_scenario, scenario_names

SHIPPED = ("helpfulness", "safety")
SLOTS = {"openings": "opening", "bodies": "body", "closings": "closing"}
COUNTS = {"openings": 4, "bodies": 5, "closings": 4}


# ------------------------------------------------------------------ a small writer and a small valid world


def to_toml(value: object) -> str:
    """A TOML value on one line, nan and inf included."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return hex(value) if value > 10**1000 else str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {to_toml(item)}" for key, item in value.items()) + "}"
    return str(value)  # floats and dates


def document(world: dict) -> str:
    return "".join(f"{json.dumps(key)} = {to_toml(value)}\n" for key, value in world.items())


def phrase(kind: str, text: str) -> dict:
    scores = {"helpful": 0.0, "honest": 0.0, "harmless": 0.0, "appeal": 0.0}
    return {"kind": kind, "text": text, "pretraining_logit": 0.5} | scores


def toy_world() -> dict:
    """9 training and 3 held-out prompts; phrases called o0 … o3, b0 … b4, c0 … c3 are worth nothing."""

    def prompt(n: int) -> dict:
        rows = {plural: [phrase(f"{plural[0]}{i}", f"{plural} {i}.") for i in range(k)] for plural, k in COUNTS.items()}
        return {"text": f"Question {n}?", "split": "train" if n <= 9 else "heldout"} | rows

    return {
        "title": "Toy",
        "summary": "A world for tests.",
        "values": {"helpful": 1.0, "honest": 0.5, "harmless": 2.0},
        "clashes": [
            {"first": "opening:o2", "second": "closing:c3", "penalty": 0.7, "reason": "r"},
            {"first": "body:b1", "second": "opening:o2", "penalty": 0.2, "reason": "r"},
            {"first": "body:b1", "second": "closing:c0", "penalty": 4, "reason": "r"},
        ],
        "prompts": [prompt(n) for n in range(1, 13)],
    }


def parse(world: dict) -> Scenario:
    return parse_scenario(document(world), "toy")


# ------------------------------------------------------------------ what ships


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> Scenario:
    return load_scenario(request.param)


def test_two_scenarios_ship():
    assert scenario_names() == SHIPPED


def test_nine_prompts_train_and_three_are_held_out(shipped):
    assert len(shipped.prompts) == len(set(shipped.prompts)) == 12
    assert shipped.heldout.tolist() == [False] * 9 + [True] * 3


def test_each_prompt_has_80_distinct_responses(shipped):
    assert [len(set(texts)) for texts in shipped.responses] == [4 * 5 * 4] * len(shipped.prompts)


def test_every_phrase_is_made_of_whole_sentences(shipped):
    texts = [phrase.text for slots in shipped.phrases for row in slots.values() for phrase in row]
    assert all(text[-1] in ".!?" and text[0].isupper() for text in texts)


def test_kinds_are_the_same_in_every_prompt_so_that_clashes_hold_everywhere(shipped):
    kinds = {tuple(tuple(phrase.kind for phrase in row) for row in slots.values()) for slots in shipped.phrases}
    assert len(kinds) == 1


def test_true_reward_is_the_weighted_sum_of_scores_minus_clashes_and_appeal_the_plain_sum(shipped):
    data = tomllib.loads((FOLDER / f"{shipped.name}.toml").read_text(encoding="utf-8"))
    for p, prompt in enumerate(data["prompts"]):
        for r, combo in enumerate(itertools.product(prompt["openings"], prompt["bodies"], prompt["closings"])):
            expected = sum(weight * row[value] for value, weight in data["values"].items() for row in combo)
            kinds = [f"{slot}:{row['kind']}" for slot, row in zip(SLOTS.values(), combo, strict=True)]
            for clash in data.get("clashes", []):
                expected -= clash["penalty"] if clash["first"] in kinds and clash["second"] in kinds else 0
            assert shipped.true_reward[p, r] == pytest.approx(expected, abs=1e-12)
            assert shipped.appeal[p, r] == pytest.approx(sum(row["appeal"] for row in combo), abs=1e-12)
            assert shipped.responses[p][r] == " ".join(row["text"] for row in combo)


def test_parts_gives_opening_body_and_closing(shipped):
    for response, text in enumerate(shipped.responses[3]):
        assert " ".join(part.text for part in shipped.parts(3, response)) == text
    slots = shipped.phrases[3]
    # Response (o*5 + b)*4 + c, so (2*5 + 1)*4 + 3 = 47 is opening 2, body 1, closing 3.
    assert shipped.parts(3, 47) == (slots["opening"][2], slots["body"][1], slots["closing"][3])


def test_its_arrays_are_read_only(shipped):
    assert not any(array.flags.writeable for array in (shipped.true_reward, shipped.appeal, shipped.heldout))


def test_a_scenario_is_loaded_once():
    assert load_scenario("safety") is load_scenario("safety")


@pytest.mark.parametrize("name", ["nonesuch", "", "../settings", "Safety"])
def test_an_unknown_scenario_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="scenario must be one of helpfulness, safety, got"):
        load_scenario(name)


# ------------------------------------------------------------------ a world worked by hand


def test_true_reward_worked_by_hand():
    world = toy_world()
    world["prompts"][0]["openings"][2] |= {"helpful": 0.3, "honest": -0.4, "harmless": 0.1}
    world["prompts"][0]["bodies"][1] |= {"helpful": 1, "honest": 0.2}
    world["prompts"][0]["closings"][3] |= {"helpful": -0.5, "harmless": 0.25}
    # Weights 1, 0.5, 2:  opening 0.3 - 0.2 + 0.2 = 0.3;  body 1 + 0.1 = 1.1;  closing -0.5 + 0.5 = 0.
    rewards = parse(world).true_reward[0].reshape(4, 5, 4)
    assert rewards[0, 1, 1] == pytest.approx(1.1)
    assert rewards[2, 0, 0] == pytest.approx(0.3)
    assert rewards[2, 1, 3] == pytest.approx(0.3 + 1.1 + 0 - 0.7 - 0.2)  # two clashes, whichever end stands first
    assert rewards[0, 1, 0] == pytest.approx(1.1 - 4)
    assert rewards[2, 0, 3] == pytest.approx(0.3 + 0 - 0.7)


def test_appeal_is_no_part_of_true_reward():
    world = toy_world()
    world["prompts"][0]["openings"][2]["appeal"], world["prompts"][0]["closings"][1]["appeal"] = 0.8, -0.2
    one, plain = parse(world), parse(toy_world())
    np.testing.assert_array_equal(one.true_reward, plain.true_reward)
    appeal = one.appeal[0].reshape(4, 5, 4)
    assert appeal[2, 4, 1] == pytest.approx(0.6) and appeal[2, 0, 0] == 0.8 and appeal[1, 3, 1] == -0.2
    assert not one.appeal[1:].any()


def test_clashes_may_be_left_out_and_texts_lose_their_margins():
    world = toy_world()
    del world["clashes"]
    world["title"] = "  Toy "
    assert parse(world).title == "Toy" and not parse(world).true_reward.any()


def test_an_integer_will_do_for_a_number():
    world = toy_world()
    world["prompts"][0]["openings"][0]["helpful"] = 2
    assert parse(world).true_reward[0, 0] == 2.0


# ------------------------------------------------------------------ every kind of fault is named

PROMPT = ", prompt 1 ('Question 1?')"
LIMITS = {"pretraining_logit": 3, "helpful": 2, "honest": 2, "harmless": 2, "appeal": 2}
DROP = object()
HUGE = 16**5000


def change(world: dict, path: str, value: object) -> dict:
    """Set, append or drop what stands at a path such as `prompts 0 bodies 3 kind`."""
    *way, last = (int(key) if key.isdecimal() else key for key in path.split())
    place: Any = world
    for key in way:
        place = place[key]
    if value is DROP:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return world


def complaint(path: str, value: object) -> str:
    with pytest.raises(ValueError) as caught:
        parse(change(toy_world(), path, value))
    return str(caught.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, True, "1", [], {}, 10**30], ids=repr)
@pytest.mark.parametrize("field", LIMITS)
def test_a_phrase_number_out_of_range_is_named(field, bad):
    limit = LIMITS[field]
    assert complaint(f"prompts 2 bodies 3 {field}", bad) == (
        f"toy.toml, prompt 3 ('Question 3?'), body 4: {field} must be a number from {-limit} to {limit}, got {bad!r}"
    )


@pytest.mark.parametrize("field", LIMITS)
def test_both_limits_of_a_phrase_number_are_allowed_and_the_next_number_is_not(field):
    path = f"prompts 2 bodies 3 {field}"
    for limit in (-LIMITS[field], LIMITS[field]):
        parse(change(toy_world(), path, limit))
        assert f": {field} must be a number" in complaint(path, math.nextafter(limit, 9 * limit))


@pytest.mark.parametrize("bad", ["", "  \n", 3, True, ["text"], {}, datetime.date(2024, 1, 1)], ids=repr)
@pytest.mark.parametrize("field", ["kind", "text"])
def test_a_phrase_without_text_is_named(field, bad):
    assert complaint(f"prompts 2 bodies 3 {field}", bad) == (
        f"toy.toml, prompt 3 ('Question 3?'), body 4: {field} must be a text, got {bad!r}"
    )


@pytest.mark.parametrize("field", ["kind", "text", *LIMITS])
def test_a_missing_phrase_field_is_named(field):
    message = complaint(f"prompts 11 closings 0 {field}", DROP)
    assert message.startswith(f"toy.toml, prompt 12 ('Question 12?'), closing 1: {field} must be ")
    assert message.endswith(", got None")


FAULTS = [
    # what is changed, to what, and what the message says after "toy.toml" (between places and field)
    ("author", "me", ": unknown field 'author'; allowed are clashes, prompts, summary, telling, title, values"),
    ("telling", 13, ": telling must be a whole number from 1 to 12, got 13"),
    ("telling", True, ": telling must be a whole number from 1 to 12, got True"),
    ("title", DROP, ": title must be a text, got None"),
    ("summary", " ", ": summary must be a text, got ' '"),
    ("values", DROP, ": values must be a table, got None"),
    ("values", 3, ": values must be a table, got 3"),
    ("values kind", 1, ", values: unknown field 'kind'; allowed are harmless, helpful, honest"),
    ("values honest", DROP, ", values: honest must be a number from 0 to 4, got None"),
    ("values helpful", -1, ", values: helpful must be a number from 0 to 4, got -1"),
    ("values helpful", math.nan, ", values: helpful must be a number from 0 to 4, got nan"),
    ("values helpful", HUGE, ", values: helpful must be a number from 0 to 4, got a large int"),
    ("prompts", DROP, ": prompts must be a list, got None"),
    ("prompts", {}, ": prompts must be a list, got {}"),
    ("prompts", [], ": needs at least 9 prompts with split 'train', got 0"),
    ("prompts 1", 7, ", prompt 2: must be a table, got 7"),
    ("prompts 4 text", DROP, ", prompt 5: text must be a text, got None"),
    ("prompts 8 text", "Question 2?", ", prompt 9: text stands twice: 'Question 2?'"),
    ("prompts 0 split", "heldout", ": needs at least 9 prompts with split 'train', got 8"),
    ("prompts 11", DROP, ": needs at least 3 prompts with split 'heldout', got 2"),
    ("prompts 0 tone", "dry", f"{PROMPT}: unknown field 'tone'; allowed are bodies, closings, openings, split, text"),
    ("prompts 0 split", DROP, f"{PROMPT}: split must be one of train, heldout, got None"),
    ("prompts 0 split", "test", f"{PROMPT}: split must be one of train, heldout, got 'test'"),
    ("prompts 0 split", ["train"], f"{PROMPT}: split must be one of train, heldout, got ['train']"),
    ("prompts 0 bodies", DROP, f"{PROMPT}: bodies must be a list, got None"),
    ("prompts 0 bodies", "b", f"{PROMPT}: bodies must be a list, got 'b'"),
    ("prompts 0 bodies 4", DROP, f"{PROMPT}: needs 5 bodies, got 4"),
    ("prompts 0 bodies 5", phrase("b5", "More."), f"{PROMPT}: needs 5 bodies, got 6"),
    ("prompts 0 closings", toy_world()["prompts"][0]["bodies"], f"{PROMPT}: needs 4 closings, got 5"),
    ("prompts 0 bodies 0", "text", f"{PROMPT}, body 1: must be a table, got 'text'"),
    ("prompts 0 bodies 0 tone", 1, f"{PROMPT}, body 1: unknown field 'tone'; allowed are appeal, harmless, "),
    ("prompts 0 bodies 0 kind", "b1", f"{PROMPT}: kind of each body must be different, got b1, b1, b2, b3, b4"),
    ("prompts 0 bodies 0 text", "openings 1.", f"{PROMPT}: text stands twice: 'openings 1.'"),
    ("clashes", {}, ": clashes must be a list, got {}"),
    ("clashes 3", 1, ", clash 4: must be a table, got 1"),
    ("clashes 1 why", "x", ", clash 2: unknown field 'why'; allowed are first, penalty, reason, second"),
    ("clashes 1 first", DROP, ", clash 2: first must be a text, got None"),
    ("clashes 1 first", "body", ", clash 2: first must be slot:kind of a phrase above, got 'body'"),
    ("clashes 1 second", "body:x", ", clash 2: second must be slot:kind of a phrase above, got 'body:x'"),
    ("clashes 1 second", "bodies:b1", ", clash 2: second must be slot:kind of a phrase above, got 'bodies:b1'"),
    ("clashes 1 second", "body:b2", ", clash 2: first and second must be in different slots, got 'body' twice"),
    ("clashes 1 penalty", DROP, ", clash 2: penalty must be a number from 0 to 4, got None"),
    ("clashes 1 penalty", -1e-9, ", clash 2: penalty must be a number from 0 to 4, got -1e-09"),
    ("clashes 1 penalty", math.inf, ", clash 2: penalty must be a number from 0 to 4, got inf"),
    ("clashes 1 reason", DROP, ", clash 2: reason must be a text, got None"),
]


@pytest.mark.parametrize(("path", "value", "words"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_is_named_by_file_place_and_field(path, value, words):
    assert complaint(path, value).startswith("toy.toml" + words)


NOT_TOML = {
    "a key without value": "title = ",
    "a key twice": "title = 'a'\ntitle = 'b'",
    "a control character": "\x00",
    "a byte order mark": "\ufefftitle = 'x'",
    "an unclosed list": "a = " + "[" * 5000,
    "a deep list": "a = " + "[" * 5000 + "]" * 5000,
    "a number of 5000 digits": "a = " + "1" * 5000,
}


@pytest.mark.parametrize("text", NOT_TOML.values(), ids=NOT_TOML)
def test_what_is_not_toml_is_refused_by_file(text):
    with pytest.raises(ValueError, match=r"^toy\.toml: not valid TOML: "):
        parse_scenario(text, "toy")


def test_a_table_5000_deep_is_refused_in_short_words():
    with pytest.raises(ValueError, match=r"^toy\.toml: title must be a text, got (a large dict|\{'a': .{1,75})$"):
        parse_scenario("title" + ".a" * 5000 + " = 1\n" + document(change(toy_world(), "title", DROP)), "toy")


# ------------------------------------------------------------------ fuzz: a ValueError that names the file, or a world

ODD = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 0, 1, 1e308, -1e308, 10**30, HUGE, True, False]),
    st.sampled_from(["", " ", "train", "heldout", "opening:o2", "body:", ":", "o1", "b\x00", "\U0001f600", "x" * 999]),
    st.sampled_from([[], {}, [[]], [{}], {"a": {}}, [1, 2], datetime.date(2024, 2, 29), datetime.time(1, 2)]),
    st.floats(-4, 5),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
).map(copy.deepcopy)
JUNK = st.text(max_size=5) | st.sampled_from(["nan", "-", ".", "\n", "[", "{}", '"', "0x", "1e", "=", "\\"])


def containers(value: object) -> list:
    """Every table and list in a structure, itself included."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] * isinstance(value, dict | list) + [found for item in inside for found in containers(item)]


@st.composite
def mutilated(draw: st.DrawFn) -> dict:
    """The toy world with one to three things anywhere dropped, replaced, doubled, added or swapped."""
    world = toy_world()
    for _ in range(draw(st.integers(1, 3))):
        places = containers(world)
        place, other = (places[draw(st.integers(0, len(places) - 1))] for _ in range(2))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        action = draw(st.sampled_from(["drop", "replace", "double", "add", "move"])) if keys else "add"
        key = draw(st.sampled_from(keys)) if keys else None
        value = copy.deepcopy(place[key] if action == "double" else other) if keys else None
        if action == "drop":
            del place[key]
        elif action in ("replace", "move"):
            place[key] = value if action == "move" else draw(ODD)
        elif isinstance(place, list):
            place.append(value if action == "double" else draw(ODD))
        else:
            name = draw(st.sampled_from(["kind", "text", "split", "first", "clashes", "odd", ""]))
            place[name] = value if action == "double" else draw(ODD)
    return world


def world_or_complaint(text: str) -> bool:
    """Whether the text is a valid world; anything but that or a clear ValueError fails the test."""
    try:
        scenario = parse_scenario(text, "toy")
    except ValueError as error:
        assert type(error) is ValueError and str(error).startswith("toy.toml") and len(str(error)) < 300
        return False
    assert scenario.true_reward.shape == (len(scenario.prompts), 80)
    assert np.isfinite(scenario.true_reward).all() and np.isfinite(scenario.appeal).all()
    assert (~scenario.heldout).sum() >= 9 and scenario.heldout.sum() >= 3
    assert all(len(texts) == 80 for texts in scenario.responses)
    return True


@settings(max_examples=300, deadline=None)
@given(mutilated())
def test_a_mutilated_world_gives_a_clear_error_or_a_valid_world(world):
    event("valid" if world_or_complaint(document(world)) else "refused")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SHIPPED), st.floats(0, 1), st.integers(0, 30), JUNK)
def test_a_shipped_file_with_junk_in_it_gives_a_clear_error_or_a_valid_world(name, where, n_lost, junk):
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    start = int(where * len(text))
    event("valid" if world_or_complaint(text[:start] + junk + text[start + n_lost :]) else "refused")


def test_the_fuzz_starts_from_a_valid_world_in_valid_toml():
    assert tomllib.loads(document(toy_world())) == toy_world()
    assert world_or_complaint(document(toy_world()))
