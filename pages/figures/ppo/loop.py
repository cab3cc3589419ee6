"""The PPO loop as pseudo-code beside one step's real numbers, and that step's rollouts as a table."""

from collections.abc import Callable, Sequence

import numpy as np

from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import number, plural
from pages.figures.ppo.words import (
    NARRATED,
    Step,
    abridged,
    adding_up,
    batch_rows,
    name,
    outlook,
    preview,
    slot,
    steps,
)
from rlhf_core.distributions import expectation

ROWS = 8
ADVANTAGE_CODE = {
    "group_mean": "A = (r − βk) − mean(r − βk)",
    "leave_one_out": "A = (r − βk) − mean of the others",
    "group_normalised": "A = ((r − βk) − mean) / std",
    "gae": "A<sub>t</sub> = GAE(r<sub>t</sub>, V), γ 1, λ 0.95",
}
OLD, REF = "π<sub>old</sub>", "π<sub>ref</sub>"


def loop(view: View) -> Live:
    """One step of PPO for the chosen prompt: five lines, what each of them produced, and up to eight rollouts."""
    shown = [_shown(step, exact=view.run.settings.rollouts == 0) for step in steps(view)]
    values = {**_line_values(view), **_table_values(view, shown)}
    return Live(
        f'<div class="po-loop">{_code(view)}</div>{_table(view, max(len(rollouts) for rollouts, _ in shown))}',
        batch_rows(view),
        {key: preview(column) for key, column in values.items()} | {"when": _when(view)},
    )


def _when(view: View) -> list[str]:
    n_steps = view.timeline.n_steps
    return [f"Step {outlook(n_steps)}, still to come", *(f"Step {k} of {n_steps}" for k in range(1, n_steps + 1))]


def _code(view: View) -> str:
    """The pseudo-code; each line's right half is filled in."""
    settings = view.run.settings
    exact = settings.rollouts == 0
    drawn = "every y counts with" if exact else f"y<sub>1</sub> … y<sub>{settings.rollouts}</sub> ~"
    beside = "" if exact else f" (exact: {slot('exact-reward', 'reward num')})"
    beside_kl = "" if exact else f" (exact: {slot('exact-kl', 'kl num')})"
    lines = {
        "sample": (f"{drawn} {OLD}(y | x)", slot("sample")),
        "score": (
            "r = reward_model(x, y)",
            f"mean {slot('mean-reward', 'reward num')}{beside}, from {slot('low-reward', 'reward num')} to "
            f"{slot('high-reward', 'reward num')}",
        ),
        "kl": (
            f"k = Σ<sub>t</sub> log {OLD} − log {REF}",
            f"mean {slot('mean-kl', 'kl num')} nats{beside_kl}; {slot('below', 'num')} below 0",
        ),
        "advantage": (ADVANTAGE_CODE[settings.advantage], f"from {slot('low-a')} to {slot('high-a')}"),
        "update": (
            f"{settings.ppo_epochs} ×: θ ← θ + η ∇ Σ<sub>t</sub> min(ρA, clip(ρ, 1 ± {settings.clip_range:g}) A)",
            f"ratios ρ end between {slot('low-ratio', 'policy num')} and {slot('high-ratio', 'policy num')}",
        ),
    }
    head = f'<div class="po-loop-head"><code>for each step, for every prompt x:</code>{slot("when", "po-when")}</div>'
    return head + "".join(
        f'<div class="po-loop-line" data-line="{line}"><b>{line}</b><code>{code}</code><span>{result}</span></div>'
        for line, (code, result) in lines.items()
    )


def _line_values(view: View) -> dict[str, list[str]]:
    """What each line produced, step by step; means count every rollout with its weight."""
    each, ppo, p = steps(view), view.run.ppo, view.prompt
    exact = view.run.settings.rollouts == 0

    def column(text: Callable[[Step], str]) -> list[str]:
        return [text(step) for step in each]

    values = {
        "sample": column(
            lambda step: (
                f"all {len(step.rewards)} responses, each with its probability"
                if exact
                else f"{plural(len(step.rewards), 'response')}, {len(np.unique(step.responses))} different"
            )
        ),
        "mean-reward": column(lambda step: number(step.weights @ step.rewards)),
        "low-reward": column(lambda step: number(step.rewards.min())),
        "high-reward": column(lambda step: number(step.rewards.max())),
        "mean-kl": column(lambda step: number(step.weights @ step.log_ratio.sum(axis=1))),
        "below": column(lambda step: f"{(step.log_ratio.sum(axis=1) < -1e-12).sum()} of {len(step.rewards)}"),
        "low-a": column(lambda step: number(step.advantages.min())),
        "high-a": column(lambda step: number(step.advantages.max())),
        "low-ratio": column(lambda step: number(step.ratio.min())),
        "high-ratio": column(lambda step: number(step.ratio.max())),
    }
    if not exact:
        earned = expectation(ppo.log_probs[:-1, p], view.run.reward.scores[p])
        values["exact-reward"] = [number(value) for value in earned]
        values["exact-kl"] = [number(value) for value in ppo.kl_per_position[:-1, p].sum(axis=1)]
    return values


