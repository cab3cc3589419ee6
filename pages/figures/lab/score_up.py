"""Score up, answers worse: PPO without a penalty and best-of-n against three reward models."""

from functools import partial
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import Experiment, Panel, changed, mean, number, over_seeds
from rlhf_core import Settings
from rlhf_core.lab.gao import FEWEST, Fit
from rlhf_core.lab.overoptimisation import Overoptimisation, Path, overoptimise_pieces

DASHES = ("dot", "dash", "solid")
FIGURES = ("kl", "reward", "labeller_reward", "true_reward")
WORTHS = (
    ("true_reward", "True reward", "own units"),
    ("labeller_reward", "Labellers’ judgement", "own units"),
    ("reward", "Reward", "reward units"),
)
WELL = 0.9
"""Share of the variance from which a form counts as fitting."""


def _lines(path: Path, name: str, role: str, hue: Any, counts: np.ndarray) -> list[dict[str, Any]]:
    """One line for each number of comparisons: a mean over seeds against the square root of the mean KL."""
    distance = np.sqrt(np.maximum(path.kl, 0).mean(axis=1))
    return [
        {
            "type": "scatter", "x": distance[c], "y": getattr(path, role)[c].mean(axis=0), "mode": "lines",
            "name": f"{name}, {count} comparisons", "line": {"color": hue.mark, "width": 2.2, "dash": DASHES[c % 3]},
            "hovertemplate": f"{name}, {count} comparisons: %{{y:.2f}} at √KL %{{x:.2f}}<extra></extra>",
        }
        for c, count in enumerate(counts)
    ]  # fmt: skip


def _charts(found: Overoptimisation, palette: Palette) -> list[Panel]:
    panels = []
    for role, title, unit in WORTHS:
        data = _lines(found.ppo, "PPO", role, palette.policy, found.counts)
        data += _lines(found.best_of_n, "best-of-n", role, palette.optimum, found.counts)
        panels.append(
            Panel(
                f"{title} against √KL: PPO and best-of-n",
                theme.figure(palette, x="√KL to the SFT policy [√nats]", y=f"{title.lower()} [{unit}]", data=data,
                             height=380),
                f"{title} of PPO and of best-of-n against the square root of the KL, for three reward models.",
            )
        )  # fmt: skip
    return panels


def _finding(found: Overoptimisation) -> str:
    sentences = []
    for path, name, form in ((found.ppo, "PPO", "rl"), (found.best_of_n, "best-of-n", "best_of_n")):
        lost = path.true_reward.max(axis=-1) - path.true_reward[..., -1]
        share = float((lost > 0.1 * (path.true_reward.max(axis=-1) - path.true_reward[..., 0])).mean())
        sentences.append(
            f"{name[0].upper()}{name[1:]} ends at least a tenth of its gain below its own best in {share:.0%} of runs; "
            f"with {found.counts[-1]} comparisons {_fitted(path.fit(form)[-1])}."
        )
    exact, n = mean(found.best_of_n.kl[-1, :, -1]), len(found.bound)
    return " ".join(sentences) + (
        f" Best of {2 ** (n - 1)} is {number(exact.value)} nats from the SFT policy; the formula log n − (n−1)/n, an "
        f"upper bound, says {number(found.bound[-1])}."
    )


def _fitted(fit: Fit | None) -> str:
    """Whether a form fits."""
    if fit is None:
        return f"there are fewer than {FEWEST} points away from the start, too few for Gao et al.’s form"
    if np.isnan(fit.explained):
        return "nothing changes that Gao et al.’s form could explain"
    verdict = "fits" if fit.explained >= WELL else "does not fit"
    return f"Gao et al.’s form {verdict} (it explains {max(fit.explained, 0):.0%} of the variance)"


def _table(found: Overoptimisation) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for method, path in (("ppo", found.ppo), ("best_of_n", found.best_of_n)):
        for c, count in enumerate(found.counts):
            for s, seed in enumerate(found.seeds):
                for i in range(path.kl.shape[-1]):
                    point = i if method == "ppo" else 2**i
                    where = {"method": method, "comparisons": int(count), "seed": int(seed), "point": point}
                    rows.append(where | {name: float(getattr(path, name)[c, s, i]) for name in FIGURES})
    return rows


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.overoptimise(Settings({changed(settings, 'beta', 'n_comparisons')}), seeds=range({n_seeds}))"


EXPERIMENT = Experiment(
    name="score-up",
    title="Score up, answers worse",
    question="Push on any reward model hard enough, and its score keeps rising while answers get worse. Here PPO "
    "(without a penalty) and exact best-of-n push on reward models from 50, 200 and 800 comparisons. "
    "[Gao et al. (2022)](https://arxiv.org/abs/2210.10760) fitted a gold reward model’s score with d(α − βd) for "
    "best-of-n and d(α − β log d) for RL, d = √KL; the same forms are fitted to true reward here.",
    pieces=partial(over_seeds, overoptimise_pieces),
    unit="runs",
    charts=_charts,
    finding=_finding,
    practice="Distance is what is spent, whichever method spends it: plot quality against KL, not against steps. A "
    "larger n is a larger KL, so best-of-n over-optimises too.",
    table=_table,
    call=_call,
    sharper={"ppo_steps": 60},
)
