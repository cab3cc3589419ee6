"""Metrics: what to watch in a run, what healthy looks like, and what real runs report."""

import streamlit as st

from pages.figures.metrics import checks, kl_samples, practice, progress, published, six
from pages.frame import pins, sharing
from pages.frame.page import open_page

page = open_page("metrics", "Metrics: what to watch, and what not to trust")
run = page.view.run

page.say(
    "Six figures stand above every page. Here they are over the whole pipeline, each with its definition. The library "
    "TRL logs them under the names in the [table below](#the-same-figures-in-trl)."
)
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

st.markdown("### The score is not the goal")
by_kl = st.segmented_control(
    "Against", ["PPO step", "√KL"], default="PPO step", required=True, key="metrics-against", persist_state="session"
)
page.chart(progress.score_and_truth_by_kl if by_kl == "√KL" else progress.score_and_truth)
page.say(published.OVER_OPTIMISATION)

st.markdown("### Is this run healthy?")
page.live(checks.checks)
page.note(checks.LIMITS)

st.markdown("### Compare two runs")
pins.section(page)

st.markdown("### Why is my KL negative?")
answer, histogram = st.columns(2, gap="large")
with answer:
    page.say(kl_samples.WHY_NEGATIVE)
    page.live(kl_samples.kl_numbers)
with histogram:
    page.chart(kl_samples.kl_samples)

st.markdown("### Why the loss is no progress bar")
answer, panels = st.columns(2, gap="large")
with answer:
    page.say(progress.NO_PROGRESS_BAR)
    page.formula(r"\small L = -\mathbb{E}\,\min\!\big(\rho A,\; \mathrm{clip}(\rho, 1\pm\epsilon)\,A\big)")
with panels:
    page.chart(progress.loss_and_reward)

st.markdown("### Beside real runs")
page.chart(published.accuracies)
page.live(published.published_values)
page.note(published.CAVEATS)

st.markdown("### The same figures in TRL")
page.live(published.trl_names)

st.markdown(f"### In your own project\n{practice.RULES}\n{practice.when()}")

st.markdown("### Take it with you")
sharing.downloads(page)
sharing.reproduce(page)
