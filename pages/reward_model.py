"""Reward model: learn from comparisons which of two answers people prefer."""

import streamlit as st

from pages.figures.reward_model import bias, pairs, phrases, remedies, scores, words
from pages.figures.reward_model import fit as figures
from pages.frame import presets, typed_response
from pages.frame.page import open_page

page = open_page("reward-model", "Reward model: learn from comparisons what people prefer")
view = page.view

st.markdown("## Why pairs, and not scores")
page.text(words.why_pairs)
st.markdown("## One comparison")
left, right = st.columns(2, gap="large", vertical_alignment="center")
with left:
    page.formula(r"\mathcal L = -\,\mathbb{E}\big[\log \sigma\big(\reward{r(x,y^+)} - \reward{r(x,y^-)}\big)\big]")
    page.say(words.BRADLEY_TERRY)
with right:
    names = pairs.pair_names(view)
    st.session_state["rm-pair"] = min(st.session_state.get("rm-pair", len(names) // 4), len(names) - 1)
    rank = st.selectbox(
        "Comparison of this prompt", range(len(names)), key="rm-pair", persist_state="session",
        format_func=names.__getitem__,
        help="From the one that the finished reward model ranks most clearly to its worst mistake.",
    )  # fmt: skip
    page.live(pairs.pair_loss(rank))
page.live(pairs.pair_cards(rank))
with st.expander("What true reward is made of: this prompt’s phrases, one by one"):
    page.text(phrases.made_of)
    page.live(phrases.phrase_values)

st.markdown("## All comparisons")
page.beside(pairs.all_pairs(rank), figures.loss)

st.markdown("## How good can it be?")
page.text(words.ceiling)
page.beside(figures.accuracy, figures.reliability)

st.markdown("## Noise averages out, bias does not")
page.beside(bias.noise_and_bias, bias.labels_and_truth)

st.markdown("## What it has learned")
page.beside(figures.weights, scores.reward_against_truth)

st.markdown("## Type a response, see its score")
typed_response.section(page)

st.markdown("## A reward has no zero and no scale")
page.text(words.no_zero)
st.markdown("## Why accuracy is not enough")
left, right = st.columns(2, gap="large")
with left:
    page.text(words.not_enough)
    st.button(
        "Watch it happen: β = 0, 60 steps", on_click=presets.apply, args=("reward_hacking", "ppo"), key="rm-hack"
    )
with right:
    page.chart(scores.overrating)
page.beside(remedies.fresh, remedies.ensembles)
with st.expander("Where real labellers and real reward models differ"):
    page.text(words.reality)
