"""Dictionaries that a trainer prints on a console: as JSON, or as Python writes them."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rlhf_core.yours import files

MOST_FAILED = 10_000
"""Lines in braces that are no dictionary, before the file counts as no log: each try takes its time."""
MOST_SLOW = 1_000_000
"""Characters that are read as Python, where neither JSON nor other quotes make JSON of them: it takes long."""
WORDS = {"nan": "NaN", "NaN": "NaN", "inf": "Infinity", "Infinity": "Infinity", "None": "null", "True": "true",
         "False": "false"}  # fmt: skip
"""How Python prints what JSON writes otherwise."""
BARE = re.compile(rf"(?<!['\"\w])({'|'.join(WORDS)})(?!['\"\w])")


def _as_json(text: str) -> Any:
    """A dictionary as JSON or as Python prints it, if other quotes make JSON of it; None if not."""
    try:
        return files.loads(text)
    except ValueError:
        pass
    try:
        return None if '"' in text else files.loads(BARE.sub(lambda word: WORDS[word[0]], text.replace("'", '"')))
    except ValueError:
        return None


def _as_python(text: str) -> Any:
    """A dictionary as Python prints it; None if it is none."""
    try:
        return ast.literal_eval(BARE.sub(r"'\1'", text))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def printed(text: str, *, whole_lines: bool = False) -> Iterator[Mapping[str, Any]]:
    """Dictionaries on lines of their own, or wherever a progress bar leaves them on the line.

    Parameters
    ----------
    text : str
    whole_lines : bool
        Whether lines that begin with anything else are left out.

    Raises
    ------
    ValueError
        If a line is too long, or too many in braces are no dictionaries.
    """
    failed = slow = 0
    for number, line in files.lines_of(text):
        start, end = line.find("{"), line.rfind("}")
        if start < 0 or end < start or (start and whole_lines):
            continue
        part = line[start : end + 1]
        found = _as_json(part)
        if found is None and slow + len(part) < MOST_SLOW:
            slow += len(part)
            found = _as_python(part)
        if isinstance(found, dict):
            yield found
            continue
        failed += 1
        if failed > MOST_FAILED:
            raise ValueError(f"line {number} is the {failed:,}th in braces that is no row of a log")
