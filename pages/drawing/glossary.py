"""The glossary: each term of the pages in one sentence, at hand where the term is first used.

A term is a link to `#term-…` whose title is its sentence. So it works in Markdown and in live passages alike, it takes
the keyboard's focus, and a browser without the player shows the title by itself; `player/terms.js` does the rest.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape


@dataclass(frozen=True, slots=True)
class Term:
    """A term, how it is written in running text, and what it means."""

    name: str
    written: str
    """Regular expression of its forms."""
    meaning: str
    """One sentence, without double quotes."""


TERMS = {
    "advantage": Term(
        "advantage", r"[Aa]dvantages?",
        "By how much a rollout, or one token of it, did better than expected: above 0 it becomes more probable, below "
        "0 less.",
    ),
    "baseline": Term(
        "baseline", r"[Bb]aselines?",
        "What was expected, taken off the reward before learning: on average it changes nothing, and it makes the "
        "estimate steadier.",
    ),
    "best_of_n": Term(
        "best-of-n", r"[Bb]est-of-n", "Write n answers and keep the one with the highest reward; nothing is trained."
    ),
    "beta": Term("β", r"β", "The price of distance: what one nat away from the reference costs, in reward units."),
    "bradley_terry": Term(
        "Bradley–Terry model", r"Bradley(?:–| and )Terry(?:’s|'s)?(?: model)?",
        "The probability that one answer beats another depends on the difference of their rewards alone, which is the "
        "log-odds of winning.",
    ),
    "clipping": Term(
        "clipping", r"[Cc]lip(?:ping|ped|s)",
        "Setting a token’s gradient to zero once its ratio has left a range around 1, in the direction that its "
        "advantage asks for.",
    ),
    "critic": Term(
        "critic, value function", r"[Cc]ritics?|value (?:function|network|model)",
        "A second model that predicts, from what has been written so far, the reward still to come.",
    ),
    "demonstration": Term(
        "demonstration", r"[Dd]emonstrations?", "An answer that a person wrote, for SFT to imitate."
    ),
    "dpo": Term(
        "DPO", r"DPO",
        "Direct preference optimisation: trains the policy on the comparisons themselves, without a reward model and "
        "without rollouts.",
    ),
    "entropy": Term(
        "entropy", r"[Ee]ntropy",
        "How varied a policy’s answers are, in nats: 0 if it always gives the same one, log 80 = 4.38 if all 80 are "
        "equally likely.",
    ),
    "gae": Term(
        "GAE", r"GAE",
        "Generalised advantage estimation: each token’s own advantage, from what a critic expects before and after it.",
    ),
    "goodhart": Term(
        "Goodhart’s law", r"Goodhart(?:[’']s law)?",
        "When a measure becomes a target, it ceases to be a good measure.",
    ),
    "grpo": Term(
        "GRPO", r"GRPO",
        "Group relative policy optimisation: no critic; the advantage is the reward less its group’s mean, divided by "
        "the group’s spread, and the KL stands in the loss.",
    ),
    "held_out": Term(
        "held-out", r"[Hh]eld[- ]out",
        "Kept away from training, to see whether what was learnt holds for what is new as well.",
    ),
    "instruct_gpt": Term(
        "InstructGPT", r"InstructGPT", "The language model of OpenAI whose paper of 2022 made this pipeline known."
    ),
    "kl": Term(
        "KL divergence", r"KL(?: divergence)?",
        "How far one policy has moved from another: the mean log-ratio over its own answers, in nats; 0 only if both "
        "are the same.",
    ),
    "labellers_judgement": Term(
        "labellers’ judgement", r"[Ll]abellers?[’'] judgement",
        "What a hurried labeller thinks of an answer: its true reward, and what sways them beyond it.",
    ),
    "log_odds": Term(
        "log-odds", r"[Ll]og-odds", "The logarithm of p / (1 − p): 0 for even chances, 1 for 2.7 to 1, −1 for 1 to 2.7."
    ),
    "log_ratio": Term(
        "log-ratio", r"[Ll]og-ratios?",
        "The logarithm of how many times as probable something is under one policy as under another, in nats: below 0 "
        "if it is rarer.",
    ),
    "logit": Term(
        "logit", r"[Ll]ogits?",
        "A number behind a probability: e to the power of each logit, divided by the sum of them all.",
    ),
    "nat": Term(
        "nat", r"nats?",
        "The unit of KL, entropy and log-ratios, from natural logarithms: one nat up is 2.7 times as likely, two nats "
        "7.4 times.",
    ),
    "over_optimisation": Term(
        "over-optimisation", r"[Oo]ver-optimis(?:ation|ed)|[Rr]eward hacking",
        "The reward still rises while what it stands for falls, because the policy has found where the reward model "
        "is wrong; also called reward hacking.",
    ),
    "policy": Term(
        "policy", r"[Pp]olic(?:y|ies)",
        "The model that answers: for every prompt it gives each possible answer a probability.",
    ),
    "ppo": Term(
        "PPO", r"PPO",
        "Proximal policy optimisation: raise the reward in small steps, each of them on freshly written answers.",
    ),
    "ratio": Term(
        "ratio ρ", r"ρ",
        "How many times as probable a token is under the policy in training as under the one that wrote it.",
    ),
    "reference": Term(
        "reference policy", r"[Rr]eference polic(?:y|ies)|(?<=the )reference",
        "The frozen policy from which distance is measured; here, as usual, the SFT policy.",
    ),
    "reward": Term(
        "reward", r"[Rr]ewards?",
        "The number that the reward model gives to an answer, which is all that PPO sees of its worth.",
    ),
    "reward_model": Term(
        "reward model", r"[Rr]eward[- ]models?",
        "A model that has learnt from comparisons to give every answer a number, its reward.",
    ),
    "rloo": Term(
        "RLOO", r"RLOO",
        "REINFORCE leave-one-out: a rollout is compared with the mean of the other rollouts for the same prompt.",
    ),
    "rlvr": Term(
        "RLVR", r"RLVR",
        "Reinforcement learning with verifiable rewards: a program checks the answer where one can be checked, instead "
        "of a model that judges it.",
    ),
    "rollout": Term(
        "rollout", r"[Rr]ollouts?", "An answer that the policy writes in training, to be scored and learnt from."
    ),
    "sft": Term("SFT", r"SFT", "Supervised fine-tuning: make the answers that people wrote more probable."),
    "spread": Term("spread", r"spread", "Standard deviation: how far values typically lie from their mean."),
    "token": Term(
        "token", r"[Tt]okens?",
        "The piece in which a policy writes: for a real model a part of a word, here a whole phrase, three to an "
        "answer.",
    ),
    "trl": Term(
        "TRL", r"TRL", "Hugging Face’s open library for SFT, DPO, GRPO, PPO and more; its metric names are given here."
    ),
    "true_reward": Term(
        "true reward", r"[Tt]rue rewards?",
        "What somebody thinks of an answer who has the time to check it; no trainer ever sees it, only this world’s "
        "authors wrote it down.",
    ),
}  # fmt: skip
"""Terms by their names in links, in the order of the alphabet."""

PROTECTED = (
    r"`[^`]*`", r"\$\$[^$]*\$\$", r"\$[^$\n]*\$", r"!?\[[^\]]*\]\([^)]*\)", r"“[^”]*”", r"^(?:#|>).*$",
)  # fmt: skip
"""Markdown in which no term is marked: code, formulas, links, quotations, headings."""
FORMS = "|".join(
    f"(?P<{key}>{term.written})" for key, term in sorted(TERMS.items(), key=lambda item: -len(item[1].name))
)
FOUND = re.compile(rf"(?P<protected>{'|'.join(PROTECTED)})|(?<![\w-])(?:{FORMS})(?![\w-])", re.MULTILINE)
Place = tuple[str, int, int]
"""A term in a text: its name, start and end."""
TEXTS = 1000
"""Of so many passages, about as many as all pages have, it is remembered where their terms are: some 2 MB."""


def underlined(text: str, known: set[str], *, remember: bool = True) -> str:
    """Markdown in which each term that is not yet `known` is linked to its sentence once, and known from then on.

    What a reader has written is not to be remembered.
    """
    places = (_remembered if remember else _places)(text)
    return _linked(text, places, known, lambda key, words: f'[{words}](#{anchor(key)} "{TERMS[key].meaning}")')


def marked(text: str, known: set[str]) -> str:
    """HTML of a text, escaped, with its terms linked as in `underlined`; links and code in it stay Markdown."""
    text = escape(text)
    return _linked(text, _remembered(text), known, term)


def _linked(text: str, places: Sequence[Place], known: set[str], link: Callable[[str, str], str]) -> str:
    parts, end = [], 0
    for key, start, stop in places:
        if key not in known:
            known.add(key)
            parts += [text[end:start], link(key, text[start:stop])]
            end = stop
    return "".join([*parts, text[end:]])


def _places(text: str) -> tuple[Place, ...]:
    """Each term where it first stands in a text."""
    first: dict[str, Place] = {}
    for match in FOUND.finditer(text):
        if match.lastgroup in TERMS:
            first.setdefault(match.lastgroup, (match.lastgroup, *match.span()))
    return tuple(first.values())


_remembered = lru_cache(TEXTS)(_places)


def term(key: str, written: str = "") -> str:
    """HTML of a term, for the template of a live passage."""
    words = escape(written or TERMS[key].name)
    return f'<a href="#{anchor(key)}" title="{escape(TERMS[key].meaning)}">{words}</a>'


def anchor(key: str) -> str:
    """What the link of a term points to."""
    return f"term-{key.replace('_', '-')}"
