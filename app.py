"""RLHF, run before your eyes: `streamlit run app.py`."""

import streamlit as st
from starlette.middleware import Middleware
from streamlit import runtime

from pages.frame import (
    compression,
    foot,
    job_panel,
    lesson,
    local,
    memory,
    navigation,
    playback,
    presets,
    sharing,
    sidebar,
    social_card,
    tour,
    turns,
)


def draw() -> None:
    """Draw the page that a reader is on, with the sidebar beside it."""
    st.set_page_config(
        page_title=navigation.TITLE, page_icon="🪜", layout="wide",
        initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
    )  # fmt: skip
    tour.prepare()
    page = navigation.navigate()
    name = navigation.name_of(page)
    controls, body = lesson.rooms(name)
    with controls:
        sidebar.controls()
        presets.menu()
        sharing.menu(name)
    sharing.read()
    with body:
        navigation.run(page)
        foot.draw()
    others = {**sharing.others(name), **sidebar.parameters(), **lesson.parameters()}
    playback.publish(tour=tour.current(), **others)


if runtime.exists():
    with turns.turn(), job_panel.only_for_this_page():
        draw()
else:  # Streamlit looks here, before there are readers, for how the app is to be served
    memory.prepare()
    app = st.App(
        __file__,
        lifespan=local.open_browser,
        middleware=[Middleware(compression.Compressed), Middleware(social_card.SocialCard)],
    )
