"""The glossary marks each term once, where it may, and says one true sentence of it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.drawing.glossary import TERMS, anchor, term, underlined

LINK = re.compile(r'\[([^\]]*)\]\(#term-([^ ]*) "([^"]*)"\)')
SHIELDED = ["`KL`", "$\\pi$ and $x_{KL}$", "“the policy said”", "## PPO", "> a policy", "[SFT](x)"]
NO_TERMS = ["naturally", "spreading", "\n", " ", ". ", "**", "*", "§"]
PIECES = st.sampled_from(["KL", "nats", *(entry.name for entry in TERMS.values()), *SHIELDED, *NO_TERMS])


@pytest.mark.parametrize("key", TERMS)
def test_a_term_is_found_by_its_name_and_has_one_sentence(key: str) -> None:
    entry = TERMS[key]
    for name in entry.name.split(", "):
        assert re.fullmatch(entry.written, name.removeprefix("ratio ")), name
    assert entry.meaning.endswith(".") and '"' not in entry.meaning and 20 < len(entry.meaning) < 200
    assert not re.search(r"\. [A-Z]", entry.meaning), "one sentence"
    assert anchor(key) in term(key) and f">{entry.name}" in term(key).replace("&#x27;", "'")


def test_terms_stand_in_the_order_of_the_alphabet() -> None:
    assert list(TERMS) == sorted(TERMS)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_marking_changes_no_word_and_marks_no_term_twice(text: str) -> None:
    known: set[str] = set()
    marked = underlined(text, known)
    assert LINK.sub(r"\1", marked) == text
    keys = [key.replace("-", "_") for _, key, _ in LINK.findall(marked)]
    assert len(keys) == len(set(keys)) and set(keys) == known
    assert underlined(marked, known) == marked == LINK.sub(r'[\1](#term-\2 "\3")', marked)


@pytest.mark.parametrize("text", [*SHIELDED, *NO_TERMS])
def test_code_formulas_quotations_links_and_headings_stay_as_they_are(text: str) -> None:
    assert underlined(text, set()) == text


def test_a_meaning_is_escaped_in_html() -> None:
    assert "<b>" not in term("kl", "<b>KL</b>") and "&lt;b&gt;" in term("kl", "<b>KL</b>")
