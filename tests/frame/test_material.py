"""What readers bring, once they have gone."""

import gc
import weakref
from typing import Any

import pytest

from pages.frame import material


def of(session: str) -> "weakref.ref[material.Material[Any]]":
    """Something brought in a session that refers to itself, and that nobody else has."""
    there = material.Material("file", 1, object(), session)
    holder: list[object] = [there]
    holder.append(holder)
    material._brought.add(there)
    return weakref.ref(there)


def test_it_is_let_go_as_soon_as_somebody_else_brings_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "is_here", lambda session: session == "ann")
    gc.disable()
    try:
        gone = of("bob")
        assert gone() is not None
        material._let_go()
        assert gone() is None and not material._brought
    finally:
        gc.enable()


def test_nothing_is_looked_for_while_all_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "is_here", lambda session: True)
    gc.disable()
    try:
        here = of("ann")
        material._let_go()
        assert here() is not None
    finally:
        gc.enable()
        gc.collect()
