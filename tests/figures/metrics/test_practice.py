"""What to do in one's own project: every link leads to something, and every setting in it exists."""

import re
from urllib.parse import parse_qs

import pytest

from pages.figures.metrics import practice
from pages.frame import navigation
from rlhf_core import Settings

TEXT = f"{practice.RULES}\n{practice.when()}"
LINKS = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith(("http", "#"))]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_a_page_at_settings_that_exist(link: str) -> None:
    page, _, query = link.partition("?")
    assert page in {*navigation.TITLES, "yours"}
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    assert Settings.from_query(given)[1] == ()


def test_every_rule_has_a_source_or_a_demonstration() -> None:
    for rule in filter(str.strip, practice.RULES.split("\n\n")[1:]):
        assert "](" in rule or "*opinion*" in rule or rule.startswith("**What to do"), rule[:60]
    assert practice.when().count("\n") == len(practice.SYMPTOMS) + 1
