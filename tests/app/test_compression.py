"""Streamlit's static files leave compressed, are compressed once, and caches are told the truth about them."""

import asyncio
import gzip
import socket
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from starlette.datastructures import Headers
from streamlit import file_util
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from pages.frame import compression, memory
from pages.frame.compression import Compressed, takes_gzip
from pages.frame.memory import Memory
from tests.serving import running_app

STATIC = Path(file_util.get_static_dir())
SCRIPT = "/static/js/" + next(path.name for path in (STATIC / "static" / "js").glob("index.*.js"))
FONT = "/" + next(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.woff2"))
PLAIN = (STATIC / SCRIPT[1:]).read_bytes()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Memory(20_000_000)
    monkeypatch.setattr(memory, "SHARED", ours)
    monkeypatch.setattr(compression, "SHARED", ours)


def answers(*asked: dict[str, Any]) -> list[tuple[int, Headers, bytes]]:
    """What a browser gets for requests that come at the same time."""
    app = Compressed(create_streamlit_static_handler(str(STATIC), None))

    async def one(scope: dict[str, Any]) -> tuple[int, Headers, bytes]:
        sent = []

        async def send(message) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        await app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], Headers(raw=sent[0]["headers"]), body

    async def all_of_them() -> list[tuple[int, Headers, bytes]]:
        return await asyncio.gather(*map(one, asked))

    return asyncio.run(all_of_them())


def scope(path: str = SCRIPT, method: str = "GET", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http", "method": method, "path": path, "query_string": b"", "root_path": "",
        "headers": [(b"host", b"h"), *pairs],
    }  # fmt: skip


def got(path: str = SCRIPT, method: str = "GET", **headers: str) -> tuple[int, Headers, bytes]:
    return answers(scope(path, method, **headers))[0]


def test_a_script_leaves_compressed_and_is_the_same() -> None:
    status, headers, body = got(accept_encoding="gzip, deflate, br, zstd")
    assert status == 200 and gzip.decompress(body) == PLAIN and len(body) < 0.5 * len(PLAIN)
    assert headers["content-encoding"] == "gzip" and int(headers["content-length"]) == len(body)
    assert headers["vary"] == "Accept-Encoding" and "immutable" in headers["cache-control"]
    assert headers["content-type"].startswith("text/javascript") and "accept-ranges" not in headers


def test_who_takes_no_gzip_gets_the_file_and_caches_are_told() -> None:
    for accepted in ({}, {"accept_encoding": "br"}, {"accept_encoding": "gzip;q=0, br"}):
        status, headers, body = got(**accepted)
        assert status == 200 and body == PLAIN and "content-encoding" not in headers
        assert headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.000", False), ("gzip;q=0.1", True),
     ("", False), ("identity", False), ("x-gzip", True), ("notgzip", False)],
)  # fmt: skip
def test_an_accept_encoding_is_read(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) == takes


def test_a_file_is_compressed_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    compress, times = gzip.compress, []
    monkeypatch.setattr(compression.gzip, "compress", lambda *given, **how: times.append(1) or compress(*given, **how))
    bodies = {body for _, _, body in answers(*[scope(accept_encoding="gzip")] * 20)}
    assert len(bodies) == 1 and len(times) == 1


def test_the_two_versions_are_told_apart_and_each_need_not_be_sent_again() -> None:
    plain, zipped = got()[1]["etag"], got(accept_encoding="gzip")[1]["etag"]
    assert plain != zipped and zipped.startswith(plain[:-1])
    status, headers, body = got(accept_encoding="gzip", if_none_match=f'"other", {zipped}')
    assert (status, headers["etag"], headers["vary"], body) == (304, zipped, "Accept-Encoding", b"")
    assert got(if_none_match=plain)[0] == 304
    assert got(accept_encoding="gzip", if_none_match=plain)[0] == 200
    assert got(if_none_match=zipped)[0] == 200


def test_a_range_is_of_the_plain_file() -> None:
    status, headers, body = got(accept_encoding="gzip", range="bytes=10-19")
    assert status == 206 and body == PLAIN[10:20] and "content-encoding" not in headers
    zipped = got(accept_encoding="gzip")[1]["etag"]
    assert got(accept_encoding="gzip", range="bytes=10-19", if_range=zipped)[0] == 200  # not a mixture of the two


def test_the_head_of_an_answer_is_that_of_the_answer() -> None:
    (_, whole, body), (status, head, nothing) = got(accept_encoding="gzip"), got(method="HEAD", accept_encoding="gzip")
    assert (status, nothing, dict(head)) == (200, b"", dict(whole)) and body


@pytest.mark.parametrize("path", [FONT, "/favicon.png", "/"])
def test_what_is_compressed_already_or_no_static_file_passes_through(path: str) -> None:
    file = STATIC / (path[1:] or "index.html")
    status, headers, body = got(path, accept_encoding="gzip")
    assert (status, body) == (200, file.read_bytes()) and "content-encoding" not in headers


def test_a_file_that_is_not_there_is_answered_as_streamlit_does() -> None:
    body = got("/static/js/nowhere.js", accept_encoding="gzip")[2]
    assert gzip.decompress(body) == (STATIC / "index.html").read_bytes()
    assert got("/static/..%2f..%2fetc/passwd", accept_encoding="gzip")[0] == got("/static/..%2f..%2fetc/passwd")[0]


def test_what_is_kept_is_weighed() -> None:
    body = got(accept_encoding="gzip")[2]
    assert len(body) <= compression.SHARED.weight < len(body) + 1000


def test_who_leaves_in_the_middle_spoils_no_file_for_the_others(tmp_path: Path) -> None:
    scripts = sorted((STATIC / "static" / "js").glob("*.js"), key=lambda script: -script.stat().st_size)[:20]
    with running_app(tmp_path / "log") as app:
        for script in scripts:
            with socket.create_connection(("127.0.0.1", app.port)) as hasty:
                head = f"GET /static/js/{script.name} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n"
                hasty.sendall(head.encode())
                time.sleep(0.001)
        for script in scripts:
            asked = Request(f"{app.url}/static/js/{script.name}", headers={"Accept-Encoding": "gzip"})
            with urlopen(asked) as answer:
                assert gzip.decompress(answer.read()) == script.read_bytes(), script.name
        assert app.failures() == []
