"""What a response's true reward is made of: its phrases' values, and what is taken off where they contradict."""

from collections.abc import Mapping
from dataclasses import dataclass

from rlhf_core.scenarios import SLOTS, VALUES, Clash, Phrase, Scenario


@dataclass(frozen=True, slots=True)
class Part:
    """What one phrase adds, in true-reward units."""

    slot: str
    """`opening`, `body` or `closing`."""
    phrase: Phrase
    values: Mapping[str, float]
    """`helpful`, `honest` and `harmless`, each times the scenario's weight for it."""

    @property
    def total(self) -> float:
        """Its share of the true reward."""
        return sum(self.values.values())


@dataclass(frozen=True, slots=True)
class Worth:
    """A response's true reward in parts: `sum of parts - sum of clashes`; and its appeal, which is no part of it."""

    parts: tuple[Part, ...]
    clashes: tuple[Clash, ...]
    true_reward: float
    appeal: float
    """Sum of the phrases' appeal; a labeller sees `true_reward + labeller_bias * appeal`."""


def worth(scenario: Scenario, prompt: int, response: int) -> Worth:
    """Take the true reward of one response apart.

    Parameters
    ----------
    prompt, response : int
        Indices into `scenario.true_reward`.
    """
    phrases = scenario.parts(prompt, response)
    kinds = {(slot, phrase.kind) for slot, phrase in zip(SLOTS, phrases, strict=True)}
    return Worth(
        parts=tuple(part(scenario, slot, phrase) for slot, phrase in zip(SLOTS, phrases, strict=True)),
        clashes=tuple(clash for clash in scenario.clashes if {clash.first, clash.second} <= kinds),
        true_reward=float(scenario.true_reward[prompt, response]),
        appeal=float(scenario.appeal[prompt, response]),
    )


def part(scenario: Scenario, slot: str, phrase: Phrase) -> Part:
    """One phrase with its weighted values."""
    return Part(slot, phrase, {name: scenario.values[name] * getattr(phrase, name) for name in VALUES})
