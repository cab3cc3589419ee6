"""Metrics: what to watch in a run, what healthy looks like, and what real runs report."""

import streamlit as st

from pages.figures.metrics import checks, kl_samples, practice, progress, published, six
from pages.frame import pins, sharing
from pages.frame.page import open_page

page = open_page("metrics", "Metrics: what to watch, and what not to trust")
page.contents(published.SECTIONS)

st.header("The reward is not the goal", anchor="goal")
by_kl = st.segmented_control(
    "Against", ["PPO step", "√KL"], default="PPO step", required=True, key="metrics-against", persist_state="session",
    disabled=page.guessing,
)  # fmt: skip
page.guessed(
    progress.score_and_truth_by_kl if by_kl == "√KL" else progress.score_and_truth,
    progress.score_and_truth_guess, progress.score_and_truth_guessed,
)  # fmt: skip
page.beside(published.OVER_OPTIMISATION, published.GOODHART)

st.header("The six figures", anchor="six")
page.say(published.SIX)
FORMULAS = {
    six.phase: r"\small \pi_\mathrm{base} \to \reference{\pi_\mathrm{ref}} \to \reward{r} \to \policy{\pi_\theta}",
    six.ppo_step: r"\small \policy{\pi_{k-1} \to \pi_k}, \quad k = 1 \dots N",
    six.reward: r"\small \reward{\mathbb{E}_{y\sim\pi}[\,r(x,y)\,]}",
    six.kl: r"\small \kl{\mathbb{E}_{y\sim\pi}\,\log \frac{\pi(y|x)}{\pi_\mathrm{ref}(y|x)}}",
    six.rm_accuracy: r"\small \reward{\mathbb{P}\,[\,r_\text{chosen} > r_\text{rejected}\,]}",
    six.entropy: r"\small \policy{-\textstyle\sum_y \pi(y|x)\,\log \pi(y|x)}",
}
for charts in (list(FORMULAS)[:3], list(FORMULAS)[3:]):
    for column, chart in zip(st.columns(3, border=True), charts, strict=True):
        with column:
            page.chart(chart, FORMULAS[chart])

st.header("Is this run healthy?", anchor="healthy")
page.live(checks.checks)
page.note(checks.LIMITS)

st.header("Compare two runs", anchor="compare")
pins.section(page)

st.header("Why is my KL negative?", anchor="negative-kl")
page.beside([kl_samples.WHY_NEGATIVE, kl_samples.kl_numbers], kl_samples.kl_samples)

st.header("Why the loss is no progress bar", anchor="why-the-loss-is-no-progress-bar")
page.beside(progress.NO_PROGRESS_BAR, progress.loss_and_reward)

st.header("Beside real runs", anchor="real-runs")
page.chart(published.accuracies)
page.live(published.published_values)
page.note(published.CAVEATS)

st.header("The same figures in TRL", anchor="the-same-figures-in-trl")
page.live(published.trl_names)

st.header("In your own project", anchor="in-your-own-project")
page.say(f"{practice.RULES}\n{practice.when()}")

st.header("Take it with you", anchor="take-it")
sharing.downloads(page)
sharing.reproduce(page)
