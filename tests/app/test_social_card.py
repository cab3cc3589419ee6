"""What a shared link looks like elsewhere: the head of the HTML, from the same link and run as the page."""

import asyncio
import re
import threading
import time
from html import unescape
from statistics import median
from typing import Any

import pytest

from pages.frame import memory, navigation, runs, social_card
from pages.frame.memory import Memory
from pages.frame.social_card import SocialCard, about, describe, head, page_of, root_of
from rlhf_core import Settings
from tests.timing import quickest

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
    return headers, b"".join(message.get("body", b"") for message in sent[1:]).decode(), seen[0] if seen else None


def answers(asked: list[dict[str, Any]]) -> list[str]:
    """Bodies of the answers to requests that come at the same time."""

    async def server(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": INDEX})

    async def one(app: SocialCard, each: dict[str, Any]) -> str:
        sent = []

        async def send(message) -> None:
            sent.append(message)

        await app(each, None, send)
        return sent[1]["body"].decode()

    async def all_of_them() -> list[str]:
        app = SocialCard(server)
        return await asyncio.gather(*(one(app, each) for each in asked))

    return asyncio.run(all_of_them())


def tags(text: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', text)
    return {name: unescape(value) for name, value in found}


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reader has asked for a run yet."""
    monkeypatch.setattr(memory, "SHARED", Memory(50_000_000))


@pytest.fixture
def trains_nothing(untrained: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(settings: Settings) -> None:
        raise AssertionError(f"trained {settings}")

    monkeypatch.setattr(runs, "run_pipeline", refuse)


@pytest.mark.parametrize("name", navigation.TITLES)
def test_every_page_says_what_it_is_about(name: str) -> None:
    written = tags(head(name, about(name), "http://host"))
    assert written["og:title"] == navigation.title_of(name)
    assert written["description"] == written["og:description"] == about(name)
    assert 20 < len(written["description"]) < 120
    assert written["og:image"] == "http://host/card.png" and written["twitter:card"] == "summary_large_image"


def test_a_link_to_a_moment_says_what_the_run_has_come_to_once_a_reader_has_had_it(untrained: None) -> None:
    query = "beta=0.3&seed=2&at="
    assert describe("ppo", query + "done") == about("ppo")
    ppo = runs.shared_run(Settings(beta=0.3, seed=2))[0].ppo
    assert f"from 0 to {ppo.reward[-1]:.2f}, {ppo.kl[-1]:.2f} nats" in describe("ppo", query + "done")
    assert f"reward is {ppo.reward[5]:.2f}, KL {ppo.kl[5]:.2f} nats" in describe("ppo", query + "ppo-5")
    assert f"KL {ppo.kl[5]:.2f} nats" in tags(answer(scope("/ppo", query + "ppo-5"))[1])["og:description"]
    assert describe("ppo", query + "ppo-5&x=" + "x" * social_card.LONGEST_QUERY) == about("ppo")


def test_a_link_trains_nothing_and_takes_5_ms(trains_nothing: None) -> None:
    asked = [scope("/ppo", f"at=done&ppo_steps=60&rollouts=256&seed={seed}&beta=0.{seed}") for seed in range(30)]
    answer(asked[0])
    for each in asked:
        assert tags(answer(each)[1])["description"] == about("ppo")
    assert median(quickest(lambda each=each: answer(each), times=1) for each in asked) < 0.005


@pytest.mark.parametrize(
    "query",
    ["at=<b>\"'", "beta=nan&at=ppo-999", "prompt=-3&at=done", "%ff=%00&at=%00", "seed=" + "9" * 5000, "at=done&seed=x"],
)
def test_nonsense_in_a_link_is_harmless(query: str) -> None:
    runs.shared_run(Settings())  # which most of these come down to
    body = answer(scope("/ppo", query))[1]
    assert tags(body)["description"].startswith(about("ppo"))
    assert "<b>" not in body


@pytest.mark.parametrize("broken", ["describe", "about", "head"])
def test_an_error_never_reaches_the_page(broken: str, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    def fail(*arguments: object) -> str:
        raise ValueError("faulty.toml: no prompt")

    monkeypatch.setattr(social_card, broken, fail)
    headers, body, _ = answer(scope("/ppo", "at=done"))
    assert body == INDEX.decode() and int(headers[b"content-length"]) == len(INDEX)
    assert "faulty.toml" in caplog.text


def test_a_description_that_takes_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(social_card, "describe", lambda *arguments: str(release.wait(10)))
    threading.Timer(1, release.set).start()
    start = time.monotonic()
    bodies = answers([scope("/ppo", "at=done")] * 20)  # all of them together wait once
    waited = time.monotonic() - start
    assert [tags(body)["description"] for body in bodies] == [about("ppo")] * 20
    assert waited >= social_card.PATIENCE_SECONDS


def test_what_is_no_page_is_not_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(social_card, "describe", lambda *arguments: pytest.fail("described"))
    for asked, given in (
        (scope("/nowhere/", "at=done"), {"status": 404}),
        (scope("/ppo/", "at=done"), {"status": 301}),
        (scope("/media/", "at=done"), {"kind": "text/plain"}),
    ):
        assert answer(asked, **given)[1] == INDEX.decode()


def test_the_tags_end_the_head_and_the_length_is_right() -> None:
    headers, body, _ = answer(scope("/ppo", "at=done"))
    assert body.index("og:title") < body.index("</head>") and body.startswith("<html><head><title>x</title><link")
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


def test_the_app_may_stand_below_an_address() -> None:
    assert [page_of(path) for path in ("/", "/ppo", "/some/app/", "/some/app/sft", "/favicon.png")] == [
        "overview", "ppo", "overview", "sft", None
    ]  # fmt: skip
    assert root_of(scope("/ppo", host="h:8501")) == "http://h:8501"
    assert root_of(scope("/some/app/", host="h")) == root_of(scope("/some/app/ppo", host="h")) == "http://h/some/app"


@pytest.mark.parametrize(
    ("forwarded", "root"),
    [
        ({"proto": "https", "host": "rlhf.example"}, "https://rlhf.example"),
        ({"proto": "https, http", "host": "rlhf.example:444, inner"}, "https://rlhf.example:444"),
        ({"prefix": "/rlhf"}, "http://h/rlhf"),
        ({"prefix": "/some/app/", "proto": "https"}, "https://h/some/app"),
        ({"host": "[::1]:8501"}, "http://[::1]:8501"),
        ({"proto": "javascript"}, "http://h"),
        ({"proto": "HTTPS"}, "https://h"),
        ({"host": "evil\"><script>"}, "http://h"),
        ({"host": "user@evil"}, "http://h"),
        ({"prefix": "//evil.example"}, "http://h"),
        ({"prefix": "/a?b"}, "http://h"),
    ],
)
def test_a_proxy_may_say_where_the_app_stands_but_not_anything(forwarded: dict[str, str], root: str) -> None:
    given = {f"x_forwarded_{name}": value for name, value in forwarded.items()}
    assert root_of(scope("/ppo", host="h", **given)) == root


def test_every_page_has_one_address_whatever_the_link_says() -> None:
    for path, address in {"/": "/", "/rlhf/": "/rlhf/", "/ppo": "/ppo", "/rlhf/ppo": "/rlhf/ppo"}.items():
        body = answer(scope(path, "beta=0.3&at=done", host="h"))[1]
        assert f'<link rel="canonical" href="http://h{address}">' in body


@pytest.mark.parametrize("path", ["/card.png", "/rlhf/card.png"])
def test_the_picture_is_served_wherever_the_app_stands(path: str) -> None:
    headers, seen = {}, []

    async def send(message) -> None:
        headers.update(dict(message.get("headers", [])))

    async def server(*arguments) -> None:
        seen.append(arguments)

    asyncio.run(SocialCard(server)(scope(path) | {"method": "HEAD"}, None, send))
    assert headers[b"content-type"] == b"image/png" and seen == []


def test_the_picture_is_as_large_as_it_says() -> None:
    data = social_card.PICTURE.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert tuple(int.from_bytes(data[at : at + 4], "big") for at in (16, 20)) == social_card.PICTURE_SIZE
