"""A printed page as one HTML file: styles, the stage, what it plays, and Plotly or where it comes from.

The file carries its own Content-Security-Policy: only its own scripts run, and nothing is asked of any server, but for
Plotly where that is left to its CDN.
"""

import base64
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from plotly.io._utils import plotly_cdn_url
from plotly.offline import get_plotlyjs

from pages.drawing.theme import FONT, css_variables
from pages.figures.overview.outcome import command
from pages.frame import addresses, foot, lesson, navigation, runs, taken
from pages.frame.memory import brought_in
from pages.frame.standalone import prose
from pages.frame.standalone.printed import Printed, moment
from pages.frame.standalone.state import State
from pages.stage import STYLE_SHEETS, Payload, assets
from rlhf_core import Settings
from rlhf_core.settings import CONTROLS, Control

Plotly = Literal["inline", "cdn"]
TEMPLATE = Path(__file__).with_name("file.html")
DARK, UNDRESSED = ':root[data-rlhf-theme="dark"]', ":root:not([data-rlhf-theme])"
NEEDS = {
    "inline": "This file holds all that it shows, and asks nothing of any server.",
    "cdn": "This file needs the network: its charts are drawn by Plotly, which it fetches from "
    f"{urlsplit(plotly_cdn_url()).hostname}. Without it they are sketches; text and figures play all the same.",
}
OWN = "Its scenario is a reader’s own, which the app does not keep: this file is all there is of it."
BACK = "which has the sidebar, the controls and the other pages"


def assembled(page: Printed, plotly: Plotly, app: str) -> str:
    """The file's text."""
    state, work, player = page.state, foot.this(), assets.script("file.js")
    library = _library() if plotly == "inline" else ""
    return TEMPLATE.read_text(encoding="utf-8").format(
        policy=policy([library, player] if library else [player], plotly),
        tab=escape(navigation.title_of(state.page)), styles=_styles(page), title=escape(page.title),
        settings=escape(in_words(state)), name=page.name, way_back=_way_back(state, app), needs=NEEDS[plotly],
        body=_contents(page) + prose.linked(page.paper.root.inner, app), work=prose.html(foot.line(work)),
        rows="".join(_row(control, _value(state.settings, name)) for name, control in CONTROLS.items()),
        command=escape(command(state.settings)), bibtex=escape(foot.bibtex(work)),
        licence=escape((foot.ROOT / "LICENSE").read_text(encoding="utf-8")), island=_island(page, plotly, app),
        library=f"<script>{library}</script>" if library else "", player=player,
    )  # fmt: skip


def policy(scripts: Sequence[str], plotly: Plotly) -> str:
    """The file's Content-Security-Policy: its scripts by their digests, styles, and nothing else."""
    allowed = " ".join([*(f"'{digest(script)}'" for script in scripts), *[plotly_cdn_url()] * (plotly == "cdn")])
    rest = "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"


