"""Every pattern takes time in proportion to its text: nobody can stop a page by typing the same sign often."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import pytest

from rlhf_core.features import FEATURES
from tests.timing import quickest

ROOT = Path(__file__).parents[1]
LENGTHS = (100, 1_000, 10_000)
LINEAR = 40  # times as long for ten times the text; a quadratic pattern takes 100 times as long
AT_ONCE = 0.005  # seconds: whatever its growth, no reader notices
HOSTILE = (
    *"ax1 .!?'`\"<>[](){}%&:;,-_/\\|*~#$=\n\t\0é’",
    "!.", "a'", "1.", "1,1", "a ", "a1", "<a", "<a>", "<extra>", "<extra>a</", "%{", "%{a", "%{a:", "%{a:.1f", "[a",
    "[a](", "[a](https://", "](", "`a", "data-slot=", 'data-slot="a', "\\policy{", "_by_kl", "can't ", "i am not ",
    "not able ", "no doubt ", "more or ", "without a ", "keep in ",
)  # fmt: skip
ENDS = ("", "x", "\0")


def patterns() -> Iterator[tuple[str, str]]:
    """Name and source of every pattern that stands in the code as a text."""
    for folder in ("rlhf_core", "pages"):
        for script in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
                    if isinstance(node.args[0], ast.Constant):
                        yield f"{script.relative_to(ROOT)}:{node.lineno}", str(node.args[0].value)


PATTERNS = tuple(patterns())


def slow(action: Callable[[str], object], parts: Sequence[str] = HOSTILE) -> list[str]:
    """The first hostile text whose time grows faster than it does, if there is one."""
    for part, end in product(parts, ENDS):
        texts = [part * (n // len(part)) + end for n in LENGTHS]
        for short, long in pairwise(texts):
            if quickest(partial(action, long), times=1) > AT_ONCE:
                taken = quickest(partial(action, long))
                if taken > AT_ONCE and taken > LINEAR * quickest(partial(action, short)):
                    return [f"{part!r} … {end!r}, {len(long):,} characters: {1000 * taken:.0f} ms"]
    return []


@pytest.mark.parametrize("source", [source for _, source in PATTERNS], ids=[name for name, _ in PATTERNS])
def test_a_pattern_is_linear_in_its_text(source: str) -> None:
    assert slow(lambda text: sum(1 for _ in re.finditer(source, text, re.DOTALL))) == []


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_is_linear_in_the_response(feature) -> None:
    assert slow(lambda text: feature.measure("How do I cook rice?", text)) == []


def test_a_quadratic_pattern_is_found() -> None:
    assert slow(lambda text: re.findall(r"<[^>]*>", text), "<") != []
    assert slow(lambda text: re.findall(r"<[^<>]*>", text), "<") == []
    assert slow(lambda text: re.findall(r"\n+\s*x", text), "\n") != []  # cubic: found before it takes a minute


def test_the_patterns_are_found() -> None:
    assert len(PATTERNS) >= 10 and any("features" in name for name, _ in PATTERNS)
