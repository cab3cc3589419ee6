"""What PPO does to the chosen prompt's responses: their probabilities, and the KL term by term and token by token."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.drawing import Drawing
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import number, wrap
from pages.figures.ppo.words import TOKENS, adding_up, batch_rows, name, operand, slot
from rlhf_core.distributions import kl_terms

TOP = 10
ROW_HEIGHT = 36
NAMED_TERMS = 3
UNMOVED, VISIBLE = 1e-12, 0.001
"""Changes of a probability below which it is rounding (one rollout, compared with itself, teaches nothing), and below
which the figures shown do not differ."""


def response_probabilities(view: View) -> Chart:
    """Probability of the top responses under reference and policy."""
    return _probabilities(view, optimum=False)


def response_probabilities_with_optimum(view: View) -> Chart:
    """Probability of the top responses under reference, policy and the closed-form optimum."""
    return _probabilities(view, optimum=True)


def _probabilities(view: View, *, optimum: bool) -> Chart:
    run, p, palette = view.run, view.prompt, view.palette
    reference, final, best = np.exp([run.ppo.log_probs[0, p], run.ppo.log_probs[-1, p], run.optimum.log_probs[p]])
    rows = np.argsort(-np.maximum(np.maximum(final, reference), best), kind="stable")[:TOP]
    rows = rows[np.argsort(-final[rows], kind="stable")]
    now = np.exp(view.policy_log_probs[:, rows])
    hover = [
        f"{wrap(view.responses[r])}<br>reference {reference[r]:.1%}, end of run {final[r]:.1%}, optimum {best[r]:.1%}"
        for r in rows.tolist()
    ]
    data = [
        _bars(final[rows], "end of run", _outline(view)),
        _bars(now[0], "now", {"color": palette.policy.mark}, customdata=hover,
              hovertemplate="%{customdata}<br><b>now %{x:.1%}</b><extra></extra>"),
        _marks(reference[rows], "reference (SFT)", "line-ns", palette.reference.mark),
        *([_marks(best[rows], "optimum π*", "diamond", palette.optimum.mark)] if optimum else []),
        _labels(view, rows.tolist(), 0.0),
    ]  # fmt: skip
    most = max(now.max(), reference[rows].max(), best[rows].max())
    fig = _sideways(
        view, "probability of the response", data, [0, min(1.06 * most, 1.03)], len(rows), tickformat=".0%"
    )
    return Chart(
        fig,
        f"Bars: probability of this prompt's {len(rows)} top responses now, under the reference"
        f"{' and under the optimum' if optimum else ''}.",
        view.progress,
        moves={1: {"x": now}},
        question="Which answers does PPO raise?",
        title=_gain_title(view, reference, final),
        guide="This prompt’s policy at the playhead; grey ticks: the SFT policy, outlines: the end of the run.",
        reading=_probability_reading(view, reference, final, best, optimum=optimum),
    )


def _bars(x: np.ndarray, label: str, marker: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "bar", "orientation": "h", "x": x, "y": np.arange(len(x)), "name": label, "marker": marker,
            "width": 0.4, "hoverinfo": "skip" if "hovertemplate" not in more else None, **more}  # fmt: skip


def _marks(x: np.ndarray, label: str, symbol: str, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 3 if symbol == "line-ns" else 0}
    marker = {"symbol": symbol, "size": 10 if symbol == "line-ns" else 11, "color": colour, "line": line}
    return {"type": "scatter", "mode": "markers", "x": x, "y": np.arange(len(x)), "name": label, "hoverinfo": "skip",
            "marker": marker}  # fmt: skip


def _labels(view: View, rows: list[int], left: float, *last: str) -> dict[str, Any]:
    """Names above the bars, where they fit on a phone."""
    names = [*(name(view, row) for row in rows), *last]
    return {"type": "scatter", "mode": "text", "x": np.full(len(names), left), "y": np.arange(len(names)) - 0.42,
            "text": names, "textposition": "middle right", "textfont": {"size": 12.5, "color": view.palette.ink},
            "hoverinfo": "skip", "showlegend": False, "cliponaxis": False}  # fmt: skip


def _sideways(view: View, x: str, data: list[dict[str, Any]], span: list[float], n_rows: int, **axis: Any) -> Drawing:
    """Horizontal bars of one measure, first row on top."""
    return theme.figure(
        view.palette,
        x=x,
        y="",
        data=data,
        xaxis={"range": span, **axis},
        yaxis={"range": [n_rows - 0.5, -0.85], "showticklabels": False, "showgrid": False, "zeroline": False},
        barmode="overlay",
        height=ROW_HEIGHT * n_rows + 90,
    )


def _gain_title(view: View, reference: np.ndarray, final: np.ndarray) -> str:
    most = int(np.argmax(final - reference))
    if final[most] - reference[most] < UNMOVED:
        return "PPO has changed nothing: all advantages are 0"
    if final[most] - reference[most] < VISIBLE:
        return "PPO has hardly moved the answers to this prompt"
    return f"PPO raised “{name(view, most)}” from {reference[most]:.1%} to {final[most]:.1%}"


def _probability_reading(
    view: View, reference: np.ndarray, final: np.ndarray, best: np.ndarray, *, optimum: bool
) -> str:
    least, star = int(np.argmin(final - reference)), int(np.argmax(best))
    text = ""
    if reference[least] - final[least] >= VISIBLE:
        text += f" “{name(view, least)}” loses most, from {reference[least]:.1%} to {final[least]:.1%}."
    if optimum:
        text += (
            f" For β = {view.run.settings.beta:g} the optimum gives {best[star]:.1%} to “{name(view, star)}”, "
            f"to which PPO gave {final[star]:.1%}."
        )
    return text.strip()


def _top_terms(view: View) -> tuple[np.ndarray, np.ndarray]:
    """KL terms (T+1, n) of the responses that count most at the end, the sum of all others last; their indices."""
    log_probs = view.run.ppo.log_probs[:, view.prompt]
    terms = kl_terms(log_probs, log_probs[:1])
    rows = np.argsort(-np.abs(terms[-1]), kind="stable")[:TOP]
    rows = rows[np.argsort(-terms[-1, rows], kind="stable")]
    others = terms.sum(axis=1) - terms[:, rows].sum(axis=1)
    return np.concatenate([terms[:, rows], others[:, None]], axis=1), rows


def kl_by_response(view: View) -> Chart:
    """The summands of this prompt's KL, `p log(p / ref)`."""
    terms, rows = _top_terms(view)
    palette, n_others = view.palette, len(view.responses) - len(rows)
    hover = [*(wrap(view.responses[r]) for r in rows.tolist()), f"the other {n_others} responses together"]
    data = [
        _bars(terms[-1], "end of run", _outline(view)),
        _bars(terms[0], "now", {"color": palette.kl.mark}, customdata=hover,
              hovertemplate="%{customdata}<br><b>%{x:.3f} nats</b><extra></extra>"),
    ]  # fmt: skip
    low, high = float(terms.min()), float(terms.max())
    air = 0.06 * (high - low) or 0.05
    data.append(_labels(view, rows.tolist(), low - air, f"the other {n_others} together"))
    span = [low - 1.1 * air, high + air]  # beyond its end, which rounding may reach, names are left out
    fig = _sideways(view, "π log(π / ref) [nats]", data, span, len(rows) + 1)
    total = terms[-1].sum()
    return Chart(
        fig,
        f"Bars: the {len(rows)} largest summands of the KL divergence for this prompt, and the rest.",
        view.timeline.ppo_steps,
        moves={1: {"x": terms}},
        question="Which answers does the KL come from?",
        title="A term may be negative, the sum cannot",
        guide="A response rarer than under the reference counts negatively.",
        reading=f"The bars sum to this prompt’s KL, "
        f"{number(total)} nats at the end of the run; the mean over all {len(view.run.scenario.prompts)} prompts is "
        f"{number(view.run.ppo.kl[-1])}.",
    )


