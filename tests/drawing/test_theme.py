"""The palette: readable in both themes, told apart without colour vision, and the same in CSS and config."""

import tomllib
from dataclasses import fields
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pages.drawing import theme
from pages.drawing.theme import DARK, LIGHT, ROLES

ROOT = Path(__file__).parents[2]
BOTH = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)

# Viénot, Brettel and Mollon (1999), linear RGB: what remains without long- or medium-wavelength cones.
PROTAN = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTAN = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    high, low = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@BOTH
@pytest.mark.parametrize("role", ROLES)
def test_marks_reach_3_and_words_4_5(palette: theme.Palette, role: str) -> None:
    for ground in (palette.ground, palette.raised):
        assert contrast(getattr(palette, role).mark, ground) >= 3
        assert contrast(getattr(palette, role).text, ground) >= 4.5


@BOTH
def test_ink_and_muted_words_are_readable(palette: theme.Palette) -> None:
    for ground in (palette.ground, palette.raised):
        assert contrast(palette.ink, ground) >= 7
        assert contrast(palette.muted, ground) >= 4.5


@BOTH
@pytest.mark.parametrize("lens", [PROTAN, DEUTAN], ids=["protan", "deutan"])
def test_hues_stay_apart_without_a_cone(palette: theme.Palette, lens: np.ndarray) -> None:
    seen = {role: np.clip(lens @ linear(getattr(palette, role).mark), 0, 1) ** (1 / 2.2) for role in ROLES}
    closest = min(float(np.linalg.norm(seen[a] - seen[b])) for a, b in combinations(ROLES, 2))
    assert closest > 0.08


def test_config_bears_the_same_grounds_and_inks() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for palette in (LIGHT, DARK):
        section = config[palette.name]
        assert section["backgroundColor"] == palette.ground
        assert section["secondaryBackgroundColor"] == palette.raised
        assert section["textColor"] == palette.ink
        assert contrast(section["linkColor"], palette.ground) >= 4.5


def test_css_declares_every_colour_for_both_themes() -> None:
    css = theme.css_variables()
    light, dark = css.splitlines()
    for line, palette in ((light, LIGHT), (dark, DARK)):
        for spec in fields(palette):
            value = getattr(palette, spec.name)
            if isinstance(value, theme.Hue):
                assert f"--rlhf-{spec.name.replace('_', '-')}: {value.mark};" in line
                assert f"--rlhf-{spec.name.replace('_', '-')}-text: {value.text};" in line
    assert dark.startswith(':root[data-rlhf-theme="dark"]')
