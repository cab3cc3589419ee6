"""Scenarios: the prompts, the phrases and the human values of a small world, read from TOML files.

A scenario is data. A third one is one new `.toml` file in this folder; the loader says what is
wrong with it by naming file, prompt, phrase and field.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlhf_core.refused import shown
from rlhf_core.scenarios import fields
from rlhf_core.scenarios.brought import Brought

FOLDER = Path(__file__).parent
SLOTS = {"opening": 4, "body": 5, "closing": 4}
VALUES = ("helpful", "honest", "harmless")
MIN_PROMPTS = {"train": 9, "heldout": 3}
KIND = re.compile(r"\w[\w -]*")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase token: its text, how often web text says such a thing, and what people think of it."""

    kind: str
    text: str
    pretraining_logit: float
    helpful: float
    honest: float
    harmless: float
    appeal: float
    """How much it sways a hurried labeller beyond its worth, in true-reward units."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two kinds of phrases in two slots that are worth `penalty` less together than apart."""

    first: tuple[str, str]
    second: tuple[str, str]
    penalty: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Scenario:
    """A small world whose truth is known.

    P prompts with R = O*B*C responses each; response `(o*B + b)*C + c` is opening o, body b, closing c.
    """

    name: str
    title: str
    summary: str
    telling: int
    """Index of the prompt that is shown first: the one in which most can be seen."""
    values: Mapping[str, float]
    clashes: tuple[Clash, ...]
    prompts: tuple[str, ...]
    heldout: NDArray[np.bool_]
    """(P,) prompts whose comparisons never train the reward model."""
    phrases: tuple[Mapping[str, tuple[Phrase, ...]], ...]
    """Per prompt: slot name to its phrases."""
    responses: tuple[tuple[str, ...], ...]
    """P x R texts."""
    true_reward: NDArray[np.float64]
    """(P, R) what somebody with time to check it thinks of a response, in true-reward units; no learner sees it."""
    appeal: NDArray[np.float64]
    """(P, R) how much it sways a hurried labeller beyond its worth, in true-reward units."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of openings, bodies and closings (O, B, C)."""
        return tuple(SLOTS.values())

    def parts(self, prompt: int, response: int) -> tuple[Phrase, ...]:
        """Opening, body and closing of one response."""
        indices = np.unravel_index(response, self.shape)
        return tuple(phrases[int(i)] for phrases, i in zip(self.phrases[prompt].values(), indices, strict=True))


