"""One rollout followed through a PPO step: three policies, the penalty token by token, its advantage."""

from collections.abc import Callable
from functools import cache

import numpy as np

from pages.drawing.glossary import term
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.figures.ppo.words import (
    TOKENS,
    Step,
    abridged,
    adding_up,
    batch_rows,
    figures,
    name,
    operand,
    outlook,
    preview,
    slot,
    steps,
    update_rows,
)
from rlhf_core.advantages import SPREAD_EPSILON

RHO = term("ratio", "ratio ρ")


def _for_rule(draw: Callable[[View, str], Live]) -> Callable[[str], Callable[[View], Live]]:
    """Turn `draw(view, rule)` into `draw(rule)(view)`; the same rule gives the same function, which caches rely on."""

    @cache
    def chosen(rule: str) -> Callable[[View], Live]:
        def drawn(view: View) -> Live:
            return draw(view, rule)

        drawn.__name__ = draw.__name__
        return drawn

    return chosen


@_for_rule
def policies(view: View, rule: str) -> Live:
    """The three policies, and what each gives to the followed response."""
    cards = "".join(
        f'<div class="po-card"><p class="po-card-head"><b class="{css}">{head}</b></p><p>{text}</p>'
        f'<p class="po-card-number">{slot(f"p-{css}", f"{css} num")}</p></div>'
        for css, head, text in (
            ("policy", "π<sub>θ</sub>, trained", "Moves at every gradient step. The only one that is updated."),
            ("old", "π<sub>old</sub>, wrote the rollouts", f"Denominator of every token’s {RHO}. Renewed every step."),
            ("reference", "π<sub>ref</sub>, reference", "The SFT policy, frozen. Enters the penalty, nothing else."),
        )
    )
    template = (
        f'<p class="po-follow">{slot("when", "po-when")} follow {slot("name", "po-follow-name")} '
        f'<span class="po-follow-text" data-slot="text"></span></p><div class="po-cards">{cards}</div>'
        f'<p class="po-line"><b class="policy">ratio</b> of the whole answer: π<sub>θ</sub> / π<sub>old</sub> = '
        f"{slot('new', 'policy num')} % / {slot('old', 'num')} % = {slot('ratio')}, the product of its tokens’ ρ</p>"
        f'<p class="po-line"><b class="kl">{term("log_ratio")}</b> k = log(π<sub>old</sub> / π<sub>ref</sub>) = '
        f"log({slot('old-k', 'num')} % / {slot('ref-k', 'reference num')} %) = {slot('k', 'kl num')} nats</p>"
    )
    return Live(template, update_rows(view), _policies(view, rule))


def _policies(view: View, rule: str) -> dict[str, list[str]]:
    """Two states per step, before and after its update; before PPO a step still to come."""
    probs = 100 * np.exp(view.run.ppo.log_probs[:, view.prompt])
    ahead = steps(view)[outlook(view.timeline.n_steps) - 1]
    states = [(step, after) for step in steps(view) for after in (0, 1)]
    rows = [_state(view, probs, step, after, rule) for step, after in [(ahead, 1), *states]]
    rows[0]["when"] = f"Step {ahead.number}, still to come:"
    return {key: [row[key] for row in rows] for key in rows[0]}


def _state(view: View, probs: np.ndarray, step: Step, after: int, rule: str) -> dict[str, str]:
    g = step.follow(rule)
    response = int(step.responses[g])
    new, old, ref = probs[[step.number - 1 + after, step.number - 1, 0], response]
    percent = [figures(each, 2 if each < 10 else 3) + "\N{NARROW NO-BREAK SPACE}%" for each in (new, old, ref)]
    ratio = adding_up([new, old], lambda a, b: a / b, new / old, significant=True)
    log_ratio = adding_up([old, ref], lambda a, b: np.log(a / b), step.log_ratio[g].sum(), significant=True)
    return {
        "when": f"Step {step.number}, {'after' if after else 'before'} its update:",
        "name": name(view, response),
        "text": abridged(view, response),
        **dict(zip(("p-policy", "p-old", "p-reference"), percent, strict=True)),
        **dict(zip(("new", "old", "ratio"), ratio, strict=True)),
        **dict(zip(("old-k", "ref-k", "k"), log_ratio, strict=True)),
    }