def kl_sum(view: View) -> Live:
    """KL of the chosen prompt as a sum at the playhead: three responses by name, all others together."""
    terms, rows = _top_terms(view)
    named = np.argsort(-np.abs(terms[-1, :-1]), kind="stable")[:NAMED_TERMS]
    parts = np.column_stack([terms[:, named], terms.sum(axis=1) - terms[:, named].sum(axis=1)])
    written = [adding_up(row, lambda *each: sum(each), row.sum()) for row in parts]
    n_prompts, n_others = len(view.run.scenario.prompts), len(view.responses) - len(named)
    values = {f"term{i}": [operand(row[i]) if i else row[i] for row in written] for i in range(len(named) + 1)}
    values |= {"sum": [row[-1] for row in written], "tile": [number(kl) for kl in view.run.ppo.kl]}
    terms_html = " + ".join(
        f'<span class="po-summand"><small>{label}</small>{slot(f"term{i}", "kl num")}</span>'
        for i, label in enumerate([*(name(view, int(rows[i])) for i in named), f"the other {n_others}"])
    )
    template = (
        f'<p class="po-follow">{slot("when", "po-when")}</p>'
        f'<p class="po-instance po-sum"><span>KL =</span> {terms_html} = <b>{slot("sum", "kl num")}</b> nats</p>'
        f'<p class="po-line">mean over the {n_prompts} prompts: {slot("tile", "kl num")} nats, as in the tile</p>'
    )
    n_steps = view.timeline.n_steps
    when = [
        f"at the end of the run, after step {n_steps}",
        *(f"after step {k}" if k else "before the first step" for k in range(n_steps + 1)),
    ]
    rows_shown = np.where(batch_rows(view) > 0, view.timeline.ppo_steps + 1, 0)
    ahead = {key: [column[-1], *column] for key, column in values.items()}
    return Live(template, rows_shown, ahead | {"when": when})


