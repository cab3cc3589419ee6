"""A tab without a browser: a client of Streamlit's websocket protocol."""

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import urlopen

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

PATIENCE = 60  # seconds


@dataclass
class Reader:
    """One tab: its websocket, what the server has told it, and how long it has waited."""

    socket: ClientConnection
    cookies: str
    page: str = ""
    script: str = ""
    widgets: dict[str, str] = field(default_factory=dict)
    """Ids by the keys that the app gave."""
    looks: str = ""
    """Part of the page that is to be drawn again every now and then, as work beside the page goes on."""
    interval: float = 0.0
    """Seconds between two such looks."""
    session: str = ""
    cached: set[str] = field(default_factory=set)
    """Hashes of messages that a browser would keep, so that the server need not send them again."""
    n_bytes: int = 0
    errors: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Milliseconds of each rerun."""

    async def visit(self, page: str, query: str = "") -> None:
        """Open a page, as by its link in the navigation."""
        self.page, self.script = page.strip("/"), ""
        message = BackMsg()
        message.rerun_script.query_string = query
        await self._rerun(message)

    async def change(self, beta: float) -> None:
        """Move the slider of β, and wait until the page is drawn."""
        message = BackMsg()
        message.rerun_script.query_string = f"beta={beta:g}"
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.widgets["beta"]
        widget.double_array_value.data.append(beta)
        self.waits.append(await self._rerun(message))

    async def press(self, key: str, query: str) -> None:
        """Press a button, and wait until the page is drawn."""
        assert key in self.widgets, f"no {key} on {self.page!r}, which has {sorted(self.widgets)}; {self.errors}"
        message = BackMsg()
        message.rerun_script.query_string = query
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.trigger_value = self.widgets[key], True
        await self._rerun(message)

    async def give(self, key: str, name: str, size: int, place: FileURLs, query: str) -> None:
        """Tell an uploader of a file that has been sent, and wait until the page is drawn."""
        message = BackMsg()
        message.rerun_script.query_string = query
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.widgets[key]
        file = widget.file_uploader_state_value.uploaded_file_info.add(name=name, size=size, file_id=place.file_id)
        file.file_urls.CopyFrom(place)
        await self._rerun(message)

    async def look(self) -> None:
        """Draw the part again that work beside the page fills, as a browser does by itself."""
        message = BackMsg()
        message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = self.looks, True
        await self._rerun(message)

    async def _rerun(self, message: BackMsg) -> float:
        ask = message.rerun_script
        self.looks = ask.fragment_id
        ask.page_name, ask.page_script_hash = ("", self.script) if self.script else (self.page, "")
        ask.cached_message_hashes.extend(self.cached)
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while not self._ends(await asyncio.wait_for(self.socket.recv(), PATIENCE)):
            pass
        return 1000 * (time.perf_counter() - start)

    def _ends(self, data: str | bytes) -> bool:
        """Take in a message; whether it is the last of a rerun."""
        assert isinstance(data, bytes)
        self.n_bytes += len(data)
        answer = ForwardMsg.FromString(data)
        if answer.metadata.cacheable:
            self.cached.add(answer.hash)
        match answer.WhichOneof("type"):
            case "new_session":
                self.session = answer.new_session.initialize.session_id
            case "auto_rerun":
                self.looks, self.interval = answer.auto_rerun.fragment_id, answer.auto_rerun.interval
            case "navigation":  # new_session names the entry script, if a reader comes by a link
                self.script = answer.navigation.page_script_hash
            case "delta":
                self._look_at(answer)
            case "page_not_found":
                self.errors.append(f"no page {self.page!r}")
            case "script_finished":
                # A page that was run alone starts over through app.py; that is not the end. Nor is a part of a page
                # the end that has the whole drawn again.
                again = bool(answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN)
                self.looks = "" if again else self.looks
                return not again
        return False

    def _look_at(self, answer: ForwardMsg) -> None:
        element = answer.delta.new_element
        part = getattr(element, element.WhichOneof("type") or "text")
        if len(names := str(getattr(part, "id", "")).split("-", 2)) == 3:  # $$ID-<hash>-<key>
            self.widgets[names[2]] = part.id
        if element.WhichOneof("type") == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")


def cookies_of(url: str) -> str:
    """What a new browser gets with the page itself: nothing from the app, its replica from a balancer."""
    with urlopen(url, timeout=PATIENCE) as answer:
        return "; ".join(line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))


async def connect(url: str, cookies: str = "") -> Reader:
    """A new tab; in a new browser, unless cookies say which."""
    cookies = cookies or cookies_of(url)
    socket = await websockets.connect(
        f"ws://{urlsplit(url).netloc}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        origin=websockets.Origin(url),
        additional_headers={"Cookie": cookies} if cookies else {},
        max_size=None,
    )
    return Reader(socket, cookies)
