"""Colours with one meaning everywhere, and the Plotly template that carries them.

The palette follows Okabe and Ito: told apart with any colour vision, in light and dark. No meaning
rests on colour alone; lines also differ in dash, markers in shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pages.drawing.drawing import Drawing

FONT = "'Source Sans', 'Source Sans Pro', 'Source Sans 3', system-ui, sans-serif"
HEIGHT = 320


@dataclass(frozen=True, slots=True)
class Hue:
    """One meaning's colour: for marks (3:1 on the ground) and for words (4.5:1)."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme."""

    name: str
    policy: Hue
    reference: Hue
    reward: Hue
    kl: Hue
    true_reward: Hue
    labellers: Hue
    optimum: Hue
    ground: str
    raised: str
    ink: str
    muted: str
    ghost: str
    faint: str
    grid: str
    lit: str
    on_primary: str
    shadow: str


LIGHT = Palette(
    name="light",
    policy=Hue("#0072b2", "#00639b"),
    reference=Hue("#7a828c", "#59636e"),
    reward=Hue("#c17d00", "#8a5a00"),
    kl=Hue("#b8430a", "#a33a06"),
    true_reward=Hue("#007a55", "#00704f"),
    labellers=Hue("#6a3df0", "#5a2fe0"),
    optimum=Hue("#8e3b8a", "#853381"),
    ground="#ffffff",
    raised="#f6f7f9",
    ink="#1b2430",
    muted="#59636e",
    ghost="#c9ced6",
    faint="#dce0e6",
    grid="#e6e9ee",
    lit="#e3f0f9",
    on_primary="#ffffff",
    shadow="0 6px 18px -10px rgb(15 23 42 / 22%)",
)
DARK = Palette(
    name="dark",
    policy=Hue("#56b4e9", "#7cc6f0"),
    reference=Hue("#9aa4af", "#aab4bf"),
    reward=Hue("#f0ae2b", "#f3bb4d"),
    kl=Hue("#ff8a4c", "#ff9f6b"),
    true_reward=Hue("#2cc295", "#4dd0a9"),
    labellers=Hue("#8f7bff", "#a99aff"),
    optimum=Hue("#e29ac5", "#eab0d2"),
    ground="#12161d",
    raised="#1a2029",
    ink="#e8ecf1",
    muted="#a3adb9",
    ghost="#454b57",
    faint="#353b47",
    grid="#272c37",
    lit="#17344a",
    on_primary="#0b1a24",
    shadow="0 8px 20px -10px rgb(0 0 0 / 70%)",
)
ROLES = tuple(spec.name for spec in fields(Palette) if spec.type is Hue)


@cache
def template(palette: Palette) -> dict[str, Any]:
    """Plotly template: quiet axes, no box, words in the page's font."""
    axis = {
        "gridcolor": palette.grid,
        "zerolinecolor": palette.ghost,
        "zerolinewidth": 1,
        "linecolor": palette.ghost,
        "ticks": "",
        "title": {"font": {"size": 13, "color": palette.muted}, "standoff": 8},
        "tickfont": {"size": 12, "color": palette.muted},
        "automargin": True,
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 13, "color": palette.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
            "height": HEIGHT,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"bgcolor": palette.raised, "bordercolor": palette.ghost, "font": {"color": palette.ink}},
            "legend": {
                "orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
                "bgcolor": "rgba(0,0,0,0)", "font": {"size": 12.5},
            },
            "hovermode": "closest",
            "dragmode": False,
        }
    }


def figure(
    palette: Palette, *, x: str, y: str, data: Sequence[Mapping[str, Any]] = (), **layout: Any
) -> Drawing:
    """Figure in the house style; `x` and `y` are axis titles with their units; traces are dicts with their `type`."""
    for axis, title in (("xaxis", x), ("yaxis", y)):
        layout[axis] = {"title": {"text": title}, "fixedrange": True, **layout.get(axis, {})}
    return Drawing(list(data), {"template": template(palette), **layout})


def ghost(palette: Palette, dash: str = "solid") -> dict[str, Any]:
    """Line style of the whole run, faint behind what has been played."""
    return {"color": palette.faint, "width": 2, "dash": dash}


def line(hue: Hue, dash: str = "solid") -> dict[str, Any]:
    """Line style of a curve that is played."""
    return {"color": hue.mark, "width": 2.5, "dash": dash}


def css_variables() -> str:
    """The palettes as CSS custom properties: light by default, dark where the stage has found a dark page."""
    blocks = []
    for selector, palette in ((":root", LIGHT), (':root[data-rlhf-theme="dark"]', DARK)):
        colours: dict[str, str] = {}
        for spec in fields(Palette):
            value, name = getattr(palette, spec.name), spec.name.replace("_", "-")
            if isinstance(value, Hue):
                colours |= {name: value.mark, f"{name}-text": value.text}
            elif spec.name != "name":
                colours[name] = value
        blocks.append(f"{selector} {{ {' '.join(f'--rlhf-{name}: {value};' for name, value in colours.items())} }}")
    return "\n".join(blocks)
