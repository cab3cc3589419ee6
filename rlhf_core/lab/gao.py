"""The curves of over-optimisation by Gao et al., and how well they fit a run."""

from typing import NamedTuple

import numpy as np
from scipy import optimize

from rlhf_core.distributions import Array

FEWEST = 3
"""Points apart from the origin: with two, either form would fit whatever they say."""


class Peak(NamedTuple):
    """Where a curve is highest."""

    distance: float
    value: float


class Fit(NamedTuple):
    """Coefficients of a form, and what it leaves unexplained."""

    alpha: float
    beta: float
    error: float
    """Root mean squared error, in true-reward units."""
    explained: float
    """Share of the variance that the form explains; at most 1, negative where a constant does better, nan where
    the gain does not vary."""


def best_of_n_form(distance: Array, alpha: float, beta: float) -> Array:
    """Gain of best-of-n at a distance: `d (alpha - beta d)`, with `d = sqrt(KL)` in square roots of nats.

    References
    ----------
    Gao, Schulman and Hilton (2022), arXiv:2210.10760, equation for best-of-n; the score there is a gold reward model's.
    """
    return distance * (alpha - beta * distance)


def rl_form(distance: Array, alpha: float, beta: float) -> Array:
    """Gain of RL at a distance: `d (alpha - beta log d)`, 0 at `d = 0`; `d = sqrt(KL)` in square roots of nats.

    References
    ----------
    Gao, Schulman and Hilton (2022), arXiv:2210.10760, equation for RL; the score there is a gold reward model's.
    """
    safe = np.where(distance > 0, distance, 1.0)
    return np.where(distance > 0, distance * (alpha - beta * np.log(safe)), 0.0)


def best_of_n_peak(alpha: float, beta: float) -> Peak:
    """Where `d (alpha - beta d)` is highest, for beta > 0."""
    return Peak(alpha / (2 * beta), alpha**2 / (4 * beta))


def rl_peak(alpha: float, beta: float) -> Peak:
    """Where `d (alpha - beta log d)` is highest, for beta > 0."""
    distance = float(np.exp(alpha / beta - 1))
    return Peak(distance, beta * distance)


def fit_form(distance: Array, gain: Array, *, form: str) -> Fit:
    """Least-squares fit of one of the two forms; both are linear in their coefficients.

    Parameters
    ----------
    distance : (N,) array
        `sqrt(KL)`, in square roots of nats, >= 0.
    gain : (N,) array
        True reward above the reference policy's, in true-reward units.
    form : str
        "best_of_n" or "rl".

    Raises
    ------
    ValueError
        If the form is unknown or there are fewer than `FEWEST` points apart from the origin.
    """
    forms = {"best_of_n": best_of_n_form, "rl": rl_form}
    if form not in forms:
        raise ValueError(f"form must be one of {', '.join(forms)}, got {form!r}")
    moved = int((distance > 0).sum())
    if moved < FEWEST:
        raise ValueError(f"needs at least {FEWEST} points with a distance above 0, got {moved}")
    shape = forms[form]
    design = np.stack([shape(distance, 1.0, 0.0), shape(distance, 0.0, 1.0)], axis=1)
    solved = optimize.lsq_linear(design, gain)
    rest = design @ solved.x - gain
    spread = float(((gain - gain.mean()) ** 2).sum())
    explained = 1 - float((rest**2).sum()) / spread if spread > 0 else float("nan")
    return Fit(float(solved.x[0]), float(solved.x[1]), float(np.sqrt(np.mean(rest**2))), explained)
