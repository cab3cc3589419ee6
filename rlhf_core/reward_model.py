"""Stage 2, the reward model: a Bradley–Terry fit of style features to human comparisons."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from rlhf_core import features
from rlhf_core.distributions import Array, expectation
from rlhf_core.policy import Indices
from rlhf_core.preferences import Pairs
from rlhf_core.scenarios import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class RewardTrace:
    """The fit over E epochs, and the scores it ends with."""

    loss: Array
    """(E+1,) Bradley–Terry loss on the training pairs, in nats per pair; starts at log 2."""
    heldout_loss: Array
    """(E+1,) the same on pairs from held-out prompts."""
    train_accuracy: Array
    """(E+1,) share of training pairs whose chosen response scores strictly higher."""
    heldout_accuracy: Array
    """(E+1,) the same on pairs from held-out prompts."""
    weights: Array
    """(E+1, F) weight per standardised feature."""
    feature_names: tuple[str, ...]
    feature_values: Array
    """(P, R, F) the features as counted in the text."""
    feature_mean: Array
    """(F,) subtracted from the counts ..."""
    feature_scale: Array
    """(F,) ... which are then divided by this."""
    features: Array
    """(P, R, F) standardised features, as the fit sees them."""
    scores: Array
    """(P, R) reward, as PPO sees it: mean 0 for each prompt and unit spread under the SFT policy."""
    usual_features: Array
    """(P, F) mean standardised features under the SFT policy: a response that has them earns reward 0."""
    scale: float
    """Raw score per reward unit."""
    pairs: Pairs

    def margins(self, epochs: Indices) -> Array:
        """Score of the chosen minus that of the rejected response at some epochs, (len(epochs), N), in log-odds."""
        return self.weights[epochs] @ _differences(self.features, self.pairs).T

    def log_odds(self, prompt: int, epochs: Indices) -> Array:
        """Scores of a prompt's responses against the SFT policy's average at some epochs, (len(epochs), R).

        The fit's own unit: a difference of 1 makes the odds of being preferred e to 1. Divided by
        `scale`, the last epoch's are the rewards that PPO sees.
        """
        scores: Array = self.weights[epochs] @ (self.features[prompt] - self.usual_features[prompt]).T
        return scores

    def contributions(self, scenario: Scenario, prompt: int, text: str) -> Array:
        """Reward that each feature of a text earns against the SFT policy's average, (F,); sums to its reward."""
        counts = features.measure(scenario.prompts[prompt], [text])[0]
        standardised = (counts - self.feature_mean) / self.feature_scale
        earned: Array = self.weights[-1] * (standardised - self.usual_features[prompt]) / self.scale
        return earned


def bradley_terry_loss(
    chosen: Array, rejected: Array, *, margin: Array | float = 0.0, center_coef: float = 0.0
) -> tuple[Array, Array, Array]:
    """Pairwise loss of a reward model, and its gradient in both scores.

        loss_i = -log sigma(r_chosen - r_rejected - margin_i) + center_coef (r_chosen + r_rejected)^2

    Only differences count (unless `center_coef` > 0): equal scores lose log 2 whatever their level.

    Parameters
    ----------
    chosen, rejected : (N,) array
        Scores of the preferred and of the other response.
    margin : float or (N,) array
        By how much the chosen response should lead (Llama 2).
    center_coef : float
        Pull of the mean score towards 0 (Eisenstein et al. 2023).

    Returns
    -------
    loss, grad_chosen, grad_rejected : (N,) arrays
        Per pair; gradients of the pair's own loss.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    Bradley and Terry (1952); Ouyang et al. (2022), arXiv:2203.02155, equation 1.
    """
    if chosen.shape != rejected.shape:
        raise ValueError(f"shapes differ: {chosen.shape}, {rejected.shape}")
    lead = chosen - rejected - margin
    level = chosen + rejected
    slope = -special.expit(-lead)
    centring = 2 * center_coef * level
    return np.logaddexp(0, -lead) + center_coef * level**2, slope + centring, centring - slope


