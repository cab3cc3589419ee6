"""What a reader takes away: a link, an embed snippet, the numbers, and the code that makes them."""

from urllib.parse import urlencode

import streamlit as st

from pages.frame import pins, playback, sidebar
from pages.frame.page import Page
from rlhf_core import Settings
from rlhf_core.__main__ import as_csv, as_json

HEIGHT = 700


def query(settings: Settings, *, at: str, prompt: int, speed: int, pin: str = "") -> str:
    """The URL parameters of one exact state; what is at its default is left out."""
    extra = {
        "at": at if at != "idle" else None,
        "prompt": prompt + 1 if prompt else None,
        "pin": pin or None,
        "speed": speed if speed != sidebar.SPEED else None,
    }
    return urlencode({**settings.to_query(), **{name: value for name, value in extra.items() if value is not None}})


def link(url: str, parameters: str) -> str:
    """A page's address with parameters."""
    return f"{url.split('?')[0]}?{parameters}" if parameters else url.split("?")[0]


def iframe(url: str, parameters: str) -> str:
    """HTML that embeds the state in another page."""
    embedded = link(url, "&".join(filter(None, [parameters, "embed=true"]))).replace("&", "&amp;")
    size = f'width="100%" height="{HEIGHT}" style="border:0"'
    return f'<iframe src="{embedded}" {size} title="RLHF you can run"></iframe>'


def python(settings: Settings) -> str:
    """Lines of Python that reproduce the run and print the metrics at its end."""
    changed = {name: getattr(settings, name) for name in settings.to_query()}
    arguments = ", ".join(f"{name}={value!r}" for name, value in changed.items())
    return f"""from rlhf_core import Settings, run_pipeline

run = run_pipeline(Settings({arguments}))
print(f"avg reward     {{run.ppo.reward[-1]:.2f}}")
print(f"KL divergence  {{run.ppo.kl[-1]:.2f}} nats")
print(f"RM accuracy    {{run.reward.heldout_accuracy[-1]:.0%}}")
print(f"policy entropy {{run.ppo.entropy[-1]:.2f}} nats")
"""


def command(settings: Settings) -> str:
    """The command line that prints the same run."""
    options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.to_query().items())
    return f"python -m rlhf_core {options}".strip()


def menu() -> None:
    """Link and embed snippet of the state on screen, in the sidebar."""
    with st.popover("Share", width="stretch", help="A link to this exact state, and a snippet that embeds it."):
        parameters = query(
            sidebar.settings(),
            at=playback.current(),
            prompt=sidebar.prompt(),
            speed=sidebar.speed(),
            pin=pins.parameter(),
        )
        url = st.context.url or ""
        st.caption("Link to this exact state; pause first to fix the moment.")
        st.code(link(url, parameters), language=None, wrap_lines=True)
        st.caption("Embed it in a page")
        st.code(iframe(url, parameters), language="html", wrap_lines=True)


def downloads(page: Page) -> None:
    """The metrics of every frame as CSV and JSON."""
    run, timeline = page.view.run, page.view.timeline
    name = f"rlhf-{run.settings.scenario}-seed{run.settings.seed}"
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV", lambda: as_csv(timeline, run.settings), f"{name}.csv", "text/csv", key="download-csv",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Download JSON", lambda: as_json(timeline, run.settings), f"{name}.json", "application/json",
            key="download-json", on_click="ignore",
        )  # fmt: skip


def reproduce(page: Page) -> None:
    """Code and command that give this very run."""
    settings = page.view.run.settings
    st.code(python(settings), language="python")
    st.caption("Or in a terminal, one row per frame:")
    st.code(command(settings), language="bash")
