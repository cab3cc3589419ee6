"""What a style-only reward model sees in anybody's text: the app's twelve features, and which words or characters."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

import numpy as np
from scipy import sparse

from rlhf_core import features
from rlhf_core.distributions import Array
from rlhf_core.lab.work import Progress
from rlhf_core.policy import Indices
from rlhf_core.yours.pairs import PreferencePairs

MOST_WORDS = 1500
MOST_TOKENS = 200_000
"""That are counted at a time: a text without spaces may have millions of pairs of characters."""
FEWEST_PAIRS_WITH = 3
"""Pairs in which a word must occur."""
LONGEST_ANSWER = 20_000
"""Characters that are looked at."""
PIECE = 100
"""Pairs between two reports of progress."""
NO_SPACES = 15
"""Mean letters between spaces from which a text counts as written without them."""
ANY_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Features of the chosen minus those of the rejected answers."""

    matrix: sparse.csr_array
    """(N, F); style features in spreads of their differences, words and characters as present or not."""
    names: tuple[str, ...]
    """(F,)."""
    n_style: int
    """The first so many are style features."""
    blind: tuple[str, ...]
    """Style features that are 0 in every answer: they cannot see this language, or it has none of them."""
    unit: str
    """"words" or "characters": what is counted besides."""


def differences(pairs: PreferencePairs) -> Iterator[Progress[Differences]]:
    """Measure all pairs.

    Yields
    ------
    Progress
        Counted in pairs, each of which is looked at twice: what is common is not known before. The result comes
        with the last.
    """
    chosen, rejected = ([text[:LONGEST_ANSWER] for text in side] for side in (pairs.chosen, pairs.rejected))
    spaced, n = _has_spaces([*chosen[:200], *rejected[:200]]), len(chosen)
    tokens = _words if spaced else _characters
    style, seen = [], np.zeros(len(features.FEATURES), dtype=bool)
    counted: Counter[str] = Counter()
    for i, (prompt, one, other) in enumerate(zip(pairs.prompt, chosen, rejected, strict=True), 1):
        values = features.measure(prompt[-LONGEST_ANSWER:], [one, other])
        seen |= (values != 0).any(axis=0)
        style.append(values[0] - values[1])
        counted = _pruned(counted, tokens(one) ^ tokens(other))
        if i % PIECE == 0:
            yield Progress(i, 2 * n, None)
    index = {token: place for place, token in enumerate(_commonest(counted))}
    bags = []
    for i, (one, other) in enumerate(zip(chosen, rejected, strict=True), 1):
        bags.append(_present(tokens(one), tokens(other), index))
        if i % PIECE == 0:
            yield Progress(n + i, 2 * n, None)
    matrix = np.array(style)
    spread = matrix.std(axis=0)
    scaled = sparse.csr_array(matrix / np.where(spread > 0, spread, 1.0))
    both = sparse.hstack([scaled, _stacked(bags, len(index))], format="csr")
    blind = tuple(feature.label for feature, known in zip(features.FEATURES, seen, strict=True) if not known)
    labels = (*(feature.label for feature in features.FEATURES), *index)
    unit = "words" if spaced else "characters"
    yield Progress(2 * n, 2 * n, Differences(both, labels, len(features.FEATURES), blind, unit))


def _has_spaces(texts: Sequence[str]) -> bool:
    letters, spaces = sum(map(len, texts)), sum(text.count(" ") + text.count("\n") for text in texts)
    return letters <= NO_SPACES * (spaces + 1)


def _words(text: str) -> frozenset[str]:
    return frozenset(ANY_WORD.findall(text.lower()))


def _characters(text: str) -> frozenset[str]:
    """Characters and pairs of neighbours, without what is no letter."""
    runs = ANY_WORD.findall(text)
    return frozenset(run[i : i + n] for run in runs for n in (1, 2) for i in range(len(run) - n + 1))


def _pruned(counted: Counter[str], more: frozenset[str]) -> Counter[str]:
    """Pairs by the token that tells their answers apart, so far; of too many tokens the rarest are let go."""
    counted.update(more)
    least = 1
    while len(counted) > MOST_TOKENS:
        least += 1
        counted = Counter({token: n for token, n in counted.items() if n >= least})
    return counted


def _commonest(counted: Counter[str]) -> list[str]:
    """The tokens that tell most pairs apart, most first."""
    known = ((-n, token) for token, n in counted.items() if n >= FEWEST_PAIRS_WITH)
    return [token for _, token in nsmallest(MOST_WORDS, known)]


def _present(one: frozenset[str], other: frozenset[str], index: Mapping[str, int]) -> tuple[Indices, Array]:
    """Columns of the known tokens that only one of two answers has, rising, and 1 for the first, -1 for the other."""
    columns = np.array(sorted(index[token] for token in one ^ other if token in index), dtype=np.int64)
    first = {index[token] for token in one - other if token in index}
    return columns, np.array([1.0 if column in first else -1.0 for column in columns.tolist()])


def _stacked(bags: Sequence[tuple[Indices, Array]], width: int) -> sparse.csr_array:
    """Presence in the chosen minus presence in the rejected answer, (N, width)."""
    columns, values = (np.concatenate(part) for part in zip(*bags, strict=True))
    ends = np.cumsum([0, *(len(part) for part, _ in bags)])
    return sparse.csr_array((values, columns, ends), shape=(len(bags), width))
