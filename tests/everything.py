"""Everything that the pages draw or say of a view, found in `pages.figures` itself, so that nothing is forgotten."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from itertools import product
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import plotly.graph_objects as go

import pages.figures
from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.figures.ppo.words import RULES
from pages.figures.reward_model.pairs import pair_names
from pages.figures.reward_model.typed import BUZZWORDS
from pages.figures.sft.words import example_names
from rlhf_core import PipelineRun
from rlhf_core.yours.labelling import LEFT, RIGHT, SAME, Labelled, learn

Drawn = Chart | Live | str | go.Figure


def _ends(names: Sequence[Any]) -> Sequence[int]:
    return sorted({0, len(names) - 1})


ARGUMENTS: dict[str, Callable[[View], Sequence[Any]]] = {
    "view": lambda view: [view],
    "run": lambda view: [view.run],
    "rule": lambda view: list(RULES),
    "rank": lambda view: _ends(pair_names(view)),
    "number": lambda view: _ends(example_names(view)),
    "response": lambda view: _ends(view.responses),
    "text": lambda view: ["", BUZZWORDS],
    "found": lambda view: [learn(view.run, (LEFT,) if view.prompt % 2 else (LEFT, RIGHT, SAME, LEFT))],
}
"""What the parameters of figures and passages may be: a reader's choices on the page, by the parameter's name."""


def everything(view: View) -> Iterator[tuple[str, Drawn]]:
    """Every chart, passage and sentence of all pages, each with its name."""
    for name, function in functions():
        if view.pinned is None and name.endswith("pinned_and_current"):
            continue
        for made in _calls(function, view):
            yield name, made


@lru_cache
def functions() -> tuple[tuple[str, Callable[..., Any]], ...]:
    """Public functions and classes of `pages.figures` that draw or write."""
    infos = pkgutil.walk_packages(pages.figures.__path__, "pages.figures.")
    modules = [import_module(info.name) for info in infos]
    return tuple(
        (f"{module.__name__.removeprefix('pages.figures.')}.{name}", function)
        for module in modules
        for name, function in _own(module)
        if _kind(function)
    )


def _own(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, function in vars(module).items():
        if not name.startswith("_") and callable(function) and getattr(function, "__module__", "") == module.__name__:
            yield name, function


def _kind(function: Callable[..., Any]) -> str:
    """How a function makes something to see: at once, by a function that it returns, by properties, or not at all."""
    hints = get_type_hints(function.__init__ if inspect.isclass(function) else function)
    result, first = hints.pop("return", None), next(iter(hints.values()), None)
    if inspect.isclass(function):
        return "properties" if first is View else ""
    if get_origin(result) is not None and get_args(result)[-1] in (Chart, Live):
        return "later"
    return "at once" if first in (View, PipelineRun, Labelled) and result in (Chart, Live, str, go.Figure) else ""


def _calls(function: Callable[..., Any], view: View) -> Iterator[Drawn]:
    """What a function makes of a view with every choice that a reader has."""
    choices = [ARGUMENTS[name](view) for name in inspect.signature(function).parameters]
    for arguments in product(*choices):
        made = function(*arguments)
        match _kind(function):
            case "at once":
                yield made
            case "later":
                yield made(view)
            case _:
                yield from (getattr(made, name) for name, part in vars(function).items() if isinstance(part, property))
