"""Addresses of the app's states."""

from urllib.parse import urlencode

from pages.frame import lesson, navigation, sidebar
from rlhf_core import Settings, load_scenario


def query(settings: Settings, *, at: str, prompt: int, speed: int, **texts: str) -> str:
    """The URL parameters of one exact state; what is at its default, or an empty text, is left out."""
    extra = {
        "at": at if at != "idle" else None,
        "prompt": prompt + 1 if prompt != load_scenario(settings.scenario).telling else None,
        "speed": speed if speed != sidebar.SPEED else None,
        **{name: text or None for name, text in texts.items()},
    }
    given = {name: value for name, value in extra.items() if value is not None}
    return urlencode({**settings.to_query(), **given}, safe=",")


def link(url: str, parameters: str) -> str:
    """A page's address with parameters."""
    return f"{url.split('?')[0]}?{parameters}" if parameters else url.split("?")[0]


def address(url: str, page: str) -> str:
    """Address of another page of the app, from the address of one of them."""
    root, _, last = url.split("?")[0].rpartition("/")
    root = root if last in (*lesson.PAGES, "") else f"{root}/{last}"
    return f"{root}{navigation.path_of(page)}"
