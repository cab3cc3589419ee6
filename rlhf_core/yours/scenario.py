"""A scenario that a reader brings: read within bounds, and run as it is, beside those that ship."""

import re
from pathlib import PurePath

from rlhf_core.scenarios import FOLDER, Scenario, parse_scenario
from rlhf_core.yours.files import decoded

LARGEST = 200_000
"""Bytes."""
MOST_PROMPTS = 24
MOST_DOTS = 60
"""In a line, outside of quoted texts: names of many parts take the TOML reader time and memory beyond any bounds."""
QUOTED = re.compile(r'"[^"\n]*"')
LONGEST_NAME = 40


def template() -> str:
    """A scenario that ships, to begin from; its head says how it is meant."""
    return (FOLDER / "helpfulness.toml").read_text(encoding="utf-8")


def read_scenario(data: bytes, name: str) -> Scenario:
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
    scenario = parse_scenario(text, stem)
    if len(scenario.prompts) > MOST_PROMPTS:
        raise ValueError(f"{stem}.toml: must have at most {MOST_PROMPTS} prompts, got {len(scenario.prompts)}")
    return scenario