def ridge_loss(weights: Array, differences: Array, *, l2: float) -> tuple[float, Array]:
    """What the fit minimises: mean Bradley–Terry loss of linear scores plus `l2 |w|^2`; and its gradient.

    Parameters
    ----------
    weights : (F,) array
    differences : (N, F) array
        Features of the chosen minus those of the rejected response.
    l2 : float
        Ridge strength >= 0; any positive value makes the minimum exist and be unique.
    """
    margin = differences @ weights
    loss, slope, _ = bradley_terry_loss(margin, np.zeros_like(margin))
    return float(loss.mean() + l2 * weights @ weights), differences.T @ slope / len(slope) + 2 * l2 * weights


def fit(differences: Array, *, n_epochs: int, learning_rate: float, l2: float) -> Array:
    """Weights after each epoch, (E+1, F), of full-batch gradient descent with Nesterov momentum from 0.

    The momentum grows as `(k-1)/(k+2)` up to `(1-q)/(1+q)`, `q = sqrt(2 l2 learning_rate)`, which is
    the best constant for a loss whose curvature is at least the ridge's `2 l2`.

    References
    ----------
    Nesterov (2018), Lectures on Convex Optimization, section 2.2.
    """
    weights = [np.zeros(differences.shape[1])]
    ahead = weights[0]
    q = min(np.sqrt(2 * l2 * learning_rate), 1.0)
    for epoch in range(1, n_epochs + 1):
        _, gradient = ridge_loss(ahead, differences, l2=l2)
        weights.append(ahead - learning_rate * gradient)
        momentum = min((epoch - 1) / (epoch + 2), (1 - q) / (1 + q))
        ahead = weights[-1] + momentum * (weights[-1] - weights[-2])
    return np.stack(weights)


def train(
    scenario: Scenario, pairs: Pairs, ref_log_probs: Array, *, n_epochs: int, learning_rate: float, l2: float
) -> RewardTrace:
    """Fit the reward model to the pairs of training prompts, then fix zero and unit of the reward.

    Parameters
    ----------
    ref_log_probs : (P, R) array
        The SFT policy: under it the reward has mean 0 for each prompt and unit spread.
    """
    values, mean, scale = _measured(scenario)
    standardised = (values - mean) / scale
    differences = _differences(standardised, pairs)
    weights = fit(differences[~pairs.heldout], n_epochs=n_epochs, learning_rate=learning_rate, l2=l2)
    margins = differences @ weights.T
    losses = np.logaddexp(0, -margins)
    raw = standardised @ weights[-1]
    usual = np.einsum("pr,prf->pf", np.exp(ref_log_probs), standardised)
    centred = raw - (usual @ weights[-1])[:, None]
    spread = float(np.sqrt(expectation(ref_log_probs, centred**2).mean())) or 1.0
    return RewardTrace(
        loss=losses[~pairs.heldout].mean(axis=0),
        heldout_loss=losses[pairs.heldout].mean(axis=0),
        train_accuracy=(margins[~pairs.heldout] > 0).mean(axis=0),
        heldout_accuracy=(margins[pairs.heldout] > 0).mean(axis=0),
        weights=weights,
        feature_names=features.FEATURE_NAMES,
        feature_values=values,
        feature_mean=mean,
        feature_scale=scale,
        features=standardised,
        scores=centred / spread,
        usual_features=usual,
        scale=spread,
        pairs=pairs,
    )


def _differences(standardised: Array, pairs: Pairs) -> Array:
    """Features of the chosen minus those of the rejected response, (N, F)."""
    result: Array = standardised[pairs.prompt, pairs.chosen] - standardised[pairs.prompt, pairs.rejected]
    return result


def _measured(scenario: Scenario) -> tuple[Array, Array, Array]:
    """Feature values (P, R, F), and their mean and spread (F,) over the training prompts."""
    values = features.measure_scenario(scenario)
    training = values[~scenario.heldout].reshape(-1, values.shape[-1])
    spread = training.std(axis=0)
    return values, training.mean(axis=0), np.where(spread > 0, spread, 1.0)
