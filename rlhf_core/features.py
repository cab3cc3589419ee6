"""What the reward model sees: a dozen numbers computed from the text of a response alone.

They measure style (length, hedging, praise, ...), not truth. The gap between the two is one source
of reward hacking; the other is that the labellers are swayed.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlhf_core.distributions import Array
from rlhf_core.lifetime import while_it_is_there
from rlhf_core.scenarios import Scenario

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
STOP_WORDS = frozenset(
    "a an and are as at be by can could do does for from get how i if in is it its me my of on or out "
    "should so that the them there this to up was what when where which who why will with would you your".split()
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of a response: its name, what it counts in plain words, and how."""

    name: str
    label: str
    measure: Callable[[str, str], float]


def _straight(text: str) -> str:
    """The text with typewriter apostrophes, as the patterns have them."""
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _words(text: str) -> list[str]:
    return WORD.findall(_straight(text).lower())


def _count(*phrases: str) -> Callable[[str, str], float]:
    """Measure that counts whole words or phrases, whatever their case, in the response."""
    pattern = re.compile(r"\b(?:" + "|".join(phrases) + r")\b", re.IGNORECASE)
    return lambda prompt, response: float(len(pattern.findall(_straight(response))))


def _overlap(prompt: str, response: str) -> float:
    asked = set(_words(prompt)) - STOP_WORDS
    return len(asked & set(_words(response))) / len(asked) if asked else 0.0


FEATURES = (
    Feature("words", "length in words", lambda prompt, response: float(len(_words(response)))),
    Feature(
        "sentences", "number of sentences", lambda prompt, response: float(len(re.findall(r"[.!?](?:\s|$)", response)))
    ),
    Feature(
        "steps",
        "numbers and step words (3, first, then)",
        _count(
            r"\d+(?:[.,:]\d+)?", "first", "second", "third", "then", "next", "finally", "steps?", "after that",
            "minutes?", "hours?", "one", "two", "three", "four", "five", "six", "ten", "half", "once", "twice",
        ),
    ),
    Feature(
        "hedges",
        "hedges (maybe, might, it depends)",
        _count(
            "maybe", "might", "perhaps", "probably", "possibly", "could", "may", "seems?", "sometimes", "i think",
            "i guess", "i suppose", "not sure", "not certain", "it depends", "more or less", "sort of", "kind of",
        ),
    ),
    Feature(
        "certainty",
        "certainty words (definitely, always)",
        _count(
            "definitely", "always", "never", "guarantee[ds]?", "certain", "certainly", "absolutely", "exactly",
            "every time", "without fail", "no doubt", "without a doubt", "undoubtedly", "trust me", "of course",
            "completely", "surely", "for sure", "perfectly",
        ),
    ),
    Feature(
        "praise",
        "praise (great, brilliant, love)",
        _count(
            "great", "excellent", "wonderful", "smart", "brilliant", "fantastic", "love", "lovely", "amazing",
            "thoughtful", "superb", "impressive", "admire", "clever", "wise", "terrific", "delightful", "marvellous",
        ),
    ),
    Feature(
        "refusal",
        "refusal (can't help, won't)",
        _count(
            "can't help", "cannot help", "can not help", "won't", "will not", "unable", "not able to", "can't",
            "cannot", "not something i", "not going to", "not comfortable", "decline", "refuse",
        ),
    ),
    Feature(
        "caveats",
        "caveats and referrals (check, doctor, unless)",
        _count(
            "check", "doctors?", "pharmacists?", "professionals?", "experts?", "consult", "contact", "helplines?",
            "manual", "careful", "carefully", "unless", "depends on", "advis[eo]r?s?", "advice", "caution", "label",
            "solicitor", "lawyer", "risks?", "risky", "safely", "make sure", "remember", "keep in mind",
        ),
    ),
    Feature("second_person", "speaks to you (you, your)", _count("you", "your", "yours", "yourself")),
    Feature("questions", "questions back (?)", lambda prompt, response: float(response.count("?"))),
    Feature("exclamations", "exclamation marks (!)", lambda prompt, response: float(response.count("!"))),
    Feature("overlap", "share of the prompt's words it repeats", _overlap),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)


def measure(prompt: str, responses: Sequence[str]) -> Array:
    """Feature values of responses to one prompt, shape (len(responses), F), in counts (overlap: a share)."""
    rows = [[feature.measure(prompt, response) for feature in FEATURES] for response in responses]
    return np.array(rows, dtype=np.float64).reshape(len(responses), len(FEATURES))


@while_it_is_there
def measure_scenario(scenario: Scenario) -> Array:
    """Feature values of all responses of a scenario, (P, R, F); computed once per scenario."""
    values = np.stack([measure(p, texts) for p, texts in zip(scenario.prompts, scenario.responses, strict=True)])
    values.flags.writeable = False
    return values
