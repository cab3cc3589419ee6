"""Scenarios that nobody chose: the template with other prompts, numbers and texts, as a reader might bring it."""

import json
import tomllib
from typing import Any

import numpy as np

from rlhf_core.scenarios import SLOTS, VALUES
from rlhf_core.scenarios.brought import Brought
from rlhf_core.yours.scenario import MOST_PROMPTS, read_scenario, template

PLURAL = dict(zip(SLOTS, ("openings", "bodies", "closings"), strict=True))
BOUNDS = {"pretraining_logit": 3.0, **dict.fromkeys((*VALUES, "appeal"), 2.0)}
EVIL = "<script>alert(1)</script><b>bold</b> [a](javascript:b) :red[c] $x$ %{X} `d` | **e**"


def scenario(number: int, evil: bool = False) -> Brought:
    """The same number gives the same scenario: of those, each third is flat in one way or another."""
    return read_scenario(toml(number, evil).encode(), f"random {number}.toml")


def toml(number: int, evil: bool = False) -> str:
    """Text of its file."""
    rng = np.random.default_rng([number, 20261126])
    data = tomllib.loads(template())
    data["title"] = f"World {number} {EVIL if evil else ''}"
    data["values"] = {name: _value(rng, number, 4.0, low=0.0) for name in VALUES}
    n = int(rng.integers(12, MOST_PROMPTS + 1))
    data["prompts"] = [_prompt(rng, number, data["prompts"][i % len(data["prompts"])], i, evil) for i in range(n)]
    data["telling"] = int(rng.integers(1, n + 1))
    first, second = (f"{slot}:{data['prompts'][0][PLURAL[slot]][0]['kind']}" for slot in ("opening", "body"))
    reason = EVIL if evil else "they say the opposite"
    clash = {"first": first, "second": second, "penalty": _value(rng, number, 4.0, low=0.0), "reason": reason}
    data["clashes"] = [clash] * int(rng.integers(2))
    return written(data)


def _prompt(rng: np.random.Generator, number: int, like: dict[str, Any], i: int, evil: bool) -> dict[str, Any]:
    made = {"text": f"{i}: {EVIL if evil else like['text']}", "split": "heldout" if i % 4 == 0 else "train"}
    for slot, plural in PLURAL.items():
        made[plural] = [
            {"kind": row["kind"], "text": f"{slot} {j} {EVIL}" if evil else row["text"],
             **{name: _value(rng, number, most) for name, most in BOUNDS.items()}}
            for j, row in enumerate(like[plural])
        ]  # fmt: skip
    return made


def _value(rng: np.random.Generator, number: int, most: float, low: float | None = None) -> float:
    """Anything allowed; or an end of it; or always the same, which leaves nothing to learn."""
    low = -most if low is None else low
    match number % 3:
        case 0:
            return round(float(rng.uniform(low, most)), 2)
        case 1:
            return float(rng.choice([low, 0.0, most]))
    return 0.0 if number % 2 else most


def written(data: dict[str, Any]) -> str:
    """A scenario as TOML."""
    head = {name: value for name, value in data.items() if name not in ("values", "clashes", "prompts")}
    parts = [_lines(head), "[values]", _lines(data["values"])]
    for clash in data["clashes"]:
        parts += ["[[clashes]]", _lines(clash)]
    for prompt in data["prompts"]:
        parts += ["[[prompts]]", _lines({"text": prompt["text"], "split": prompt["split"]})]
        for plural in PLURAL.values():
            parts += [f"{plural} = [", *(f"{{ {_lines(row, ', ')} }}," for row in prompt[plural]), "]"]
    return "\n".join(parts) + "\n"


def _lines(table: dict[str, Any], between: str = "\n") -> str:
    return between.join(f"{name} = {json.dumps(value)}" for name, value in table.items())
