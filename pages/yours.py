"""Yours: the reader's own labels, preference pairs, training log and scenario."""

import streamlit as st

from pages.frame import yours
from pages.frame.page import open_page

page = open_page("yours", "Yours: try it with your own data")

st.markdown(
    "What the other pages show in a small world, seen in what you have: your preference file, your training log, your "
    "own choices. The checks and the reward model are the same."
)
yours.section(page)
