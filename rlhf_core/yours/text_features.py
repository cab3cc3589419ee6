"""What a style-only reward model sees in anybody's text: the app's twelve features, and which words or characters."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from rlhf_core import features
from rlhf_core.lab.work import Progress
from rlhf_core.yours.pairs import PreferencePairs

MOST_WORDS = 1500
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
        Counted in pairs; the result comes with the last.
    """
    chosen, rejected = ([text[:LONGEST_ANSWER] for text in side] for side in (pairs.chosen, pairs.rejected))
    spaced = _has_spaces([*chosen[:200], *rejected[:200]])
    tokens = _words if spaced else _characters
    style, bags, seen = [], [], np.zeros(len(features.FEATURES), dtype=bool)
    for i, (prompt, one, other) in enumerate(zip(pairs.prompt, chosen, rejected, strict=True), 1):
        values = features.measure(prompt[-LONGEST_ANSWER:], [one, other])
        seen |= (values != 0).any(axis=0)
        style.append(values[0] - values[1])
        bags.append((tokens(one), tokens(other)))
        if i % PIECE == 0 and i < len(chosen):
            yield Progress(i, len(chosen), None)
    matrix = np.array(style)
    spread = matrix.std(axis=0)
    words, names = _bag(bags)
    both = sparse.hstack([sparse.csr_array(matrix / np.where(spread > 0, spread, 1.0)), words], format="csr")
    blind = tuple(feature.label for feature, known in zip(features.FEATURES, seen, strict=True) if not known)
    labels = (*(feature.label for feature in features.FEATURES), *names)
    unit = "words" if spaced else "characters"
    yield Progress(len(chosen), len(chosen), Differences(both, labels, len(features.FEATURES), blind, unit))


def _has_spaces(texts: Sequence[str]) -> bool:
    letters, spaces = sum(map(len, texts)), sum(text.count(" ") + text.count("\n") for text in texts)
    return letters <= NO_SPACES * (spaces + 1)


def _words(text: str) -> frozenset[str]:
    return frozenset(ANY_WORD.findall(text.lower()))


def _characters(text: str) -> frozenset[str]:
    """Characters and pairs of neighbours, without what is no letter."""
    runs = ANY_WORD.findall(text)
    return frozenset(run[i : i + n] for run in runs for n in (1, 2) for i in range(len(run) - n + 1))


def _bag(bags: Sequence[tuple[frozenset[str], frozenset[str]]]) -> tuple[sparse.csr_array, tuple[str, ...]]:
    """Presence in the chosen minus presence in the rejected answer, of the tokens that tell most pairs apart."""
    counted: Counter[str] = Counter()
    for one, other in bags:
        counted.update(one ^ other)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    kept = [token for token, n in ranked if n >= FEWEST_PAIRS_WITH]
    index = {token: i for i, token in enumerate(kept[:MOST_WORDS])}
    rows, columns, values = [], [], []
    for row, (one, other) in enumerate(bags):
        for tokens, sign in ((one - other, 1.0), (other - one, -1.0)):
            for token in tokens:
                if token in index:
                    rows.append(row)
                    columns.append(index[token])
                    values.append(sign)
    matrix = sparse.csr_array((values, (rows, columns)), shape=(len(bags), len(index)))
    return matrix, tuple(index)
