"""A scenario that a reader brings: read within bounds, and run as those that ship."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from rlhf_core.scenarios import FOLDER, Scenario
from rlhf_core.scenarios.brought import Brought
from rlhf_core.yours.files import decoded, read_bytes

LARGEST = 200_000
"""Bytes."""
MOST_PROMPTS = 24
LONGEST_TEXT = 1000
"""Characters of a prompt, phrase, reason, title or summary."""
MOST_DOTS = 60
"""In a line, outside of quoted texts: names of many parts take the TOML reader time and memory beyond any bounds."""
QUOTED = re.compile(r'"[^"\n]*"')
LONGEST_NAME = 40


def template() -> str:
    """A scenario that ships, to begin from; its head says how it is meant."""
    return (FOLDER / "helpfulness.toml").read_text(encoding="utf-8")


def load_brought(path: Path | str) -> Brought:
    """Read a scenario of one's own, to be run as `Settings(scenario=load_brought("mine.toml"))`.

    Raises
    ------
    ValueError
        If the file cannot be read, or as `read_scenario`.
    """
    return read_scenario(read_bytes(path), Path(path).name)


def read_scenario(data: bytes, name: str) -> Brought:
    """Read a scenario from the bytes of a TOML file.

    Raises
    ------
    ValueError
        If the file is too large, not text, or not a scenario; names file, prompt, phrase and field of the first fault.
    """
    stem = PurePath(name).stem[:LONGEST_NAME] or "scenario"
    if len(data) > LARGEST:
        raise ValueError(f"{stem}.toml: must be at most {LARGEST // 1000} kB, got {len(data) / 1000:.0f} kB")
    text = decoded(data)
    for number, line in enumerate(QUOTED.sub("", text).split("\n"), 1):
        if line.count(".") > MOST_DOTS:
            raise ValueError(f"{stem}.toml: line {number} must have at most {MOST_DOTS} dots outside of quoted texts")
    brought = Brought(text, stem)
    if len(brought.scenario.prompts) > MOST_PROMPTS:
        raise ValueError(f"{stem}.toml: must have at most {MOST_PROMPTS} prompts, got {len(brought.scenario.prompts)}")
    if long := next((each for each in _texts(brought.scenario) if len(each) > LONGEST_TEXT), None):
        raise ValueError(
            f"{stem}.toml: each text must have at most {LONGEST_TEXT:,} characters, got {len(long):,}: {long[:40]!r}"
        )
    return brought


def _texts(scenario: Scenario) -> Iterator[str]:
    yield from (scenario.title, scenario.summary, *scenario.prompts)
    yield from (clash.reason for clash in scenario.clashes)
    for slots in scenario.phrases:
        yield from (text for row in slots.values() for phrase in row for text in (phrase.kind, phrase.text))
