"""What `make test` runs of the browsers' tests is named by how names begin: a name that none begins with is a gap."""

import pytest

from tests.browser.conftest import HERE, PROVEN


@pytest.mark.parametrize("name", PROVEN)
def test_there_is_such_a_test(name: str) -> None:
    file, _, test = name.partition("::")
    assert f"def {test.partition('[')[0]}" in (HERE / file).read_text(encoding="utf-8")
