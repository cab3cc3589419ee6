"""Every control of the pipeline, stated once: default, range, unit and words for the reader.

The sidebar, the command line, the URL and the validation are all generated from `Settings`.
"""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from numbers import Real
from typing import Any

from rlhf_core.refused import shown
from rlhf_core.scenarios import scenario_names
from rlhf_core.scenarios.brought import Brought

ADVANTAGES = ("group_mean", "leave_one_out", "group_normalised", "gae")


@dataclass(frozen=True, slots=True)
class Control:
    """What a reader needs to know about one setting, and what it may be."""

    label: str
    help: str
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    unit: str = ""
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words, for error messages and help texts."""
        return f"one of {', '.join(self.choices)}" if self.choices else f"from {self.minimum:g} to {self.maximum:g}"


def _number(default: Any, label: str, help: str, bounds: tuple[float, float], step: float = 1, unit: str = "") -> Any:
    low, high = bounds
    return field(default=default, metadata={"control": Control(label, help, low, high, step, unit)})


def _choice(default: str, label: str, help: str, choices: tuple[str, ...]) -> Any:
    return field(default=default, metadata={"control": Control(label, help, choices=choices)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All inputs of one pipeline run; the same settings always give the same run (how exactly: `run_pipeline`).

    Raises
    ------
    ValueError
        If a value has the wrong type or lies outside its range; names the field, the value
        and what is allowed.
    """

    scenario: str = _choice("helpfulness", "Scenario", "Which prompts, phrases and human values.", scenario_names())
    seed: int = _number(0, "Seed", "Fixes every random draw: same seed, same run.", (0, 9999))
    beta: float = _number(
        0.1, "β, KL penalty",
        "What one nat of distance from the SFT policy costs. 0: no leash; 2: hardly any movement.",
        (0, 2), 0.01, "reward units per nat",
    )
    ppo_steps: int = _number(8, "PPO steps", "How often PPO samples responses and updates the policy.", (1, 60))
    rollouts: int = _number(
        32, "Rollouts per prompt", "Responses sampled per prompt and step; 0 uses the exact expectation.", (0, 256)
    )
    advantage: str = _choice(
        "group_mean", "Advantage estimator",
        "What a reward is compared with: the group's mean, the mean of the others (RLOO), the mean in units of the "
        "spread (as GRPO divides, but here with the penalty inside), or a learned value (GAE, as in InstructGPT).",
        ADVANTAGES,
    )
    clip_range: float = _number(
        0.2, "Clip range", "How far a token's ratio may move before its gradient is cut.", (0.01, 0.9), 0.01
    )
    ppo_epochs: int = _number(4, "Epochs per PPO step", "Gradient steps on each batch of rollouts.", (1, 10))
    ppo_learning_rate: float = _number(0.8, "PPO learning rate", "Size of each gradient step.", (0.01, 20), 0.01)
    n_demonstrations: int = _number(
        4, "Demonstrations per prompt", "Human-written answers that SFT learns from.", (1, 32)
    )
    sft_epochs: int = _number(30, "SFT epochs", "Passes over the demonstrations.", (1, 100))
    sft_learning_rate: float = _number(0.15, "SFT learning rate", "Size of each gradient step.", (0.01, 2), 0.01)
    n_comparisons: int = _number(
        400, "Comparisons", "Labelled pairs in all; those on held-out prompts only measure accuracy.", (24, 2000)
    )
    label_noise: float = _number(
        0.7, "Labeller noise τ", "At 0 labellers never err; the larger, the more they guess.", (0, 5), 0.05,
        "true-reward units",
    )
    labeller_bias: float = _number(
        0.75, "Labeller bias",
        "How far labellers are swayed by appeal, such as praise, confidence, unchecked detail or a cautious tone. "
        "At 0 they only err at random.",
        (0, 2), 0.05,
    )
    rm_epochs: int = _number(60, "Reward-model epochs", "Passes over the comparisons.", (1, 300))
    rm_learning_rate: float = _number(
        0.5, "Reward-model learning rate", "Size of each gradient step.", (0.01, 0.6), 0.01
    )
    rm_l2: float = _number(0.02, "Reward-model ridge", "Penalty on the squared weights.", (0, 0.2), 0.005)

    def __post_init__(self) -> None:
        for spec in fields(self):
            object.__setattr__(self, spec.name, _checked(spec, getattr(self, spec.name)))

    def to_query(self) -> dict[str, str]:
        """URL parameters, bearing the field names; defaults are left out."""
        return {
            spec.name: _as_text(getattr(self, spec.name))
            for spec in fields(self)
            if getattr(self, spec.name) != spec.default
        }

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "tuple[Settings, tuple[str, ...]]":
        """Settings from URL parameters, and a sentence for every value that could not be used as it stands.

        Numbers out of range are clamped, fractions of whole numbers dropped, anything unreadable falls
        back to its default; parameters that are not settings are ignored. Never raises. Each sentence
        begins with the field's name.
        """
        values: dict[str, Any] = {}
        notes: list[str] = []
        for spec in fields(cls):
            if spec.name in query:
                values[spec.name], note = _lenient(spec, query[spec.name])
                notes += [note] if note else []
        return cls(**values), tuple(notes)


