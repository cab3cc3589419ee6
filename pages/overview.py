"""Overview: what RLHF is, the three stages, and one prompt before and after each of them."""

import streamlit as st

from pages.figures.overview import outcome as figures
from pages.figures.overview.hero import hero
from pages.figures.overview.picture import pipeline_picture
from pages.figures.overview.three_policies import three_policies
from pages.figures.overview.words import INTRODUCTION, asked, computed, glossary
from pages.frame import payoff, tour
from pages.frame.page import open_page

page = open_page("overview", "RLHF, run before your eyes")

answer, parting = st.container(key="opening").columns([6, 5], gap="large")
with answer:
    page.live(hero)
    payoff.show(page)
    page.say(INTRODUCTION)
    tour.invitation()
with parting:
    page.guessed(figures.whole_pipeline, figures.whole_pipeline_guess, figures.whole_pipeline_guessed, level=2)

page.live(pipeline_picture)
sft, reward_model, ppo = st.columns(3, gap="small", border=True)
with sft:
    st.markdown("## 1. SFT: imitate")
    page.say(
        "People write good answers *y* to prompts *x*; *supervised fine-tuning* makes them more probable, by lowering"
    )
    page.formula(r"\small -\log \policy{\pi_\theta}(y \mid x)")
    page.outcome(figures.sft_outcome, "sft")
    st.page_link("pages/sft.py", label="SFT page →")
with reward_model:
    st.markdown("## 2. Reward model: compare")
    page.say(
        "People say which of two answers is better; a *reward model* learns a score *r* that predicts it, by lowering"
    )
    page.formula(r"\small -\log \sigma\big(\reward{r_\text{chosen}} - \reward{r_\text{rejected}}\big)")
    page.outcome(figures.reward_model_outcome, "rm")
    st.page_link("pages/reward_model.py", label="Reward model page →")
with ppo:
    st.markdown("## 3. PPO: practise, on a leash")
    page.say(
        "The policy answers and is scored; each nat of distance from the *reference*, the SFT policy, costs β. An "
        "answer that has become 2.7 times as likely is 1 nat away. PPO raises"
    )
    page.formula(
        r"\small \reward{\mathbb{E}[r]} - \beta\,\kl{\mathrm{KL}(\policy{\pi_\theta}\|\reference{\pi_\mathrm{ref}})}"
    )
    page.outcome(figures.ppo_outcome, "done")
    st.page_link("pages/ppo.py", label="PPO page →")

st.markdown(f"## The same prompt, three policies\n{asked(page.view)}")
page.live(three_policies)
page.note(
    "Three real draws from each policy, all made with the same random numbers, so an answer changes only where the "
    "policy has changed. Bars run from the least to the greatest of the prompt's 80 answers; means are over all 80, "
    "weighted by probability. A dashed card shows how the run ends, until the playhead gets there."
)

use, numbers = st.columns([3, 2], gap="large")
with use:
    st.markdown("## How to use")
    page.say(figures.HOW_TO_USE)
with numbers:
    st.markdown("## Every number is computed")
    page.say(computed(page.view))
    st.code(figures.command(page.view.run.settings), language="bash", wrap_lines=True)

st.markdown("## What a real language model has and this one has not")
page.live(figures.toy_and_real)

st.markdown("## The words, in one sentence each")
page.note("Where a page uses one of them first it is underlined with dots: point at it, tap it, or go there with Tab.")
page.live(glossary)
