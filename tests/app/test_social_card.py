"""What a shared link looks like elsewhere: the head of the HTML, from the same link and run as the page."""

import asyncio
import re
from html import unescape
from typing import Any

import pytest

from pages.frame import navigation, social_card
from pages.frame.social_card import SocialCard, head, page_of, root_of
from rlhf_core import Settings, run_pipeline

INDEX = b"<html><head><title>x</title></head><body></body></html>"


def scope(path: str = "/", query: str = "", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "scheme": "http",
            "headers": pairs or [(b"host", b"app.example")]}  # fmt: skip


def answer(asked: dict[str, Any], body: bytes = INDEX, kind: str = "text/html", status: int = 200):
    """What a browser gets through the middleware from a server that sends two parts, and what the server was asked."""
    sent, seen = [], []

    async def server(scope, receive, send) -> None:
        seen.append(scope)
        headers = [(b"content-type", kind.encode()), (b"etag", b"1"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})

    async def send(message) -> None:
        sent.append(message)

    asyncio.run(SocialCard(server)(asked, None, send))
    headers = dict(sent[0]["headers"])
    return headers, b"".join(message.get("body", b"") for message in sent[1:]).decode(), seen[0]


def tags(text: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', text)
    return {name: unescape(value) for name, value in found}


@pytest.mark.parametrize("name", navigation.TITLES)
def test_every_page_says_what_it_is_about(name: str) -> None:
    written = tags(head(name, "", "http://host"))
    assert written["og:title"] == navigation.title_of(name)
    assert written["description"] == written["og:description"] == social_card.about(name)
    assert 20 < len(written["description"]) < 120
    assert written["og:image"] == "http://host/card.png" and written["twitter:card"] == "summary_large_image"


def test_a_link_to_a_moment_says_what_the_run_has_come_to() -> None:
    ppo = run_pipeline(Settings(beta=0.3, seed=2)).ppo
    said = tags(head("ppo", "beta=0.3&seed=2&at=done", ""))["description"]
    assert f"from 0 to {ppo.reward[-1]:.2f} for {ppo.kl[-1]:.2f} nats" in said
    step = tags(head("ppo", "beta=0.3&seed=2&at=ppo-5", ""))["description"]
    assert f"reward is {ppo.reward[5]:.2f}, KL {ppo.kl[5]:.2f} nats" in step


@pytest.mark.parametrize(
    "query",
    ["at=<b>\"'", "beta=nan&at=ppo-999", "prompt=-3&at=done", "%ff=%00&at=%00", "seed=" + "9" * 5000],
)
def test_nonsense_in_a_link_is_harmless(query: str) -> None:
    written = head("ppo", query, "http://host")
    assert tags(written)["description"].startswith(social_card.about("ppo"))
    assert "<b>" not in written


def test_the_tags_end_the_head_and_the_length_is_right() -> None:
    headers, body, _ = answer(scope("/ppo", "at=done"))
    assert body.index("og:title") < body.index("</head>") and body.startswith("<html><head><title>x</title><meta")
    assert int(headers[b"content-length"]) == len(body.encode()) and b"etag" not in headers


def test_the_page_is_asked_for_in_full() -> None:
    asked = scope(host="h", accept_encoding="gzip", if_none_match="1", range="bytes=0-1", cookie="c")
    assert [name for name, _ in answer(asked)[2]["headers"]] == [b"host", b"cookie"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (scope("/ppo"), {"kind": "application/json"}),
        (scope("/ppo"), {"status": 404}),
        (scope("/_stcore/health"), {}),
        (scope("/static/js/index.js"), {}),
        (scope("/ppo") | {"method": "POST"}, {}),
    ],
)
def test_everything_else_passes_through(asked: dict[str, Any], given: dict[str, Any]) -> None:
    headers, body, _ = answer(asked, **given)
    assert body == INDEX.decode() and headers[b"etag"] == b"1"


def test_the_app_may_stand_below_an_address_and_behind_a_proxy() -> None:
    assert [page_of(path) for path in ("/", "/ppo", "/some/app/", "/some/app/sft", "/favicon.png")] == [
        "overview", "ppo", "overview", "sft", None
    ]  # fmt: skip
    assert root_of(scope("/ppo", host="h:8501")) == "http://h:8501"
    assert root_of(scope("/some/app/", host="h")) == root_of(scope("/some/app/ppo", host="h")) == "http://h/some/app"
    assert root_of(scope("/", host="h", x_forwarded_proto="https", x_forwarded_host="rlhf.example")) == "https://rlhf.example"


def test_the_picture_is_as_large_as_it_says() -> None:
    data = social_card.PICTURE.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert tuple(int.from_bytes(data[at : at + 4], "big") for at in (16, 20)) == social_card.PICTURE_SIZE
