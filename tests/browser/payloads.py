"""What the server sent to the player, decoded here once more: an independent reading of the wire."""

import json
import zlib
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.reader import Message
from tests.delivered import each

Body = dict[str, Any]


def roles(messages: list[Message]) -> list[tuple[str, Body]]:
    """Role (`transport`, `chart`, `live`) and body of every payload sent, in order."""
    found = []
    for message in messages:
        if message.sent or message.kind != "delta":
            continue
        element = ForwardMsg.FromString(message.payload).delta.new_element
        if element.WhichOneof("type") != "bidi_component" or not element.bidi_component.bytes:
            continue
        for sent in each(element.bidi_component.bytes):
            head, _, body = sent.partition(b"\n")
            role = json.loads(head.partition(b" ")[2])["role"]
            if role != "control":
                found.append((role, json.loads(zlib.decompress(body))))
    return found


def expected(chart: Body, index: int) -> dict[tuple[int, str], Any]:
    """Trace and attribute -> the value that a chart must show at the frame of that index."""
    values = {}
    for track in chart["tracks"]:
        at = track["at"][index]
        if "values" in track:
            values[track["trace"], track["path"]] = track["values"][at]
        else:
            values[track["trace"], track["path"]] = _get(chart["data"][track["trace"]], track["path"])[:at]
    return values


def shown(traces: list[Body], wanted: dict[tuple[int, str], Any]) -> dict[tuple[int, str], Any]:
    """The same attributes of the traces that are on the screen."""
    return {(trace, path): _get(traces[trace], path) for trace, path in wanted}


def _get(node: Body, path: str) -> Any:
    for name in path.split("."):
        node = node[name]
    return node
