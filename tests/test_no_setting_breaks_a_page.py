"""No setting breaks a page: whatever a reader sets, every figure and passage can be drawn, played and read."""

import json
import re
import zlib
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.frame.runs import storyboard
from pages.stage.storyboard import Payload, encode_chart, encode_live
from tests.everything import Drawn, everything
from tests.settings_at_random import look

LOOKS = range(80)
TAG = re.compile(r"<[^>]*>")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL)
NONSENSE = re.compile(r"\bnan\b|\binf\b|\bNone\b|\{[a-z_]|(?<![\d.])[-−]0(?:\.0+)?(?![\d.])")


@pytest.mark.parametrize("number", LOOKS)
def test_whatever_is_set_every_figure_and_passage_can_be_played(number: int) -> None:
    one = look(number)
    view = one.view
    for name, made in everything(view):
        check_played(made, len(view.timeline.frames), f"{name} at {one}")
    for sentence in sent(storyboard(one.settings, one.prompt))["narration"]:
        assert not NONSENSE.search(sentence), f"{sentence} at {one}"


def check_played(made: Drawn, n_frames: int, where: str) -> None:
    """Rows for every frame, JSON as strict as the browser's, and no nonsense in the words."""
    if isinstance(made, str | go.Figure):
        words = [FORMULA.sub("", made)] if isinstance(made, str) else []
    else:
        assert len(made.rows) == n_frames, where
        body = sent(encode_chart(made) if isinstance(made, Chart) else encode_live(made))
        tracks = [track for track in body["tracks"] if "values" in track]
        assert all(0 <= at < len(track["values"]) for track in tracks for at in track["at"]), where
        if isinstance(made, Chart):
            assert _words_off_axes(body) == [], where
            words = [made.question, made.title, made.guide, made.reading, made.alt]
        else:
            words = _shown(made)
    for text in words:
        assert not NONSENSE.search(text), f"{where}: {text}"


def sent(payload: Payload) -> dict[str, Any]:
    """What the browser gets, read as strictly as the browser reads it."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    body: dict[str, Any] = json.loads(zlib.decompress(payload.body), parse_constant=refuse)
    return body


def _words_off_axes(body: dict[str, Any]) -> list[str]:
    """Words of a figure that Plotly would leave out, as they stand beyond the end of an axis."""
    found = []
    for trace in body["data"]:
        if "text" not in trace.get("mode", "") or isinstance(trace.get("text"), str):
            continue
        for letter in "xy":
            axis = body["layout"].get(f"{letter}axis{trace.get(f'{letter}axis', letter)[1:]}", {})
            if "range" in axis and axis.get("type") != "log":
                low, high = sorted(axis["range"])
                places = zip(trace["text"], trace[letter], strict=False)
                found += [f"{word}: {letter} = {at}" for word, at in places if word and not low <= (at or low) <= high]
    return found


def _shown(live: Live) -> list[str]:
    used = np.unique(live.rows)
    return [TAG.sub(" ", live.template), *{values[row] for values in live.values.values() for row in used}]
