"""Charts of rows with words above them: what the player needs to put the words beside where there is little room."""

import numpy as np
import pytest

from pages.frame.standalone import PLAYED, read
from tests.charts_of import printed_with_charts

QUERIES = ["ppo_steps=3", "ppo_steps=2&scenario=safety&beta=0&optimum=true&prompt=2&pin=seed=2"]


@pytest.mark.parametrize("query", QUERIES)
def test_words_above_rows_are_one_for_each_row_and_stand_still(query: str) -> None:
    found = []
    for page in PLAYED:
        for key, chart in printed_with_charts(read(page, query)[0])[1].items():
            if chart.drawing.layout["yaxis"].get("showticklabels", True):
                continue
            found.append(key)
            words = {i for i, trace in enumerate(chart.drawing.data) if trace.get("mode") == "text"}
            assert words and not words & (set(chart.moves) | set(chart.grows)), key
            rows = {y for i, trace in enumerate(chart.drawing.data) if i not in words for y in np.unique(trace["y"])}
            for trace in (chart.drawing.data[i] for i in words):
                assert rows == set(range(len(trace["text"]))), key
                assert np.all(np.ceil(trace["y"]) == np.arange(len(trace["text"]))), key
            low, high = chart.drawing.layout["yaxis"]["range"]
            assert len(rows) - 1 < low <= len(rows) and high < -0.5, f"{key}: first row on top, with room for its name"
    assert len(found) >= 5
