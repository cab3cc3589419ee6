"""What goes with a chart that is taken away: the run's settings in words, the code that draws it, how to cite."""

from collections.abc import Callable
from importlib import import_module
from inspect import getclosurevars, signature
from typing import Any

from pages.frame import foot
from pages.frame.memory import brought_in
from rlhf_core import Settings
from rlhf_core.settings import CONTROLS

REDRAW = """{brings}from pages.drawing.theme import LIGHT
from pages.drawing.view import View
from {module} import {name}
from rlhf_core import Settings, run_pipeline
from rlhf_core.timeline import build

run = run_pipeline(%(settings)s)
view = View(run, build(run), prompt=%(prompt)d, palette=LIGHT{pinned})
figure = {call}(view).at(view.timeline.names.index("{at}"))
figure.show()
"""
"""The player fills in which chart and which moment: see takeaway.js."""
BRING = "from rlhf_core.yours import load_brought"
SHOW = """
from pages.drawing.theme import LIGHT
from {module} import {name}

figure = {made}.figure
figure.show()
"""


def about(settings: Settings, prompt: str, number: int) -> dict[str, str]:
    """What the charts' menus say of a run, and of the prompt that is looked at, by its text and its index."""
    return {
        "settings": in_words(settings, prompt),
        "source": source(),
        "python": runnable(REDRAW % {"settings": call_of_settings(settings), "prompt": number}),
        "cite": foot.bibtex(foot.this()),
    }


def source() -> str:
    """Title, version and licence of this work."""
    work = foot.this()
    return f"{work.title} {work.version}, {work.licence} licence"


def still(settings: str, python: str, *, linked: bool = True) -> dict[str, Any]:
    """What the menu says of a chart that is not on the clock.

    Parameters
    ----------
    settings : str
        What it is a chart of, in words.
    python : str
        Lines that draw it.
    linked : bool
        Whether the page's address leads back to it.
    """
    return {"settings": settings, "python": runnable(python), "linked": linked}


def draws(draw: Callable[..., Any], pinned: Settings | None = None) -> dict[str, str]:
    """What the player needs for the code of a chart on the clock."""
    module, call = draw.__module__, call_of(draw)
    then = {"pinned": f", pinned=run_pipeline({call_of_settings(pinned)})"} if pinned else {}
    if brought_in(pinned):
        then["brings"] = f"{BRING}\n"
    return {"module": module, "call": call, **then}


def call_of(draw: Callable[..., Any]) -> str:
    """Expression that gives a draw function in its module: its name, or the call of what has made it."""
    name = draw.__name__
    made_by = getattr(import_module(draw.__module__), name)
    if made_by is draw:
        return name
    values = getclosurevars(draw).nonlocals
    return f"{name}({', '.join(repr(values[parameter]) for parameter in signature(made_by).parameters)})"


def shown(module: str, name: str, made: str) -> str:
    """Last lines of the code of a chart that is not on the clock, after those that make what it shows."""
    return SHOW.format(module=module, name=name, made=made)


def in_words(settings: Settings, prompt: str = "") -> str:
    """The settings that differ from the defaults, and the prompt if one is looked at."""
    given, own = settings.to_query(), brought_in(settings)
    if own is not None:
        given["scenario"] = f"“{own.scenario.title}”, a reader’s own"
    changed = [f"{CONTROLS[name].label} {value} {CONTROLS[name].unit}".rstrip() for name, value in given.items()]
    words = f"{', '.join(changed)}; else the defaults" if changed else "the defaults"
    return f"{words} · prompt “{prompt}”" if prompt else words


def call_of_settings(settings: Settings) -> str:
    """Settings as Python."""
    changed = {name: getattr(settings, name) for name in settings.to_query()}
    return f"Settings({', '.join(f'{name}={value!r}' for name, value in changed.items())})"


def run_of(settings: Settings) -> str:
    """First lines of Python that needs a run."""
    return f"from rlhf_core import Settings, run_pipeline\n\nrun = run_pipeline({call_of_settings(settings)})\n"


def runnable(code: str) -> str:
    """Python with what a scenario of the reader's own needs, if it names one."""
    return f"{BRING}\n{code}" if "load_brought(" in code else code


def python(settings: Settings) -> str:
    """Lines of Python that reproduce the run and print the metrics at its end."""
    lines = f"""{run_of(settings)}print(f"avg reward     {{run.ppo.reward[-1]:.2f}}")
print(f"KL divergence  {{run.ppo.kl[-1]:.2f}} nats")
print(f"RM accuracy    {{run.reward.heldout_accuracy[-1]:.0%}}")
print(f"policy entropy {{run.ppo.entropy[-1]:.2f}} nats")
"""
    return runnable(lines)
