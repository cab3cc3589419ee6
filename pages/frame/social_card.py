"""What a shared link looks like elsewhere: title, description and picture in the page's HTML.

Those who show links run no JavaScript, so this is written by the server into the HTML that Streamlit sends. Anybody
can ask for any number of links: nothing is trained for one. A moment is described if some reader has had its run.
"""

import ast
import logging
import re
from collections.abc import Awaitable, Callable
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.frame import lesson, link, navigation, runs
from pages.frame.narration import narrate

PICTURE = Path(__file__).parents[2] / "docs" / "card.png"
PICTURE_SIZE = (1200, 630)
PICTURE_PATH = "/card.png"
CHANGING = ("etag", "last-modified", "content-length")
"""Headers of Streamlit's file that are not those of the page made from it."""
PATIENCE_SECONDS = 0.2
"""For a description; then the page goes out with what it is about in general."""
LONGEST_QUERY = 4096
"""Characters; no link of ours is half as long."""
HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?", re.ASCII)
PREFIX = re.compile(r"(/[\w.~-]+)+", re.ASCII)
LOGGER = logging.getLogger(__name__)


class SocialCard:
    """ASGI middleware that completes the head of every page's HTML; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._one_at_a_time = CapacityLimiter(1)  # of its own, so that files need not wait for descriptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        if scope["path"].endswith(PICTURE_PATH):  # wherever the app is mounted
            return await FileResponse(PICTURE)(scope, receive, send)
        name = page_of(scope["path"]) if scope["method"] == "GET" else None
        if name is None:
            return await self.app(scope, receive, send)
        await self.app(_unconditional(scope), receive, _Completed(send, lambda: self._tags(name, scope)))

    async def _tags(self, name: str, scope: Scope) -> str:
        """The page's tags; none rather than an error."""
        try:
            description, query = about(name), scope["query_string"].decode("latin-1")
            with move_on_after(PATIENCE_SECONDS):
                description = await to_thread.run_sync(
                    describe, name, query, limiter=self._one_at_a_time, abandon_on_cancel=True
                )
            return head(name, description, root_of(scope))
        except Exception:
            LOGGER.exception("The page goes out without the tags of its card.")
            return ""


class _Completed:
    """Sends an answer on, with tags before the end of its head if it is HTML."""

    def __init__(self, send: Send, tags: Callable[[], Awaitable[str]]) -> None:
        self.send, self.tags = send, tags
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self.start = message
        elif self.start is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        body = self.body.replace(b"</head>", (await self.tags()).encode() + b"</head>", 1)
        headers = MutableHeaders(scope=start)
        for name in CHANGING:
            del headers[name]
        headers["content-length"] = str(len(body))
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


def _is_html(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    return message["status"] == 200 and headers.get("content-type", "").startswith("text/html")


def _unconditional(scope: Scope) -> Scope:
    """The same request, to be answered in full and not compressed."""
    dropped = (b"if-none-match", b"if-modified-since", b"accept-encoding", b"range")
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}


def page_of(path: str) -> str | None:
    """Name of the page at a path, wherever the app is mounted; None for files and Streamlit's own addresses."""
    last = path.rstrip("/").rpartition("/")[2]
    return last if last in lesson.PAGES else "overview" if path.endswith("/") else None


def root_of(scope: Scope) -> str:
    """Address of the app as the reader's browser knows it, behind a proxy and below a path too."""
    headers = Headers(scope=scope)

    def forwarded(name: str) -> str:
        return headers.get(f"x-forwarded-{name}", "").split(",")[0].strip()

    said = forwarded("proto").lower()
    scheme = said if said in ("http", "https") else scope.get("scheme", "http")
    hosts = (forwarded("host"), headers.get("host", ""))
    host = next((host for host in hosts if HOST.fullmatch(host)), "localhost")
    stripped = forwarded("prefix").rstrip("/")  # by a proxy that hides the path below which it serves the app
    above, _, last = scope["path"].rstrip("/").rpartition("/")
    path = above if last in lesson.PAGES else scope["path"].rstrip("/")
    return f"{scheme}://{host}{stripped if PREFIX.fullmatch(stripped) else ''}{path}"


def head(name: str, description: str, root: str) -> str:
    """The tags of a page: description, address and Open Graph card."""
    width, height = PICTURE_SIZE
    properties = {
        "og:type": "website", "og:site_name": navigation.TITLE, "og:title": navigation.title_of(name),
        "og:description": description,
        "og:image": f"{root}{PICTURE_PATH}", "og:image:width": width, "og:image:height": height,
        "og:image:alt": "PPO climbing the reward model’s score, beside the best that any policy can do",
    }  # fmt: skip
    address = f"{root}{navigation.path_of(name)}"
    tags = [f'<link rel="canonical" href="{escape(address)}">']
    tags += [f'<meta name="description" content="{escape(description)}">']
    tags += [f'<meta property="{key}" content="{escape(str(value))}">' for key, value in properties.items()]
    return "".join([*tags, '<meta name="twitter:card" content="summary_large_image">'])


def describe(name: str, query_string: str) -> str:
    """What a page is about, and what its run has come to at the moment that the link names, if it has been trained."""
    query = parse_qs(query_string, keep_blank_values=True) if len(query_string) <= LONGEST_QUERY else {}
    known = runs.shared_run.known(link.settings(query)[0]) if "at" in query else None
    if known is None:
        return about(name)
    run, timeline = known
    at, _ = link.playhead(query["at"][-1], timeline)
    usual, n_prompts = run.scenario.telling + 1, len(run.scenario.prompts)
    prompt, _ = link.whole("prompt", query.get("prompt", [str(usual)])[-1], 1, n_prompts, usual)
    moment = "" if at == "idle" else f" {narrate(run, timeline.find(at), prompt - 1)}"
    return about(name) + moment


@cache
def about(name: str) -> str:
    """The first line of a page's script, which says what the page is about."""
    script = lesson.FOLDER / f"{name}.py"
    return (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]
