"""Somebody who starts the app on their own machine sees it: Streamlit opens no browser for an `st.App`."""

import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st


@asynccontextmanager
async def open_browser(app: Any) -> AsyncIterator[None]:
    """As the server starts, open the app in a browser unless it runs headless; a lifespan of `st.App`."""
    if not st.get_option("server.headless"):
        below = st.get_option("server.baseUrlPath").strip("/")
        url = f"http://localhost:{st.get_option('server.port')}" + (f"/{below}/" if below else "")
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # a browser may take its time
    yield
