"""What a shared link looks like elsewhere: title, description and picture in the page's HTML.

Those who show links run no JavaScript, so this is written by the server into the HTML that Streamlit sends,
from the same link, settings and run as the page itself.
"""

import ast
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.frame import lesson, link, navigation, runs, turns
from pages.frame.narration import narrate

PICTURE = Path(__file__).parents[2] / "docs" / "card.png"
PICTURE_SIZE = (1200, 630)
PICTURE_PATH = "/card.png"
PICTURE_ROUTE = Route(PICTURE_PATH, lambda request: FileResponse(PICTURE))
CHANGING = ("etag", "last-modified", "content-length")
"""Headers of Streamlit's file that are not those of the page made from it."""


class SocialCard:
    """ASGI middleware that completes the head of every page's HTML; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        name = page_of(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if name is None:
            return await self.app(scope, receive, send)
        tags = await to_thread.run_sync(head, name, scope["query_string"].decode("latin-1"), root_of(scope))
        await self.app(_unconditional(scope), receive, _Completed(send, tags))


class _Completed:
    """Sends an answer on, with tags before the end of its head if it is HTML."""

    def __init__(self, send: Send, tags: str) -> None:
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
        body = self.body.replace(b"</head>", self.tags.encode() + b"</head>", 1)
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
    """Address of the app as the reader's browser knows it, behind a proxy too."""
    headers = Headers(scope=scope)
    scheme = headers.get("x-forwarded-proto", scope.get("scheme", "http")).split(",")[0].strip()
    host = headers.get("x-forwarded-host", headers.get("host", "localhost")).split(",")[0].strip()
    above = scope["path"].rstrip("/").rpartition("/")
    return f"{scheme}://{host}{above[0] if above[2] in lesson.PAGES else scope['path'].rstrip('/')}"


def head(name: str, query_string: str, root: str) -> str:
    """The tags of a page at a state: description and Open Graph card."""
    width, height = PICTURE_SIZE
    properties = {
        "og:type": "website", "og:site_name": navigation.TITLE, "og:title": navigation.title_of(name),
        "og:description": describe(name, query_string),
        "og:image": f"{root}{PICTURE_PATH}", "og:image:width": width, "og:image:height": height,
        "og:image:alt": "PPO climbing the reward model’s score, beside the best that any policy can do",
    }  # fmt: skip
    tags = [f'<meta name="description" content="{escape(str(properties["og:description"]))}">']
    tags += [f'<meta property="{key}" content="{escape(str(value))}">' for key, value in properties.items()]
    return "".join([*tags, '<meta name="twitter:card" content="summary_large_image">'])


def describe(name: str, query_string: str) -> str:
    """What a page is about, and what its run has come to at the moment that the link names."""
    query = parse_qs(query_string, keep_blank_values=True)
    if "at" not in query:
        return about(name)
    settings, _ = link.settings(query)
    with turns.turn():
        run, timeline = runs.shared_run(settings)
    at, _ = link.playhead(query["at"][-1], timeline)
    prompt, _ = link.whole("prompt", query.get("prompt", ["1"])[-1], 1, len(run.scenario.prompts), 1)
    moment = "" if at == "idle" else f" {narrate(run, timeline.find(at), prompt - 1)}"
    return about(name) + moment


@cache
def about(name: str) -> str:
    """The first line of a page's script, which says what the page is about."""
    script = lesson.FOLDER / f"{name}.py"
    return (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]
