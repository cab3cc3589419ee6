"""RLHF, run before your eyes: `streamlit run app.py`."""

import streamlit as st

from pages.frame import lesson, navigation, pins, playback, presets, sharing, sidebar, tour

st.set_page_config(
    page_title=navigation.TITLE,
    page_icon="🪜",
    layout="wide",
    initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
)
page = navigation.navigate()
with st.sidebar:
    sidebar.controls()
    if lesson.has_control("presets"):
        presets.menu()
    if lesson.has_control("share"):
        sharing.menu(navigation.name_of(page))
navigation.run(page)
playback.publish(tour=tour.current(), pin=pins.parameter(), **sidebar.hidden(), **lesson.parameters())
