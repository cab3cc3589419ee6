"""RLHF, run before your eyes: `streamlit run app.py`."""

import streamlit as st

from pages.frame import navigation, pins, playback, presets, sharing, sidebar, tour

st.set_page_config(
    page_title="RLHF you can run",
    page_icon="🪜",
    layout="wide",
    initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
)
page = navigation.navigate()
with st.sidebar:
    sidebar.controls()
    presets.menu()
    sharing.menu()
navigation.run(page)
playback.publish(tour=tour.current(), pin=pins.parameter())
