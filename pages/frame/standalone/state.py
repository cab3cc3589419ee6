"""The state that a file holds, read from the parameters of a link; the file is a function of it alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from pages.drawing import theme
from pages.drawing.chart import ended
from pages.drawing.view import View
from pages.frame import addresses, lesson, link, runs, sidebar
from rlhf_core import Settings
from rlhf_core.scenarios.brought import Brought
from rlhf_core.timeline import Frame, Timeline

PLAYED = ("overview", "sft", "reward_model", "ppo", "metrics")
"""Pages of one run, which a clock plays."""


@dataclass(frozen=True, slots=True)
class State:
    """One exact state of a page."""

    page: str
    settings: Settings
    at: str
    """Name of a frame of this very run."""
    prompt: int
    speed: int
    optimum: bool = False
    pinned: Settings | None = None
    show: tuple[str, ...] = ()
    """Parts of the page; none means all of it."""

    @property
    def query(self) -> str:
        """Parameters of the link to it; what is at its default is left out."""
        pin = "" if self.pinned is None else urlencode(self.pinned.to_query()) or link.DEFAULTS
        return addresses.query(
            self.settings, at=self.at, prompt=self.prompt, speed=self.speed, pin=pin,
            optimum="true" if self.optimum else "",
        )  # fmt: skip

    @property
    def frame(self) -> Frame:
        """The moment."""
        return self._timeline.find(self.at)

    @property
    def number(self) -> int:
        """The moment's place in the timeline."""
        return self._timeline.names.index(self.at)

    @property
    def _timeline(self) -> Timeline:
        return runs.shared_run(self.settings)[1]

    def view(self, palette: theme.Palette) -> View:
        """What figures draw of it; nobody else's, for views remember."""
        pinned = runs.shared_run(self.pinned)[0] if self.pinned else None
        return View(*runs.shared_run(self.settings), prompt=self.prompt, palette=palette, pinned=pinned)

    def told(self, stage: str) -> bool:
        """Whether what a stage has come to may be told."""
        return ended(stage, self.frame, self.settings)


def read(
    page: str, query: str, show: Sequence[str] = (), own: Brought | None = None
) -> tuple[State, tuple[str, ...]]:
    """The state of a link's parameters, and a sentence for each that could not be had as it stands.

    A reader's own scenario has to be given, as the link has its name alone.

    Raises
    ------
    ValueError
        If there is no such page, or it has no such part.
    """
    if page not in PLAYED:
        raise ValueError(f"page must be one of {', '.join(PLAYED)}, got {page!r}")
    given = parse_qs(query.lstrip("?"), keep_blank_values=True)
    settings, notes = link.settings({name: values for name, values in given.items() if name in lesson.CONTROLS}, own)
    run, timeline = runs.shared_run(settings)
    at, on_at = link.playhead(given.get("at", ["idle"])[-1], timeline)
    usual, most = run.scenario.telling + 1, len(run.scenario.prompts)
    prompt, on_prompt = link.whole("prompt", given.get("prompt", [str(usual)])[-1], 1, most, usual)
    speed, on_speed = link.speed(given.get("speed", []), *sidebar.SPEEDS, sidebar.SPEED)
    pinned, on_pin = link.pinned(given.get("pin", [""])[-1], own)
    optimum = given.get(sidebar.OPTIMUM, [])
    said = (on_at, on_prompt, on_speed, *on_pin, link.switch(sidebar.OPTIMUM, optimum))
    state = State(
        page, settings, at, prompt - 1, speed, page == "ppo" and link.is_on(optimum), pinned,
        _parts(page, show),
    )  # fmt: skip
    return state, (*notes, *filter(None, said))


def _parts(page: str, show: Sequence[str]) -> tuple[str, ...]:
    known, note = lesson.parse_show(",".join(show), page)
    if note:
        raise ValueError(note)
    return known
