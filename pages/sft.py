"""SFT: imitate what people wrote."""

import streamlit as st

from pages.figures.sft import curves as figures
from pages.figures.sft import tree, words
from pages.frame.page import open_page

page = open_page("sft", "Supervised fine-tuning: imitate what people wrote")
view = page.view

page.text(words.introduction)
st.markdown("## The loss is the price of a demonstration")
left, right = st.columns(2, gap="large", vertical_alignment="center")
with left:
    page.formula(r"\mathcal L = -\,\mathbb{E}_{(x,y)\sim D}\Big[\sum_t\log\policy{\pi_\theta(y_t \mid x, y_{<t})}\Big]")
with right:
    page.say(words.FORMULA)
names = words.example_names(view)
st.session_state["sft-example"] = min(st.session_state.get("sft-example", 0), len(names) - 1)
number = st.selectbox(
    "Demonstration for this prompt", range(len(names)), key="sft-example", format_func=names.__getitem__,
    persist_state="session", help="Named by the kinds of its opening, body and closing.",
)  # fmt: skip
page.live(words.demonstration_cost(number))

left, right = st.columns(2, gap="large")
with left:
    page.chart(figures.loss)
with right:
    page.chart(figures.imitation)

st.markdown("## What it does to the answers")
page.text(words.all_answers)
left, right = st.columns(2, gap="large")
with left:
    page.chart(tree.tree_now)
with right:
    page.chart(tree.tree_after_sft)
st.markdown("### What the writer wrote for this prompt")
page.live(words.demonstrations)
st.markdown("### Probabilities add up to one: what some answers gain, others lose")
left, right = st.columns(2, gap="large")
with left:
    page.chart(figures.gained)
with right:
    page.chart(figures.lost)

st.markdown("## What SFT cannot do")
page.text(words.limits)
st.markdown("## Why the other stages need it")
page.say(words.REFERENCE)
st.page_link("pages/reward_model.py", label="Next: the reward model", icon="➡️")
with st.expander("What a real LLM has that this toy has not"):
    page.text(words.reality)
