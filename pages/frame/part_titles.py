"""Titles of a page's parts, for lists to choose from: a chart has its own, and a passage the one that stands here."""

import streamlit as st

from pages.frame import lesson, runs, sidebar

PASSAGES = {
    lesson.STAGE: "The player",
    "hero": "The likeliest answer, phrase by phrase",
    "pipeline_picture": "The three stages in pictures",
    "three_policies": "The same prompt, three policies",
    "toy_and_real": "What a real language model has and this one has not",
    "glossary": "The words, in one sentence each",
    "demonstration_cost": "What one demonstration costs",
    "demonstrations": "What the writer wrote for this prompt",
    "pair_loss": "The loss of one comparison",
    "pair_cards": "One comparison, side by side",
    "phrase_values": "What true reward is made of, phrase by phrase",
    "all_pairs": "Where does training push the chosen answers?",
    "objective": "The objective in numbers",
    "gradient_check": "The slope of the reward, found in three ways",
    "token_rewards": "The reward of each token",
    "advantage_instance": "The advantage of one rollout",
    "loop": "One step, line by line",
    "policies": "Three policies, easily confused",
    "kl_sum": "This prompt’s KL as a sum",
    "checks": "Is this run healthy?",
    "kl_numbers": "One step’s estimates of the KL in numbers",
    "published_values": "Beside real runs, in numbers",
    "trl_names": "The same figures in TRL",
}
"""Of what has no title of its own, and of charts that are made for a choice on their page."""


def title_of(part: str, page: str) -> str:
    """Title of a part as it stands on its page before the run is played; it gives nothing away."""
    if part in PASSAGES:
        return PASSAGES[part]
    draw = lesson.functions_of(page)[part]
    dark = st.context.theme.type == "dark"
    words = runs.drawn(draw, sidebar.settings(), sidebar.prompt(), dark).words
    return (words.question or words.title) if words else part
