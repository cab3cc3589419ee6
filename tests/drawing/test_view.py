"""What a view remembers."""

from pages.drawing.view import View, once
from tests.figures.worlds import view


def test_a_result_is_remembered_with_its_view_and_its_arguments() -> None:
    asked = []

    @once
    def look(of: View, text: str = "") -> str:
        asked.append((of, text))
        return text * 2

    mine, other = view(), view(seed=1)
    assert [look(mine), look(mine), look(other), look(mine, "a"), look(mine, "a")] == ["", "", "", "aa", "aa"]
    assert asked == [(mine, ""), (other, ""), (mine, "a")]
    assert look(mine, text="b") == "bb" and len(asked) == 4
    assert len([key for key in mine.memo if key is look.__wrapped__]) == 1  # the last result only


def test_two_functions_do_not_share() -> None:
    assert once(lambda of: 1)(view()) == 1 and once(lambda of: 2)(view()) == 2
