"""What the stage sends to the places of a page, taken apart again: an independent reading of the wire."""

import json
import re
from collections.abc import Iterator

from streamlit.testing.v1 import AppTest

PLACE = re.compile(r'<div class="rlhf-part" data-part="([\w-]+)"(?: style="--rlhf-height: \d+px")?></div>')


def places(app: AppTest) -> list[str]:
    """Names of the places that a page has left for its parts, in their order."""
    return [name for element in app.get("html") for name in PLACE.findall(element.proto.body)]


def parts(message: bytes) -> dict[str, bytes]:
    """Messages by the names of their places, if one brings those of a whole page."""
    line, _, rest = message.partition(b"\n")
    if b'"role":"parts"' not in line:
        return {}
    head = json.loads(line.partition(b" ")[2])
    found, start = {}, 0
    for name, length in head["parts"]:
        found[name], start = rest[start : start + length], start + length
    assert start == len(rest)
    return found


def each(message: bytes) -> Iterator[bytes]:
    """A message, or those that it brings."""
    return iter(parts(message).values() or [message])
