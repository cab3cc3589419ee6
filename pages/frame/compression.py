"""Static files leave compressed, and each is compressed once.

Streamlit serves its scripts as they are and counts on a proxy that compresses them. Not everybody has one, and a first
page of 10 MB is none on a slow line.
"""

import gzip
import re

from anyio import Lock, sleep_forever, to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.frame.memory import SHARED

FOLDER = "/static/"
TEXTS = re.compile(r"(text/|application/(javascript|json|manifest\+json|xml)|image/svg)")
SMALLEST = 1000
"""Bytes; less is one packet anyhow."""
LEVEL = 6  # 9 takes three times as long, and saves 3 kB of the largest file's 1,419
MARK = "-gzip"
"""Set apart the compressed file's tag: what a browser keeps of the one is not the other."""


class Compressed:
    """ASGI middleware that compresses Streamlit's static files for whoever takes gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._one_at_a_time = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or FOLDER not in scope["path"] or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if "range" in headers or not takes_gzip(headers.get("accept-encoding", "")):  # ranges are of the plain file
            return await self.app(scope, receive, _varying(send))
        plain = _plainly(scope)
        start, _ = await self._answer({**plain, "method": "HEAD"})
        if start["status"] == 304:
            return await _send(send, _marked(start), b"")
        if not _worthwhile(start):
            return await self.app(scope, receive, _varying(send))
        body = await self._compressed(plain, Headers(raw=start["headers"]).get("etag", ""))
        start = _marked(start, length=len(body))
        await _send(send, start, body if scope["method"] == "GET" else b"")

    async def _compressed(self, scope: Scope, version: str) -> bytes:
        """The file, compressed now unless it has been."""
        key = (Compressed, scope["path"], version)
        if found := SHARED.find(key):
            return bytes(found[0])
        async with self._one_at_a_time:  # of many readers after a start, one has it compressed for all
            if found := SHARED.find(key):
                return bytes(found[0])
            start, plain = await self._answer({**scope, "method": "GET"})
            if len(plain) != int(Headers(raw=start["headers"])["content-length"]):
                raise RuntimeError(f"{scope['path']} came with {len(plain)} bytes, fewer than it has")
            body = await to_thread.run_sync(lambda: gzip.compress(plain, LEVEL, mtime=0))
            SHARED.keep(key, body)
            return body

    async def _answer(self, scope: Scope) -> tuple[Message, bytes]:
        """What Streamlit answers, all of it: it is for every reader, so it must not end where one of them leaves."""
        start: list[Message] = []
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, _stays, collect)
        return start[0], b"".join(parts)


async def _stays() -> Message:
    """Somebody who asks and never hangs up."""
    await sleep_forever()
    return {"type": "http.disconnect"}


def takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` names gzip, and not to refuse it."""
    for entry in accepted.lower().split(","):
        name, _, parameter = entry.partition(";")
        if name.strip() in ("gzip", "x-gzip"):
            return not re.match(r"q=0(\.0*)?$", "".join(parameter.split()))
    return False


def _worthwhile(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    size = int(headers.get("content-length", 0))
    kind = headers.get("content-type", "")
    return start["status"] == 200 and size >= SMALLEST and bool(TEXTS.match(kind)) and "etag" in headers


def _plainly(scope: Scope) -> Scope:
    """The same request for the file as it is; the tag of a compressed version is that of its file with a mark."""
    headers = [pair for pair in scope["headers"] if pair[0] not in (b"accept-encoding", b"if-none-match")]
    known = Headers(scope=scope).get("if-none-match", "").split(",")
    tags = [tag.strip().replace(f'{MARK}"', '"') for tag in known if tag.strip().endswith(f'{MARK}"')]
    return {**scope, "headers": [*headers, *([(b"if-none-match", ", ".join(tags).encode())] if tags else [])]}


def _marked(start: Message, length: int | None = None) -> Message:
    """The head of the answer with the compressed file, or that it is the one the browser has."""
    start = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(scope=start)
    headers.add_vary_header("Accept-Encoding")
    if headers.get("etag", "").endswith('"'):
        headers["etag"] = f'{headers["etag"][:-1]}{MARK}"'
    if length is not None:
        headers["content-encoding"], headers["content-length"] = "gzip", str(length)
        del headers["accept-ranges"]
    return start


def _varying(send: Send) -> Send:
    """Send an answer on, and say that it depends on what the browser takes."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": list(message["headers"])}
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return sent


async def _send(send: Send, start: Message, body: bytes) -> None:
    await send(start)
    await send({"type": "http.response.body", "body": body})
