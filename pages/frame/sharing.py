"""What a reader takes away: a link, an embed snippet, the numbers, and the code that makes them."""

import streamlit as st

from pages.figures.overview.outcome import command
from pages.frame import (
    brought,
    guessing,
    lab,
    lesson,
    menus,
    navigation,
    pins,
    playback,
    runs,
    saving,
    sidebar,
    social_card,
    standalone,
    taken,
    tour,
    yours,
)
from pages.frame.addresses import address, link, query
from pages.frame.link import playhead
from pages.frame.memory import brought_in
from pages.frame.narration import narrate
from pages.frame.page import Page
from pages.frame.part_titles import title_of
from pages.frame.records import as_csv as csv_of
from pages.frame.taken import python
from pages.stage import copy_buttons
from rlhf_core import Settings, traces
from rlhf_core.__main__ import as_csv, as_json
from rlhf_core.settings import CONTROLS

HEIGHT, HEIGHTS = 700, (300, 1200)
SIZES: dict[str, tuple[int, int] | None] = {
    "As wide as the page": None, "A slide, 960 × 540": (960, 540), "A slide, 640 × 360": (640, 360),
}  # fmt: skip
MENU, LEADS = "share", "share-leads"
ROOM = '<div style="height: 23rem"></div>'
"""As high as what the menu holds, which is drawn once it is open: the browser looks for the room at once."""


def embedded(url: str, parameters: str) -> str:
    """A page's address with parameters, without what a page of its own needs."""
    return link(url, "&".join(filter(None, [parameters, "embed=true"])))


def iframe(url: str, parameters: str, height: int = HEIGHT, width: int | None = None) -> str:
    """HTML that embeds the state in another page; as wide as that, or of a width in pixels."""
    source = embedded(url, parameters).replace("&", "&amp;")
    size = f'width="{width or "100%"}" height="{height}" style="border:0"'
    return f'<iframe src="{source}" {size} allow="clipboard-write" title="RLHF you can run"></iframe>'


def menu(page: str) -> None:
    """Link to the state on screen, and the ways to embed or save it, unless a lesson leaves them out."""
    if not lesson.has_control(MENU):
        return
    opened = menus.menu("Share", MENU)
    with opened:
        if opened.open:
            _offer(page)
        else:
            st.html(ROOM)
    match st.session_state.pop(LEADS, None):
        case "embed":
            embed(page)
        case "save":
            saving.save(page, _state(page), file_name(sidebar.settings()))


def _offer(page: str) -> None:
    """What the menu holds: the link, the moment in words with it, and what leads to a dialog."""
    settings = sidebar.settings()
    here = link(address(st.context.url or "", _page_of(page)), _state(page, tour=_step(), **lesson.parameters()))
    words = sentence(page, settings, playback.current(), sidebar.prompt())
    own = brought_in(settings) is not None
    st.caption("Link to this exact state; pause first to fix the moment.")
    st.code(here, language=None, wrap_lines=True)
    if own:
        st.caption(brought.UNLINKED)
    st.text(words)
    copy_buttons({"Link": here, "Sentence and link": f"{words} {here}"}, key="share")
    if not own:
        st.button("Embed in a page…", key="embed", on_click=_lead, args=("embed",), width="stretch")
    if page in standalone.PLAYED:
        st.button("Save as a file…", key="save", on_click=_lead, args=("save",), width="stretch")


def _lead(where: str) -> None:
    """Lead from the menu to a dialog; a callback."""
    menus.close(MENU)
    st.session_state[LEADS] = where


def sentence(page: str, settings: Settings, at: str, prompt: int) -> str:
    """What a page shows at a moment, in a sentence or two for whoever is sent the link."""
    changed = f" ({taken.in_words(settings)})" if settings != Settings() else ""
    run, timeline = runs.shared_run(settings)
    frame = timeline.find(playhead(at, timeline)[0])
    if page not in standalone.PLAYED or frame.phase == "idle":
        return f"{navigation.TITLE}{changed}. {social_card.about(page)}"
    return f"{navigation.title_of(page)}{changed}. {narrate(run, frame, prompt)}"


