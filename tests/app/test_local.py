"""A browser opens where somebody sits before it, and nowhere else."""

import asyncio
import threading
import webbrowser

import pytest
import streamlit as st

from pages.frame import local


@pytest.mark.parametrize(
    ("headless", "below", "expected"),
    [
        (True, "", []),
        (False, "", ["http://localhost:8765"]),
        (False, "/rlhf", ["http://localhost:8765/rlhf/"]),
    ],
)
def test_a_browser_opens_unless_the_server_is_headless(
    headless: bool, below: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, done = [], threading.Event()
    options = {"server.headless": headless, "server.port": 8765, "server.baseUrlPath": below}
    monkeypatch.setattr(st, "get_option", options.get)
    monkeypatch.setattr(webbrowser, "open", lambda url: (opened.append(url), done.set()))

    async def serve() -> None:
        async with local.open_browser(None):
            done.wait(0 if headless else 5)

    asyncio.run(serve())
    assert opened == expected
