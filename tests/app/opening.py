"""How a test opens a page of the app at a moment of a run."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages.frame import sharing, sidebar

ROOT = Path(__file__).parents[2]


def opened(page: str, at: str = "idle", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in {"at": at, **query}.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page(f"pages/{page}.py").run()


def unfolded(app: AppTest, advanced: bool = True) -> AppTest:
    """The page with its advanced controls unfolded, or folded away again."""
    app.session_state[sidebar.ADVANCED] = advanced
    return app.run()


def with_share(app: AppTest) -> AppTest:
    """The page with its Share menu open."""
    app.session_state[f"{sharing.MENU}-0"] = True
    return app.run()


def unmarked(text: str) -> str:
    """A text of a page as its author wrote it: terms of the glossary without their links."""
    return re.sub(r'\[([^\]]*)\]\(#term-[^"]*"[^"]*"\)', r"\1", text)