def kl_by_token(view: View) -> Chart:
    """KL of the chosen prompt by position: what opening, body and closing add to it."""
    parts = view.run.ppo.kl_per_position[:, view.prompt]
    x = np.arange(len(TOKENS))
    shared = {"type": "bar", "x": x, "width": 0.5}
    data = [
        {**shared, "y": parts[-1], "name": "end of run", "marker": _outline(view), "hoverinfo": "skip"},
        {**shared, "y": parts[0], "name": "now", "marker": {"color": view.palette.kl.mark}, "text": TOKENS,
         "textposition": "none", "hovertemplate": "%{text}<br>%{y:.3f} nats<extra></extra>"},
    ]  # fmt: skip
    fig = theme.figure(
        view.palette,
        x="token",
        y="mean log(π / ref) [nats]",
        data=data,
        xaxis={"tickvals": x, "ticktext": TOKENS, "range": [-0.6, 2.6], "showgrid": False},
        yaxis={"range": [min(0.0, float(parts.min())), 1.08 * float(parts.max()) or 0.1]},
        barmode="overlay",
        height=300,
    )
    *shown, total = adding_up(parts[-1], lambda *each: sum(each), float(parts[-1].sum()))
    return Chart(
        fig,
        "Bars: expected log-ratio of opening, body and closing for this prompt.",
        view.timeline.ppo_steps,
        moves={1: {"y": parts}},
        title=f"The {TOKENS[int(np.argmax(parts[-1]))]} moves furthest from the reference"
        if float(number(parts[-1].max())) > 0
        else "No token has moved far from the reference",
        question="Which of the three tokens does the distance come from?",
        guide="What each token adds to this prompt’s KL, a mean over the policy’s own responses.",
        reading=f"At the end of the run {' + '.join(shown)} = {total} nats.",
    )


def _outline(view: View) -> dict[str, Any]:
    """A bar that shows where the run ends."""
    return {"color": "rgba(0,0,0,0)", "line": {"color": view.palette.muted, "width": 1.2}}
