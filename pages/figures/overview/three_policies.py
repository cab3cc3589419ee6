"""The same prompt answered by three policies: base, SFT and PPO, three real draws each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import minus, plural
from pages.drawing.worth import live_fold, live_words
from rlhf_core.course import N_ANSWERS

POLICIES = {"base": "Base policy", "sft": "SFT policy", "ppo": "PPO policy"}
ROLES = {"base": "", "sft": "reference", "ppo": "policy"}


@dataclass(frozen=True, slots=True)
class Moment:
    """What the three columns show: a row of the course for each policy, and what is still to come."""

    rows: tuple[int, int, int]
    states: tuple[str, str, str]
    """Below each policy's name."""
    later: tuple[str, str, str]
    """Not empty where the column runs ahead of the playhead."""
    scored: bool
    """Whether the reward model is trained."""


def moments(view: View) -> tuple[np.ndarray, list[Moment]]:
    """Distinct moments of the timeline, and which of them each frame shows."""
    n_sft, n_rm, n_steps = view.run.settings.sft_epochs, view.run.settings.rm_epochs, view.run.settings.ppo_steps
    seen: dict[Moment, int] = {}
    rows = []
    for frame in view.timeline.frames:
        in_ppo = frame.phase in ("ppo", "done")
        sft = frame.sft_epoch or n_sft
        step = frame.ppo_step if in_ppo else n_steps
        moment = Moment(
            rows=(0, sft, n_sft + step),
            states=(
                "before any training",
                f"after epoch {sft} of {n_sft}" if frame.sft_epoch else f"once SFT has run {plural(n_sft, 'epoch')}",
                f"after step {step} of {n_steps}" if in_ppo else f"once PPO has run {plural(n_steps, 'step')}",
            ),
            later=("", "" if frame.sft_epoch else "later", "" if in_ppo else "later"),
            scored=frame.rm_epoch == n_rm,
        )
        rows.append(seen.setdefault(moment, len(seen)))
    return np.array(rows), list(seen)


def three_policies(view: View) -> Live:
    """Answers of base, SFT and PPO policy side by side, at the playhead."""
    rows, states = moments(view)
    values: dict[str, Sequence[str]] = {"unscored": ["" if each.scored else "unscored" for each in states]}
    for column, name in enumerate(POLICIES):
        course_rows = np.array([each.rows[column] for each in states])
        values |= {f"{name}-state": [each.states[column] for each in states]}
        values |= {f"{name}-later": [each.later[column] for each in states]}
        values |= {f"{name}-{key}": column_values for key, column_values in _column(view, course_rows).items()}
    return Live(_template(), rows, values)


def _column(view: View, course_rows: np.ndarray) -> dict[str, list[str]]:
    """Words of one policy's column at each moment."""
    run, prompt = view.run, view.prompt
    answers, truth, reward = run.course.answers[:, prompt], run.scenario.true_reward[prompt], run.reward.scores[prompt]
    log_probs = view.policy_log_probs
    distinct, where = np.unique(course_rows, return_inverse=True)
    values: dict[str, list[str]] = {
        "mean-truth": [minus(run.course.true_reward[row, prompt]) for row in distinct],
        "mean-reward": [minus(run.course.reward[row, prompt]) for row in distinct],
    }
    for i in range(N_ANSWERS):
        drawn = answers[distinct, i]
        values[f"{i}-text"] = [view.responses[response] for response in drawn]
        values[f"{i}-p"] = [_percent(np.exp(log_probs[row, at])) for row, at in zip(distinct, drawn, strict=True)]
        for key, of in (("truth", truth), ("reward", reward)):
            values[f"{i}-{key}"] = [minus(of[response], "+.2f") for response in drawn]
            values[f"{i}-{key}-bar"] = [f"{share:.0f}%" for share in _share(of)[drawn]]
        values |= live_words(view, f"{i}-worth", drawn.tolist())
    return {key: [words[i] for i in where] for key, words in values.items()}


def _share(values: np.ndarray) -> np.ndarray:
    """Where each value stands between the least and the greatest, in percent, at least a sliver."""
    return np.maximum(100 * (values - values.min()) / (np.ptp(values) or 1.0), 2.0)


def _percent(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.1 else f"{probability:.1%}" if probability >= 0.001 else "< 0.1%"


def _template() -> str:
    columns = "".join(_column_template(name, label) for name, label in POLICIES.items())
    return (
        '<div class="ov-policies"><i class="ov-flag ov-unscored" data-slot="unscored"></i>'
        f'<div class="ov-columns">{columns}</div></div>'
    )


def _column_template(name: str, label: str) -> str:
    cards = "".join(
        f'<div class="card ov-answer"><p class="ov-text" data-slot="{name}-{i}-text"></p>'
        f'<p class="ov-chance">probability <b class="num" data-slot="{name}-{i}-p"></b></p>'
        f'{_gauge(name, i, "truth", "true reward")}{_gauge(name, i, "reward", "reward")}'
        f"{live_fold(f'{name}-{i}-worth')}</div>"
        for i in range(N_ANSWERS)
    )
    return (
        f'<section class="ov-policy"><i class="ov-flag ov-later" data-slot="{name}-later"></i>'
        f'<h3 class="ov-name ov-head {ROLES[name]}">{label}</h3><p class="ov-state" data-slot="{name}-state"></p>'
        f'<p class="ov-mean">mean <b class="truth" data-slot="{name}-mean-truth"></b> true reward, '
        f'<b class="reward" data-slot="{name}-mean-reward"></b> reward</p>{cards}</section>'
    )


def _gauge(name: str, i: int, key: str, label: str) -> str:
    return (
        f'<p class="ov-gauge"><span>{label}</span><span class="ov-track"><span class="bar ov-{key}" '
        f'data-width="{name}-{i}-{key}-bar"></span></span><b class="{key}" data-slot="{name}-{i}-{key}"></b></p>'
    )
