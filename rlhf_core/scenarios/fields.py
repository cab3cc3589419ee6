"""Fields of a table that was read from TOML: of the right kind and within bounds, or a sentence on what is wrong.

Every function raises ValueError, which names the place (`where`), the field, what is allowed and what was found.
"""

from typing import Any

from rlhf_core.refused import shown


def only(table: dict[str, Any], allowed: set[str], where: str) -> None:
    """Refuse a table with other fields."""
    for key in table:
        if key not in allowed:
            raise ValueError(f"{where}: unknown field {key!r}; allowed are {', '.join(sorted(allowed))}")


def text(table: dict[str, Any], key: str, where: str) -> str:
    """A text that is not empty, its spaces and line breaks as one space each."""
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: {key} must be a text, got {shown(value)}")
    return " ".join(value.split())


def number(table: dict[str, Any], key: str, low: float, high: float, where: str) -> float:
    """A number from `low` to `high`."""
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{where}: {key} must be a number from {low} to {high}, got {shown(value)}")
    return float(value)


def table(outer: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """A table within a table."""
    value = outer.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"{where}: {key} must be a table, got {shown(value)}")
    return value


def rows(table: dict[str, Any], key: str, where: str, optional: bool = False) -> list[Any]:
    """A list; an empty one if it may be left out and is."""
    value = table.get(key, [] if optional else None)
    if not isinstance(value, list):
        raise ValueError(f"{where}: {key} must be a list, got {shown(value)}")
    return value