CONTROLS: Mapping[str, Control] = {spec.name: spec.metadata["control"] for spec in fields(Settings)}
DEFAULTS: Mapping[str, Any] = {spec.name: spec.default for spec in fields(Settings)}


def parse(name: str, text: str) -> Any:
    """The value that `text` gives to the setting `name`; as strict as `Settings` itself.

    Raises
    ------
    ValueError
        If the text is no allowed value of that setting.
    """
    spec = next(spec for spec in fields(Settings) if spec.name == name)
    return _checked(spec, text if CONTROLS[name].choices else _number_from(spec, text))


def _checked(spec: "Field[Any]", value: Any) -> Any:
    control: Control = spec.metadata["control"]
    refusal = ValueError(f"{spec.name} must be {_kind(spec)}{control.allowed}, got {shown(value)}")
    if spec.name == "scenario" and isinstance(value, Brought):
        return value
    if control.choices:
        if not isinstance(value, str) or value not in control.choices:
            raise refusal
        return str(value)
    if isinstance(value, bool) or not isinstance(value, Real):  # numpy's numbers are Real, its booleans are not
        raise refusal
    try:
        number = float(value)
    except OverflowError:
        raise refusal from None
    if not math.isfinite(number) or not control.minimum <= number <= control.maximum:
        raise refusal
    if spec.type is int:
        if number != int(number):
            raise refusal
        return int(number)
    return number + 0.0  # turns -0.0 into 0.0, so that equal settings share one cache entry


def _kind(spec: "Field[Any]") -> str:
    if spec.metadata["control"].choices:
        return ""
    return "a whole number " if spec.type is int else "a number "


def _number_from(spec: "Field[Any]", text: str) -> float:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    raise ValueError(f"{spec.name} must be {_kind(spec)}{spec.metadata['control'].allowed}, got {shown(text)}")


def _lenient(spec: "Field[Any]", text: str) -> tuple[Any, str]:
    control: Control = spec.metadata["control"]
    try:
        return parse(spec.name, text), ""
    except ValueError as error:
        used = spec.default
        if not control.choices:
            try:
                number = float(text)
            except ValueError:
                number = math.nan
            if not math.isnan(number):
                used = min(max(number, control.minimum), control.maximum)
                used = int(used) if spec.type is int else used
        return used, f"{error}; using {_as_text(used)}."


def _as_text(value: Any) -> str:
    """The shortest text that gives the very same value again: 2 for 2.0."""
    return str(value) if isinstance(value, str) else repr(value).removesuffix(".0")
