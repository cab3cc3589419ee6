"""No page that a test opens may lose a part: what a reader would see as one sentence fails the test."""

from collections.abc import Iterator

import pytest

from pages.frame.page import log


@pytest.fixture(autouse=True)
def lost_parts(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Parts that pages could not make during the test; empty it where that is what the test is about."""
    lost: list[str] = []
    yield lost
    reported = [record.getMessage() for record in caplog.get_records("call") if record.name == log.name]
    assert reported == lost
