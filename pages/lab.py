"""The Lab: what β, labels, fresh labels and methods buy, over many runs."""

import streamlit as st

from pages.frame import lab
from pages.frame.page import open_page

page = open_page("lab", "The Lab: what one run cannot tell")

st.markdown(
    "One run teaches the pipeline; the questions that people ask next need many. Each experiment here trains what it "
    "needs with the settings in the sidebar, says what came out with its spread over seeds, and gives the numbers and "
    "the "
    "Python call. Nothing runs until you ask for it."
)
lab.section(page)
