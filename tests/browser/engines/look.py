"""Pictures of every page in every engine, to be looked at: `python -m tests.browser.engines.look OUT [ENGINE …]`.

Each page stands at a PPO step, light and dark, in the windows that people have. Errors of the pages are printed.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.engines.browsers import OPEN
from tests.browser.engines.reader import Reader
from tests.browser.reader import PAGES
from tests.serving import running_app

WINDOWS = {"desktop": (1440, 900), "phone": (390, 844)}


def look(out: Path, engines: list[str]) -> None:
    """Write one file for each engine, theme, window and page."""
    out.mkdir(parents=True, exist_ok=True)
    with running_app(out / "server.log") as app, sync_playwright() as playwright:
        for engine in engines:
            for theme in ("light", "dark"):
                with OPEN[engine](playwright, dark=theme == "dark") as tab:
                    reader = Reader(tab, app.url, engine)
                    for window, size in WINDOWS.items():
                        tab.resize(*size)
                        for name, path in PAGES.items():
                            reader.open(f"{path}?at=ppo-3")
                            reader.rest()
                            page = name.lower().replace(" ", "-")
                            tab.picture(str(out / f"{engine}-{theme}-{window}-{page}.png"))
                    print(engine, theme, reader.complaints, flush=True)


if __name__ == "__main__":
    look(Path(sys.argv[1]), sys.argv[2:] or list(OPEN))