@_for_rule
def token_rewards(view: View, rule: str) -> Live:
    """The followed rollout's penalty token by token: minus beta times the log-ratio, the score on the last."""
    beta = f"{view.run.settings.beta:g}"
    cells = "".join(
        f'<div class="po-token"><span class="po-token-name">{token}</span>'
        f'<span class="po-token-text" data-slot="text{t}"></span>'
        f"<span>{slot('score', 'reward num') + ' ' if t == 2 else ''}− {beta} × {slot(f'k{t}', 'kl num')}</span></div>"
        for t, token in enumerate(TOKENS)
    )
    template = (
        f'<div class="po-tokens">{cells}</div><p class="po-line">k = {slot("k0-", "kl num")} + '
        f"{slot('k1-', 'kl num')} + {slot('k2-', 'kl num')} = {slot('k', 'kl num')} nats</p>"
        f'<p class="po-line">R = r − β k = {slot("r", "reward num")} − {beta} × {slot("k-", "kl num")} = '
        f"{slot('total')}</p>"
    )
    rows = [_token_values(view, step, rule) for step in steps(view)]
    return Live(template, batch_rows(view), {key: preview([row[key] for row in rows]) for key in rows[0]})


def _token_values(view: View, step: Step, rule: str) -> dict[str, str]:
    beta, g = view.run.settings.beta, step.follow(rule)
    reward, tokens = step.rewards[g], step.log_ratio[g]
    *parts, total = adding_up(tokens, lambda *k: sum(k), tokens.sum())
    score, log_ratio, earned = adding_up([reward, tokens.sum()], lambda r, k: r - beta * k, reward - step.penalty[g])
    phrases = view.run.scenario.parts(view.prompt, int(step.responses[g]))
    return {
        **{f"k{t}": operand(part) for t, part in enumerate(parts)},
        **{f"k{t}-": part if t == 0 else operand(part) for t, part in enumerate(parts)},
        **{f"text{t}": phrase.text for t, phrase in enumerate(phrases)},
        "k": total,
        "score": score,
        "r": score,
        "k-": operand(log_ratio),
        "total": earned,
    }


@_for_rule
def advantage_instance(view: View, rule: str) -> Live:
    """The advantage formula with the followed rollout's numbers."""
    estimator = view.run.settings.advantage
    rows = [_advantage_values(view, step, rule) for step in steps(view)]
    spread = f" / {slot('spread')}" if estimator == "group_normalised" else ""
    open_, close = ("(", ")") if spread else ("", "")
    sign = "A<sub>closing</sub>" if estimator == "gae" else "A"
    template = (
        f'<p class="po-follow">{slot("when", "po-when")} {slot("name", "po-follow-name")}</p>'
        f'<p class="po-instance">{sign} = {open_}{slot("earned", "reward num")} − {slot("baseline")}{close}{spread} = '
        f"{slot('advantage', 'policy num')}</p>"
    )
    values = {key: preview([row[key] for row in rows]) for key in rows[0]}
    each = steps(view)
    values["name"] = preview([name(view, int(step.responses[step.follow(rule)])) for step in each])
    values["when"] = [f"Step {outlook(len(each))}, still to come:", *(f"Step {step.number}:" for step in each)]
    return Live(template, batch_rows(view), values)


def _advantage_values(view: View, step: Step, rule: str) -> dict[str, str]:
    """What the followed rollout's advantage is made of; the baseline is what was taken off."""
    g, earned = step.follow(rule), step.rewards - step.penalty
    advantage = step.advantages[g, -1]
    if view.run.settings.advantage == "group_normalised":
        terms = [earned[g], step.weights @ earned, _spread(step.weights, earned) + SPREAD_EPSILON]
        first, second, third, shown = adding_up(terms, lambda a, b, c: (a - b) / c, advantage)
        return {"earned": first, "baseline": operand(second), "spread": third, "advantage": shown}
    if view.run.settings.advantage == "gae":  # the last token earns its own penalty and the score
        gained = step.rewards[g] - view.run.settings.beta * step.log_ratio[g, -1]
    else:
        gained = earned[g]
    first, second, shown = adding_up([gained, gained - advantage], lambda a, b: a - b, advantage)
    return {"earned": first, "baseline": operand(second), "advantage": shown}


def _spread(weights: np.ndarray, values: np.ndarray) -> float:
    """Standard deviation of a step's rollouts, with Bessel's correction where they are samples."""
    n = len(values)
    bessel = n / (n - 1) if n > 1 and np.ptp(weights) == 0 else 1.0
    return float(np.sqrt(bessel * (weights @ (values - weights @ values) ** 2)))