def digest(text: str) -> str:
    """A text's digest, as policies and subresource integrity write it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def cdn() -> dict[str, str]:
    """Where Plotly comes from, and the digest of the very file that the installed package carries."""
    return {"src": plotly_cdn_url(), "integrity": digest(get_plotlyjs())}


def in_words(state: State) -> str:
    """The settings that differ from the defaults, the prompt and the moment, in a line."""
    prompt = runs.shared_run(state.settings)[0].scenario.prompts[state.prompt]
    return f"Settings: {taken.in_words(state.settings, prompt)} · opens at {moment(state.frame)}"


def checked(app: str) -> str:
    """The app's address, as it may stand in a link.

    Raises
    ------
    ValueError
        If it is not an http address.
    """
    parts = urlsplit(app)
    if app and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError(f"app must be an address such as https://example.org/rlhf, got {app!r}")
    return app.rstrip("/")


def _library() -> str:
    """Plotly, as it may stand in an element."""
    return get_plotlyjs().replace("</script", r"<\/script")


def _value(settings: Settings, name: str) -> object:
    own = brought_in(settings)
    return getattr(settings, name) if own is None or name != "scenario" else f"{own.file}.toml"


def _row(control: Control, value: object) -> str:
    return f'<tr><th scope="row">{escape(control.label)}</th><td>{escape(f"{value} {control.unit}")}</td></tr>'


def _contents(page: Printed) -> str:
    """Links to the sections that have come to something."""
    there = [(anchor, name) for anchor, name in page.sections.items() if f' id="{anchor}"' in page.paper.root.inner]
    links = "".join(f'<li><a href="#{anchor}">{escape(name)}</a></li>' for anchor, name in there)
    return f'<nav class="rlhf-contents" aria-label="On this page"><ol>{links}</ol></nav>\n' if links else ""


def _way_back(state: State, app: str) -> str:
    """The link to this state in the app; without the app's address, which way it is from there."""
    if brought_in(state.settings, state.pinned) is not None:
        return OWN
    address = escape(_address(state, app))
    if not app:
        return f"In the app, {BACK}, this is <code>{address}</code>"
    return f'<a data-live {prose.BESIDE} href="{address}">Open this moment in the app</a>, {BACK}.'


def _address(state: State, app: str) -> str:
    return addresses.link(f"{app}{navigation.path_of(state.page)}", state.query)


def _styles(page: Printed) -> str:
    light, dark = css_variables().splitlines()
    shown = {theme: {**_streamlit(theme), **page.themes.values(theme == "dark")} for theme in ("light", "dark")}
    early = f"{dark} {_rule(DARK, shown['dark'])}".replace(DARK, UNDRESSED)  # before the player has said which
    rules = [_rule(":root", {"color-scheme": "light", **shown["light"]})]
    rules += [
        _rule(DARK, {"color-scheme": "dark", **shown["dark"]}),
        f"@media (prefers-color-scheme: dark) {{ {early} }}",
    ]
    return "\n".join([light, dark, *rules, assets.styles(*STYLE_SHEETS, "file.css")])


def _rule(selector: str, properties: Mapping[str, str]) -> str:
    return f"{selector} {{ {' '.join(f'{name}: {value};' for name, value in properties.items())} }}"


@cache
def _streamlit(theme: str) -> Mapping[str, str]:
    """The custom properties that Streamlit gives to components, from its own configuration."""
    config = tomllib.loads((foot.ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    said, radius = config[theme], config["baseRadius"]
    return {
        "--st-background-color": said["backgroundColor"], "--st-text-color": said["textColor"],
        "--st-secondary-background-color": said["secondaryBackgroundColor"],
        "--st-border-color": said["borderColor"], "--st-base-radius": radius, "--st-button-radius": radius,
        "--st-font": FONT,
    }  # fmt: skip


def _island(page: Printed, plotly: Plotly, app: str) -> str:
    """What the player reads, as JSON in which nothing can end the element that it stands in."""
    own = brought_in(page.state.settings, page.state.pinned)
    payloads = {"transport": runs.storyboard(page.state.settings, page.state.prompt), **page.payloads}
    held = {
        "page": page.name, "at": page.state.at, "speed": page.state.speed,
        "parts": {key: _wired(page, key, payload) for key, payload in payloads.items()},
        "tables": {key: _base64(numbers) for key, numbers in page.tables.items()},
        "plotly": cdn() if plotly == "cdn" else None,
        "query": page.state.query, "link": _address(page.state, app) if app and own is None else None,
    }  # fmt: skip
    return json.dumps(held, separators=(",", ":")).replace("<", r"\u003c")


def _wired(page: Printed, key: str, payload: Payload) -> str:
    part = key.rpartition("-")[0].replace("-", "_") if payload.role == "chart" else ""
    alone = lesson.part_name(part) in lesson.offered(page.state.page)
    return _base64(payload.wire(page.name, part=part, alone=alone, code=page.code.get(key)))


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode()
