"""How a value is quoted that has been refused, in whatever it came: settings, a link, a scenario, a file."""

from typing import Any

MOST_CHARACTERS = 60


def shown(value: Any) -> str:
    """The start of a value as Python writes it; very long integers and very deep tables refuse to be written."""
    try:
        return f"{value!r:.{MOST_CHARACTERS}}"
    except (ValueError, RecursionError):
        return f"a large {type(value).__name__}"