def _shown(step: Step, *, exact: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rollouts in the table, best advantage first, and how often each response was drawn.

    The most frequent different responses (with exact expectation the most probable), the followed one among them.
    """
    if exact:
        rollouts, counts = np.argsort(-step.weights, kind="stable")[:ROWS], np.ones(ROWS, dtype=int)
    else:
        _, first, counts = np.unique(step.responses, return_index=True, return_counts=True)
        leads = step.responses[first] == step.responses[step.follow(NARRATED)]
        order = np.lexsort((first, -counts, ~leads))[:ROWS]
        rollouts, counts = first[order], counts[order]
    best = np.argsort(-step.advantages[rollouts, 0], kind="stable")
    return rollouts[best], counts[best]


def _table(view: View, n_rows: int) -> str:
    """Rows with slots; columns that a line has yet to produce are hidden by the style sheet."""
    settings = view.run.settings
    unit = "in std" if settings.advantage == "group_normalised" else "reward units"
    of = "opening’s advantage" if settings.advantage == "gae" else "advantage"
    often = "share" if settings.rollouts == 0 else "drawn"
    head = (
        '<th scope="col">response: opening · body · closing</th>'
        f'<th scope="col">{often}</th>'
        '<th scope="col" class="po-by-score">reward r<small>reward units</small></th>'
        '<th scope="col" class="po-by-kl">log-ratio k<small>nats</small></th>'
        '<th scope="col" class="po-by-kl">penalty βk<small>reward units</small></th>'
        f'<th scope="col" class="po-by-advantage">{of} A<small>{unit}</small></th>'
    )
    rows = "".join(
        f'<tr><th scope="row"><b data-slot="name{i}"></b><span data-slot="text{i}"></span></th>'
        f'<td data-label="{often}">{slot(f"count{i}")}</td>{_cell(i, "reward", "score", "reward")}'
        f'<td class="po-by-kl kl" data-label="log-ratio">{slot(f"log-ratio{i}")}</td>{_cell(i, "penalty", "kl", "kl")}'
        f"{_cell(i, 'advantage', 'advantage', 'policy')}</tr>"
        for i in range(n_rows)
    )
    table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="po-table"><table class="po-rollouts">{table}</table></div>'


def _cell(i: int, key: str, line: str, css: str) -> str:
    return (
        f'<td class="po-by-{line} {css}" data-label="{key}">{slot(f"{key}{i}")}<i class="po-bar">'
        f'<i><i data-width="{key}-below{i}"></i></i><i><i data-width="{key}-above{i}"></i></i></i></td>'
    )


def _table_values(view: View, shown: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, list[str]]:
    """Every cell of every step; rows that one step fills and another cannot stay empty there."""
    settings, each = view.run.settings, steps(view)
    in_std = settings.advantage == "group_normalised"
    most = max(max(np.abs(step.rewards).max(), np.abs(step.penalty).max()) for step in each)
    most_advantage = max(np.abs(step.advantages).max() for step in each)
    scales = {"reward": most, "penalty": most, "advantage": most_advantage if in_std else max(most, most_advantage)}
    cells = [_step_cells(view, step, rows, scales) for step, rows in zip(each, shown, strict=True)]
    keys = dict.fromkeys(key for cell in cells for key in cell)
    empty = {key: "0%" if "below" in key or "above" in key else "" for key in keys}
    return {key: [cell.get(key, empty[key]) for cell in cells] for key in keys}


def _step_cells(
    view: View, step: Step, shown: tuple[np.ndarray, np.ndarray], scales: dict[str, float]
) -> dict[str, str]:
    exact, beta = view.run.settings.rollouts == 0, view.run.settings.beta
    cells = {}
    for i, (g, count) in enumerate(zip(*(each.tolist() for each in shown), strict=True)):
        response = int(step.responses[g])
        log_ratio, penalty = adding_up([step.log_ratio[g].sum()], lambda k: beta * k, step.penalty[g])
        cells |= {
            f"name{i}": name(view, response),
            f"text{i}": abridged(view, response),
            f"count{i}": f"{step.weights[g]:.1%}" if exact else f"{count} ×",
            f"log-ratio{i}": log_ratio,
            f"reward{i}": number(step.rewards[g]),
            f"penalty{i}": penalty,
            f"advantage{i}": number(step.advantages[g, 0]),
        }
        bars = {"reward": step.rewards[g], "penalty": step.penalty[g], "advantage": step.advantages[g, 0]}
        for key, value in bars.items():
            share = 100 * value / (scales[key] or 1.0)
            cells |= {f"{key}-below{i}": f"{max(0, -share):.1f}%", f"{key}-above{i}": f"{max(0, share):.1f}%"}
    return cells
