"""What a link asks for, read as text: nothing here raises, and what cannot be used is said in a sentence.

Each sentence begins with the parameter's name, and goes on with what is allowed, what the link has, and
what is used.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from rlhf_core import Settings
from rlhf_core.scenarios.brought import PREFIX, Brought
from rlhf_core.settings import CONTROLS
from rlhf_core.timeline import Timeline

Query = Mapping[str, Sequence[str]]
"""Parameters of a URL; each may be given several times, and the last counts."""
SWITCH = ("true", "false")
DEFAULTS = "defaults"
"""A pin of the default settings, which have no parameters."""
SHOWN = 40
"""Characters of an unusable value that its sentence shows."""


def settings(query: Query, own: Brought | None = None) -> tuple[Settings, tuple[str, ...]]:
    """Settings of a link, and a sentence for each that it could not have as it stands.

    Parameters
    ----------
    query : mapping
    own : Brought, optional
        The scenario that this reader has brought, which a link of theirs may name.
    """
    asked = {name: values[-1] for name, values in query.items() if values}
    chosen, notes = Settings.from_query(asked)
    if asked.get("scenario", "").startswith(PREFIX):
        notes = tuple(note for note in notes if note.split()[0] != "scenario")
        if own is not None and asked["scenario"] == own:
            chosen = replace(chosen, scenario=own)
        else:
            notes = (_elsewhere(asked["scenario"], f"using {chosen.scenario}"), *notes)
    said = {note.split()[0] for note in notes}
    given = chosen.to_query()
    repeated = [
        _repeated(name, query[name], given.get(name, getattr(chosen, name)))
        for name in CONTROLS
        if name not in said and len(query.get(name, ())) > 1
    ]
    return chosen, (*notes, *repeated)


def whole(name: str, text: str, low: int, high: int, default: int) -> tuple[int, str]:
    """The whole number that is nearest to a text, the default where it is no number, and a sentence if they differ."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    used = default if math.isnan(number) else int(min(max(number, low), high))
    if used == number:
        return used, ""
    return used, f"{name} must be a whole number from {low} to {high}, got {_excerpt(text)}; using {used}."


def speed(values: Sequence[str], low: int, high: int, default: int) -> tuple[int, str]:
    """Speed of playback."""
    used, note = whole("speed", values[-1] if values else str(default), low, high, default)
    return used, note or once("speed", values, used)


def choice(name: str, values: Sequence[str], allowed: Sequence[str]) -> tuple[str, str]:
    """One of some words, the first where a link asks for none of them, and a sentence if it does."""
    if not values:
        return allowed[0], ""
    used = values[-1] if values[-1] in allowed else allowed[0]
    if used != values[-1]:
        return used, f"{name} must be one of {', '.join(allowed)}, got {_excerpt(values[-1])}; using {used}."
    return used, once(name, values, used)


def switch(name: str, values: Sequence[str]) -> str:
    """A sentence on a switch that a link sets to something else than on or off; empty if it can be used."""
    if not values or (len(values) == 1 and values[0].lower() in SWITCH):
        return ""
    if len(values) > 1:
        return _repeated(name, values, "false")
    return f"{name} must be {' or '.join(SWITCH)}, got {_excerpt(values[0])}; using false."


def is_on(values: Sequence[str]) -> bool:
    """Whether a link sets a switch to on; what `switch` has a sentence on is off."""
    return len(values) == 1 and values[0].lower() == "true"


def tour_step(text: str, n_steps: int) -> tuple[int, str]:
    """Step of the guided tour; 0, no tour, where there is no such step."""
    used, note = whole("tour", text, 0, n_steps, 0)
    return (0, f"{note.split('; using')[0]}; using no tour.") if note else (used, "")


def playhead(text: str, timeline: Timeline) -> tuple[str, str]:
    """Name of the frame that a link opens at; and a sentence if it names another, of which that is the nearest."""
    try:
        frame = timeline.find(text)
    except ValueError as error:
        return "idle", f"{error}; using idle."
    if frame.name == text:
        return frame.name, ""
    last = [other for other in timeline.frames if other.phase == frame.phase][-1]
    most = f", at most {last.name}" if frame is last else ""
    return frame.name, f"at must be a frame of this run{most}, got {_excerpt(text)}; using {frame.name}."


def pinned(text: str, own: Brought | None = None) -> tuple[Settings | None, tuple[str, ...]]:
    """The pinned run's settings, `beta=0.3&seed=1` or `defaults`; None where nothing is pinned that could be."""
    if not text or text == DEFAULTS:
        return (Settings() if text else None), ()
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    known = {name: values for name, values in query.items() if name in CONTROLS}
    chosen, notes = settings(known, own)
    scenario = known.get("scenario", [""])[-1]
    if scenario.startswith(PREFIX) and scenario != own:
        return None, (f"pin: {_elsewhere(scenario, 'using no pin')}",)
    used = (urlencode(chosen.to_query()) or DEFAULTS) if known else "no pin"
    if len(known) < len(query) or not query:
        notes = (f"pin must be settings such as beta=0.3&seed=1, got {_excerpt(text)}; using {used}.", *notes)
    return (chosen if known else None), tuple(note if note[:4] == "pin " else f"pin: {note}" for note in notes)


def once(name: str, values: Sequence[str], used: object) -> str:
    """A sentence on a parameter that a link gives several times; empty if it does not."""
    return _repeated(name, values, used) if len(values) > 1 else ""


def _elsewhere(scenario: str, used: str) -> str:
    return f"scenario {_excerpt(scenario)} is a reader’s own, and only in the session that brought it; {used}."


def _repeated(name: str, values: Sequence[str], used: object) -> str:
    return f"{name} must be given once, got {len(values)} values; using {used}."


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
