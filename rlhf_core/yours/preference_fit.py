"""How much of somebody's preferences style explains: a ridge Bradley–Terry fit, tested on prompts it never saw."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from rlhf_core.calibration import Reliability, reliability
from rlhf_core.distributions import Array
from rlhf_core.lab.work import Progress, finish
from rlhf_core.policy import Indices
from rlhf_core.yours.pairs import PreferencePairs
from rlhf_core.yours.symptoms import wilson
from rlhf_core.yours.text_features import Differences, differences

Mask: TypeAlias = NDArray[np.bool_]
RIDGES = (0.1, 0.03, 0.01, 0.003)
"""Penalties on the squared weights that are tried, from strong to weak."""
N_FOLDS = 5
INNER = 3
"""Parts of the training prompts that choose the ridge in turn."""
FEWEST = 10
"""Prompts below which nothing can be held out."""
SHARES = (0.125, 0.25, 0.5, 1.0)
N_BINS = 5
N_STRONGEST = 12


@dataclass(frozen=True, slots=True, eq=False)
class PairsReport:
    """What style explains of N preferences."""

    pairs: PreferencePairs
    blind: tuple[str, ...]
    """Style features that cannot see this text."""
    unit: str
    """"words" or "characters"."""
    train_accuracy: float
    heldout_accuracy: float
    """By five-fold cross-validation over prompts: no prompt is on both sides."""
    heldout_interval: tuple[float, float]
    """90 % interval (Wilson)."""
    longer_wins_accuracy: float
    """Of the rule "the longer answer wins", on the same pairs."""
    n_used: int
    """Pairs that the fit used: all but those whose two answers are identical."""
    reliability: Reliability | None
    """On held-out pairs; None where there are too few."""
    style: tuple[tuple[str, float], ...]
    """Every style feature and its weight, in log-odds a spread, strongest first."""
    words: tuple[tuple[str, float], ...]
    """The words (or characters) with the largest weights, in log-odds when present, strongest first."""
    learning: tuple[tuple[int, float], ...]
    """Training pairs and the accuracy on the same held-out prompts."""


def fit_pairs(pairs: PreferencePairs) -> PairsReport:
    """Fit and test; see `fit_pairs_pieces`."""
    return finish(fit_pairs_pieces(pairs))


def fit_pairs_pieces(pairs: PreferencePairs) -> Iterator[Progress[PairsReport]]:
    """Fit a style-only reward model to pairs and test it on prompts that it has not seen.

    Yields
    ------
    Progress
        Counted in hundredths; the result comes with the last.

    Raises
    ------
    ValueError
        If there are too few prompts to hold any out, or all pairs are identical.
    """
    measured: Differences | None = None
    for piece in differences(pairs):
        measured = piece.result
        yield Progress(round(40 * piece.done / piece.total), 100, None)
    assert measured is not None
    matrix = measured.matrix
    usable = np.array([a != b for a, b in zip(pairs.chosen, pairs.rejected, strict=True)])
    group = pairs.group
    if not usable.any():
        raise ValueError("all pairs hold the same answer twice, so there is nothing to learn")
    n_prompts = len(np.unique(group[usable]))
    if n_prompts < FEWEST:
        raise ValueError(f"needs pairs about at least {FEWEST} prompts, to hold some out, got {n_prompts}")
    fold = _folds(group)
    margins = np.full(len(group), np.nan)
    for k in range(N_FOLDS):
        train, test = usable & (fold != k), usable & (fold == k)
        weights, _ = yield from _tuned(matrix, train, group, from_=40 + 9 * k)
        margins[test] = matrix[test] @ weights
    weights, ridge = yield from _tuned(matrix, usable, group, from_=40 + 9 * N_FOLDS)
    learning = _learning_curve(matrix, usable, fold, ridge)
    yield Progress(100, 100, _report(pairs, measured, weights, margins, usable, learning))


def ridge_fit(matrix: sparse.csr_array, *, l2: float, start: Array | None = None) -> Array:
    """Weights that minimise the mean Bradley–Terry loss plus `l2 |w|^2`, by L-BFGS.

    Parameters
    ----------
    matrix : (N, F) sparse array
        Features of the chosen minus those of the rejected answers.
    l2 : float
        > 0.
    """
    n = matrix.shape[0]
    turned = matrix.T.tocsr()

    def loss(weights: Array) -> tuple[float, Array]:
        margin = matrix @ weights
        wrong = special.expit(-margin)
        value = float(np.logaddexp(0, -margin).mean() + l2 * weights @ weights)
        return value, -(turned @ wrong) / n + 2 * l2 * weights

    first = np.zeros(matrix.shape[1]) if start is None else start
    found = optimize.minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-5})
    result: Array = found.x
    return result


def _folds(group: Indices) -> Indices:
    """Fold of each pair; pairs of one prompt are in one."""
    order = np.random.default_rng(0).permutation(int(group.max()) + 1)
    result: Indices = order[group] % N_FOLDS
    return result


def _tuned(
    matrix: sparse.csr_array, train: Mask, group: Indices, *, from_: int
) -> Generator[Progress[PairsReport], None, tuple[Array, float]]:
    """Weights on some pairs, with the ridge that loses least on parts of their own prompts; a report after each fit."""
    part = np.random.default_rng(1).permutation(int(group.max()) + 1)[group] % INNER
    losses = np.zeros(len(RIDGES))
    for k in range(INNER):
        inner, outer, weights = train & (part == k), train & (part != k), None
        if inner.any() and outer.any():
            for i, candidate in enumerate(RIDGES):
                weights = ridge_fit(matrix[outer], l2=candidate, start=weights)
                losses[i] += float(np.logaddexp(0, -(matrix[inner] @ weights)).sum())
                yield Progress(from_ + (k * len(RIDGES) + i) * 9 // (INNER * len(RIDGES)), 100, None)
    ridge = RIDGES[int(losses.argmin())]
    return ridge_fit(matrix[train], l2=ridge), ridge


def _accuracy(margins: Array) -> float:
    """Share of margins above 0; one that is 0 counts one half."""
    return float(np.where(margins == 0, 0.5, margins > 0).mean())


def _learning_curve(
    matrix: sparse.csr_array, usable: Mask, fold: Indices, ridge: float
) -> tuple[tuple[int, float], ...]:
    train, test = np.flatnonzero(usable & (fold != 0)), usable & (fold == 0)
    order = np.random.default_rng(2).permutation(train)
    points = []
    for share in SHARES:
        some = order[: max(int(share * len(order)), 1)]
        points.append((len(some), _accuracy(matrix[test] @ ridge_fit(matrix[some], l2=ridge))))
    return tuple(points)


def _report(
    pairs: PreferencePairs, measured: Differences, weights: Array, margins: Array, usable: Mask,
    learning: tuple[tuple[int, float], ...],
) -> PairsReport:  # fmt: skip
    known, n = margins[usable], int(usable.sum())
    accuracy = _accuracy(known)
    longer = np.array([len(a) - len(b) for a, b in zip(pairs.chosen, pairs.rejected, strict=True)])[usable]
    named = list(zip(measured.names, weights.tolist(), strict=True))
    style, words = (sorted(part, key=_strength) for part in (named[: measured.n_style], named[measured.n_style :]))
    return PairsReport(
        pairs=pairs,
        blind=measured.blind,
        unit=measured.unit,
        train_accuracy=_accuracy(measured.matrix[usable] @ weights),
        heldout_accuracy=accuracy,
        heldout_interval=wilson(accuracy, n),
        longer_wins_accuracy=_accuracy(longer.astype(np.float64)),
        n_used=n,
        reliability=reliability(known, n_bins=N_BINS) if n >= 10 * N_BINS else None,
        style=tuple(style),
        words=tuple(words[:N_STRONGEST]),
        learning=learning,
    )


def _strength(item: tuple[str, float]) -> float:
    return -abs(item[1])
