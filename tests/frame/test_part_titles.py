"""Lists of a page's parts name them by their titles."""

import pytest

from pages.frame import lesson
from pages.frame.part_titles import PASSAGES, title_of


@pytest.mark.parametrize("page", [page for page in lesson.PAGES if lesson.parts_of(page)])
def test_every_part_has_a_title_of_its_own_in_words(page: str) -> None:
    titles = [title_of(part, page) for part in lesson.offered(page)]
    assert len(set(titles)) == len(titles)
    for part, title in zip(lesson.offered(page), titles, strict=True):
        assert title and "_" not in title and title != part, part


def test_no_title_is_left_of_a_part_that_is_gone() -> None:
    assert set(PASSAGES) <= {lesson.STAGE, *lesson.all_parts()}
