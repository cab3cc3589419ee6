"""A browser opens where somebody sits before it, and nowhere else."""

import asyncio
import threading
import webbrowser

import pytest
import streamlit as st

from pages.frame import local


@pytest.mark.parametrize("headless", [True, False])
def test_a_browser_opens_unless_the_server_is_headless(headless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, done = [], threading.Event()
    monkeypatch.setattr(st, "get_option", {"server.headless": headless, "server.port": 8765}.get)
    monkeypatch.setattr(webbrowser, "open", lambda url: (opened.append(url), done.set()))

    async def serve() -> None:
        async with local.open_browser(None):
            done.wait(0 if headless else 5)

    asyncio.run(serve())
    assert opened == ([] if headless else ["http://localhost:8765"])