def _page_of(page: str) -> str:
    """The page that the link leads to: on the tour that of the step."""
    return tour.STEPS[tour.current() - 1].page if tour.current() else page


def _step() -> str:
    return str(tour.current() or "")


def read() -> None:
    """What a link asks for besides settings and moment, so that the notes on it stand with the others."""
    for each in (pins.pinned, lab.read, yours.read, guessing.read):
        each()


def others(page: str) -> dict[str, str]:
    """What the address of a page holds besides settings and moment; empty texts where it says nothing."""
    optimum = "true" if page == "ppo" and sidebar.optimum() else ""
    return {
        pins.PIN: pins.parameter(), sidebar.OPTIMUM: optimum,
        **lab.parameters(page), **yours.parameters(page), **guessing.parameters(page),
    }  # fmt: skip


@st.dialog("Embed in a page", width="large")
def embed(page: str) -> None:
    """Choose what another page shows of this state; link, snippet and preview follow."""
    titles, boxes = navigation.TITLES, st.columns(3)
    page = boxes[0].selectbox("Page", list(titles), list(titles).index(page), format_func=titles.get, key="embed-page")
    slide = SIZES[boxes[1].selectbox("Size", list(SIZES), key="embed-size")]
    width, height = slide or (None, boxes[2].number_input("Height in pixels", *HEIGHTS, HEIGHT, 50, key="embed-height"))
    show = st.multiselect(
        "Parts of the page", lesson.offered(page), lesson.shown(page), key=f"embed-show-{page}",
        format_func=lambda part: title_of(part, page), placeholder="The whole page",
    )  # fmt: skip
    controls = st.multiselect(
        "Controls: in the sidebar, or below the parts if some are chosen", lesson.CONTROL_NAMES, lesson.controls(),
        format_func=lambda name: CONTROLS[name].label if name in CONTROLS else name.capitalize(), placeholder="All",
        key="embed-controls",
    )  # fmt: skip
    url = address(st.context.url or "", page)
    parameters = _state(page, controls=",".join(controls), show=",".join(show))
    st.caption("Link")
    st.code(link(url, parameters), language=None, wrap_lines=True)
    st.caption("HTML to paste into your page")
    st.code(iframe(url, parameters, height, width), language="html", wrap_lines=True)
    copy_buttons({"Link": link(url, parameters), "HTML": iframe(url, parameters, height, width)}, key="embed")
    st.caption("Preview")
    st.iframe(embedded(url, parameters), width=width or "stretch", height=height, alt="Preview of the embedded page")


def _state(page: str, **texts: str) -> str:
    """URL parameters of the state on screen, in lesson mode or not."""
    return query(
        sidebar.settings(),
        at=playback.current(),
        prompt=sidebar.prompt(),
        speed=sidebar.speed(),
        **others(page),
        **texts,
    )


def downloads(page: Page) -> None:
    """The metrics of every frame as CSV and JSON."""
    settings = page.view.run.settings  # a session holds what its buttons hold: not the run
    name = file_name(settings)
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV", lambda: as_csv(runs.shared_run(settings)[1], settings), f"{name}.csv", "text/csv",
            key="download-csv", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Download JSON", lambda: as_json(runs.shared_run(settings)[1], settings), f"{name}.json",
            "application/json", key="download-json", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Download all curves, truth included", lambda: _curves(settings), f"{name}-curves.csv", "text/csv",
            key="download-curves", on_click="ignore",
        )  # fmt: skip


def file_name(settings: Settings) -> str:
    """Name of a file, which carries what differs from the defaults."""
    changed = {**settings.to_query(), "scenario": settings.scenario, "seed": str(settings.seed)}
    words = [f"{name.replace('_', '-')}-{value}" for name, value in sorted(changed.items()) if name != "scenario"]
    return "-".join(["rlhf", settings.scenario, *words]).replace(".", "_")


def _curves(settings: Settings) -> str:
    return csv_of(traces.tidy(runs.shared_run(settings)[0]))


def reproduce(page: Page) -> None:
    """Code and command that give this very run."""
    settings = page.view.run.settings
    st.code(python(settings), language="python", wrap_lines=True)
    st.caption("Or in a terminal, one row per frame:")
    st.code(command(settings), language="bash", wrap_lines=True)
