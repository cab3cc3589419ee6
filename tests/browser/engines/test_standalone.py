"""A file by itself, and twice in somebody's page with strict policies, in every engine."""

import re
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from pages.frame.standalone import read, write
from tests.browser.engines.reader import READY, STAGE, TILES, Reader

QUERY = "sft_epochs=2&rm_epochs=2&ppo_steps=2&speed=10"
FRAME = '<iframe src="/file.html" sandbox="allow-scripts" width=720 height=600 title="A run" id={}></iframe>'
PAGE = f"<!doctype html><html lang=en><title>A talk</title>{FRAME.format('one')}{FRAME.format('two')}"
AT = f"{STAGE} return stage?.dataset.frame"
FRACTION = "return [...document.querySelector('mfrac').children].map(part => part.getBoundingClientRect().top)"
SIDEWAYS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """A host of static files, with strict policies in its headers."""
    file = write(read("metrics", QUERY, ["kl", "checks"])[0])
    own = unescape(re.search(rb'Content-Security-Policy" content="([^"]+)"', file)[1].decode())
    answers = {
        "/": (PAGE.encode(), "default-src 'none'; frame-src 'self'; style-src 'unsafe-inline'"),
        "/file.html": (file, f"{own}; frame-ancestors 'self'"),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, policy = answers.get(self.path, (b"", "default-src 'none'"))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listener.server_port}"
        listener.shutdown()
        thread.join()


def test_a_file_plays_by_itself(reader: Reader, host: str) -> None:
    reader.tab.go(f"{host}/file.html#at=ppo-1")
    reader.until(READY, True)
    reader.until(AT, "ppo-1")
    reader.until("return !!document.querySelector('.js-plotly-plot .main-svg')", True)
    over, under = reader.tab.js(FRACTION)
    assert over < under, "the formula is drawn as one, not as a line of letters"
    reader.tab.js(f"{STAGE} stage.querySelector('[data-action=run]').click()")
    reader.until(AT, "done")
    assert reader.tab.js(TILES)["ppo_step"] == "2 / 2"
    assert reader.tab.js(SIDEWAYS) <= 0
    assert reader.complaints == []


def test_two_in_one_page_know_nothing_of_each_other(reader: Reader, host: str) -> None:
    reader.tab.go(f"{host}/")
    reader.until("return document.querySelectorAll('iframe').length", 2)
    for name, plays in (("#one", True), ("#two", False)):
        with reader.tab.inside(name):
            reader.until(READY, True)
            if plays:
                reader.tab.js(f"{STAGE} stage.querySelector('[data-action=run]').click()")
                reader.until(AT, "done")
            assert reader.tab.js(AT) == ("done" if plays else "idle")
            assert reader.tab.js(SIDEWAYS) <= 0
            assert reader.complaints == []
