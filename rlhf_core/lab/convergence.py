"""Does it arrive? Exact expectations and many small steps: where each variant ends, against the closed-form optimum."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from rlhf_core import policy
from rlhf_core.distributions import Array, entropy, kl_divergence
from rlhf_core.lab import grpo
from rlhf_core.lab.work import Progress, finish
from rlhf_core.optimum import optimal_log_probs
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Indices

N_STEPS = 2000
PIECE = 100
STRIDE = 3.0
"""Learning rate times beta: near the optimum the objective is curved as beta, so a fixed step would be too long for a
large beta and take for ever with a small one. A step that is divided by the spread does not shrink near the optimum,
and the longer it is the more it trembles there: it is 1."""
ARRIVED = 0.01
"""Nats from the optimum within which a variant counts as arrived."""
LAST, NEARER = 6, 0.02
"""A variant counts as on its way while each of its last marks is nearer than the one before, by so much in all."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to put penalty and advantage together."""

    name: str
    label: str
    divide_by_spread: bool
    kl: str
    reason: str
    """Why it ends where it ends."""
    n_epochs: int = 1
    """Gradient steps on each batch; in the first every ratio is 1, and no clipping can be seen."""
    upper_clip_range: float | None = None
    """Wider than that below 1, or None for the same."""


VARIANTS = (
    Variant("ppo", "PPO, RLOO, Dr. GRPO: penalty in the reward", False, "reward_k1",
            "the expected gradient is that of the objective itself"),
    Variant("normalised", "the same, divided by the group's spread", True, "reward_k1",
            "at the optimum the penalised reward is constant, so its spread is 0: the division only makes it tremble"),
    Variant("grpo", "GRPO: reward over spread, k3 in the loss", True, "loss_k3",
            "the division changes what a nat costs on each prompt, and k3 pulls in the other direction"),
    Variant("k3", "k3 in the loss, no division", False, "loss_k3",
            "the gradient of k3 as a loss is that of KL(ref ‖ π), the other direction"),
    Variant("k2", "k2 in the loss, token by token", False, "loss_k2",
            "each token pays for its own distance and none for where it leads: near the optimum, not at it"),
    Variant("k1", "k1 in the loss", False, "loss_k1",
            "its expected gradient is 0, as if there were no penalty"),
    Variant("clip_higher", "PPO, 4 steps a batch, clip wider above", False, "reward_k1",
            "clipped at 0.8 and 1.28. At the optimum every advantage is 0, so there clipping moves nothing; so "
            "many long steps on a batch overshoot to the clip’s edge and make it tremble; with short ones it arrives",
            n_epochs=4, upper_clip_range=0.28),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Distances of V variants from the optimum while they run; arrays (V, N), means over prompts."""

    beta: float
    steps: Indices
    """(N,) gradient steps."""
    to_optimum: Array
    """`KL(pi || pi*)`, in nats; nan where still to come."""
    kl: Array
    """To the SFT policy, in nats."""
    entropy: Array
    """In nats."""
    optimum_kl: float
    optimum_entropy: float

    @property
    def arrived(self) -> tuple[bool, ...]:
        """Whether each variant ends within `ARRIVED` of the optimum."""
        return tuple(bool(row[-1] <= ARRIVED) for row in self.to_optimum)

    @property
    def on_its_way(self) -> tuple[bool, ...]:
        """Whether each variant has not arrived, and was still coming nearer when the steps were over."""
        last = self.to_optimum[:, -LAST:]
        nearer = (np.diff(last) < 0).all(axis=1) & (last[:, -1] < (1 - NEARER) * last[:, 0])
        return tuple((nearer & (last[:, -1] > ARRIVED)).tolist())


def arrival(run: PipelineRun, *, beta: float, n_steps: int = N_STEPS) -> Arrival:
    """Let every variant run; see `arrival_pieces`."""
    return finish(arrival_pieces(run, beta=beta, n_steps=n_steps))


def arrival_pieces(run: PipelineRun, *, beta: float, n_steps: int = N_STEPS) -> Iterator[Progress[Arrival]]:
    """Let every variant take exact gradient steps on a run's reward model, from its SFT policy.

    Parameters
    ----------
    beta : float
        > 0, in reward units per nat: at 0 there is no finite optimum to arrive at.
    n_steps : int
        At least `PIECE`.

    Yields
    ------
    Progress
        Counted in gradient steps of all variants.

    Raises
    ------
    ValueError
        If beta or `n_steps` is out of range.
    """
    if beta <= 0:
        raise ValueError(f"beta must be > 0, got {beta}")
    if n_steps < PIECE:
        raise ValueError(f"n_steps must be at least {PIECE}, got {n_steps}")
    ref, scores = run.sft.log_probs[-1], run.reward.scores
    best, _ = optimal_log_probs(ref, scores, beta=beta)
    counts = np.arange(0, n_steps + 1, PIECE)
    figures = np.full((3, len(VARIANTS), len(counts)), np.nan)
    figures[:, :, 0] = _figures(ref, ref, best)[:, None]
    optimum_kl, optimum_entropy = float(kl_divergence(best, ref).mean()), float(entropy(best).mean())
    for v, variant in enumerate(VARIANTS):
        method = grpo.GRPO(
            beta=beta, rollouts=0, learning_rate=1.0 if variant.divide_by_spread else STRIDE / beta,
            divide_by_length=False, divide_by_spread=variant.divide_by_spread, kl=variant.kl,  # type: ignore[arg-type]
            n_epochs=variant.n_epochs, upper_clip_range=variant.upper_clip_range,
        )  # fmt: skip
        walk = grpo.steps(run.sft.logits, scores, method, _no_draw)
        for n in range(1, len(counts)):
            *_, logits = islice(walk, PIECE // variant.n_epochs)
            figures[:, v, n] = _figures(policy.response_log_probs(policy.log_tables(logits)), ref, best)
            to_optimum, kl, undecided = figures.copy()
            result = Arrival(beta, counts, to_optimum, kl, undecided, optimum_kl, optimum_entropy)
            yield Progress(v * n_steps + n * PIECE, len(VARIANTS) * n_steps, result)


def _figures(log_probs: Array, ref: Array, best: Array) -> Array:
    return np.array([kl_divergence(log_probs, best).mean(), kl_divergence(log_probs, ref).mean(),
                     entropy(log_probs).mean()])  # fmt: skip


def _no_draw(shape: tuple[int, ...]) -> Array:
    raise AssertionError("exact expectations draw nothing")