def scenario_names() -> tuple[str, ...]:
    """Names of the scenarios that ship, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_scenario(name: str) -> Scenario:
    """Load a scenario that ships with the package, once; one that somebody has brought is in its name.

    Raises
    ------
    ValueError
        If there is no such scenario, or its file is faulty.
    """
    return name.scenario if isinstance(name, Brought) else _shipped(name)


@cache
def _shipped(name: str) -> Scenario:
    if name not in scenario_names():
        raise ValueError(f"scenario must be one of {', '.join(scenario_names())}, got {name!r}")
    data = (FOLDER / f"{name}.toml").read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}.toml: must be UTF-8, got byte 0x{data[error.start]:02x} in line {line}") from None
    return parse_scenario(text, name)


def parse_scenario(text: str, name: str) -> Scenario:
    """Read and validate a scenario from TOML text.

    Raises
    ------
    ValueError
        Naming file, prompt, phrase and field of the first fault.
    """
    where = f"{name}.toml"
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers too long and lists nested too deep for Python
        raise ValueError(f"{where}: not valid TOML: {error}") from None
    fields.only(data, {"title", "summary", "telling", "values", "clashes", "prompts"}, where)
    values = fields.table(data, "values", where)
    fields.only(values, set(VALUES), f"{where}, values")
    entries = fields.rows(data, "prompts", where)
    sections = [_prompt(entry, f"{where}, prompt {i}") for i, entry in enumerate(entries, 1)]
    for i, (question, _, _) in enumerate(sections):
        if question in (earlier for earlier, _, _ in sections[:i]):
            raise ValueError(f"{where}, prompt {i + 1}: text stands twice: {question[:40]!r}")
    heldout = np.array([split == "heldout" for _, split, _ in sections], dtype=bool)
    for split, least in MIN_PROMPTS.items():
        count = int(heldout.sum() if split == "heldout" else (~heldout).sum())
        if count < least:
            raise ValueError(f"{where}: needs at least {least} prompts with split {split!r}, got {count}")
    phrases = tuple(slots for _, _, slots in sections)
    clashes = tuple(
        _clash(entry, phrases, f"{where}, clash {i}")
        for i, entry in enumerate(fields.rows(data, "clashes", where, optional=True), 1)
    )
    weights = {value: fields.number(values, value, 0, 4, f"{where}, values") for value in VALUES}
    heldout.flags.writeable = False
    return Scenario(
        name=name,
        title=fields.text(data, "title", where),
        telling=_telling(data, len(entries), where),
        summary=fields.text(data, "summary", where),
        values=MappingProxyType(weights),
        clashes=clashes,
        prompts=tuple(text for text, _, _ in sections),
        heldout=heldout,
        phrases=tuple(MappingProxyType(slots) for slots in phrases),
        responses=tuple(
            tuple(" ".join(phrase.text for phrase in combo) for combo in product(*slots.values())) for slots in phrases
        ),
        true_reward=_true_reward(phrases, weights, clashes),
        appeal=_per_response(phrases, lambda combo: sum(phrase.appeal for phrase in combo)),
    )


def _telling(data: dict[str, Any], n_prompts: int, where: str) -> int:
    """Index of the prompt to show first; the file counts from 1, and without a word it is the first."""
    number = data.get("telling", 1)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= n_prompts:
        raise ValueError(f"{where}: telling must be a whole number from 1 to {n_prompts}, got {shown(number)}")
    return number - 1


def _true_reward(
    phrases: tuple[dict[str, tuple[Phrase, ...]], ...], weights: dict[str, float], clashes: tuple[Clash, ...]
) -> NDArray[np.float64]:
    """Weighted helpful, honest and harmless scores summed over the phrases, minus clashes: (P, R)."""

    def worth(combo: tuple[Phrase, ...]) -> float:
        kinds = set(zip(SLOTS, (phrase.kind for phrase in combo), strict=True))
        merit = sum(weights[value] * getattr(phrase, value) for phrase in combo for value in VALUES)
        return float(merit - sum(clash.penalty for clash in clashes if {clash.first, clash.second} <= kinds))

    return _per_response(phrases, worth)


def _per_response(
    phrases: tuple[dict[str, tuple[Phrase, ...]], ...], measure: Callable[[tuple[Phrase, ...]], float]
) -> NDArray[np.float64]:
    """A number for every combination of phrases, read-only, (P, R)."""
    result = np.array([[measure(combo) for combo in product(*slots.values())] for slots in phrases])
    result.flags.writeable = False
    return result


def _prompt(entry: Any, where: str) -> tuple[str, str, dict[str, tuple[Phrase, ...]]]:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be a table, got {shown(entry)}")
    text = fields.text(entry, "text", where)
    where = f"{where} ({text[:40]!r})"
    plural = {"opening": "openings", "body": "bodies", "closing": "closings"}
    fields.only(entry, {"text", "split", *plural.values()}, where)
    split = entry.get("split")
    if not isinstance(split, str) or split not in MIN_PROMPTS:
        raise ValueError(f"{where}: split must be one of {', '.join(MIN_PROMPTS)}, got {shown(split)}")
    slots: dict[str, tuple[Phrase, ...]] = {}
    for slot, count in SLOTS.items():
        rows = fields.rows(entry, plural[slot], where)
        if len(rows) != count:
            raise ValueError(f"{where}: needs {count} {plural[slot]}, got {len(rows)}")
        slots[slot] = tuple(_phrase(row, f"{where}, {slot} {i}") for i, row in enumerate(rows, 1))
        kinds = [phrase.kind for phrase in slots[slot]]
        if len(set(kinds)) < count:
            raise ValueError(f"{where}: kind of each {slot} must be different, got {', '.join(kinds)}")
    texts = [phrase.text for row in slots.values() for phrase in row]
    for repeated in texts:
        if texts.count(repeated) > 1:
            raise ValueError(f"{where}: text stands twice: {repeated[:40]!r}")
    return text, split, slots


def _phrase(row: Any, where: str) -> Phrase:
    if not isinstance(row, dict):
        raise ValueError(f"{where}: must be a table, got {shown(row)}")
    fields.only(row, {"kind", "text", "pretraining_logit", *VALUES, "appeal"}, where)
    kind = fields.text(row, "kind", where)
    if not KIND.fullmatch(kind):
        raise ValueError(f"{where}: kind must be of letters, digits, spaces, _ and -, got {shown(kind)}")
    return Phrase(
        kind=kind,
        text=fields.text(row, "text", where),
        pretraining_logit=fields.number(row, "pretraining_logit", -3, 3, where),
        helpful=fields.number(row, "helpful", -2, 2, where),
        honest=fields.number(row, "honest", -2, 2, where),
        harmless=fields.number(row, "harmless", -2, 2, where),
        appeal=fields.number(row, "appeal", -2, 2, where),
    )


def _clash(entry: Any, phrases: tuple[dict[str, tuple[Phrase, ...]], ...], where: str) -> Clash:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be a table, got {shown(entry)}")
    fields.only(entry, {"first", "second", "penalty", "reason"}, where)
    known = {(slot, phrase.kind) for slots in phrases for slot, row in slots.items() for phrase in row}
    ends: list[tuple[str, str]] = []
    for end in ("first", "second"):
        slot, _, kind = fields.text(entry, end, where).partition(":")
        if (slot, kind) not in known:
            raise ValueError(f"{where}: {end} must be slot:kind of a phrase above, got {entry[end]!r}")
        ends.append((slot, kind))
    if ends[0][0] == ends[1][0]:
        raise ValueError(f"{where}: first and second must be in different slots, got {ends[0][0]!r} twice")
    return Clash(ends[0], ends[1], fields.number(entry, "penalty", 0, 4, where), fields.text(entry, "reason", where))
