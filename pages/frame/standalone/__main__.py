"""Write a page, or parts of it, as one HTML file: `python -m pages.frame.standalone ppo --out ppo.html`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pages.frame import lesson
from pages.frame.standalone import PLAYED, read, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; 2 where something that was asked for cannot be used, 1 where it cannot be written."""
    asked = _parser().parse_args(arguments)
    try:
        state, notes = read(asked.page, asked.query, lesson.split(asked.show))
        text = write(state, plotly=asked.plotly, app=asked.app)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for note in notes:
        print(f"In the query, {note}", file=sys.stderr)
    try:
        asked.out.write_bytes(text)
    except OSError as error:
        print(f"{asked.out} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m pages.frame.standalone", description=__doc__.partition(":")[0] + ".")
    parser.add_argument("page", metavar="PAGE", help=f"one of {', '.join(PLAYED)}")
    parser.add_argument("--query", default="", help='parameters of the link to the state, as "beta=0&at=ppo-5"')
    parser.add_argument("--show", default="", help="parts of the page, separated by commas; left out, all of it")
    parser.add_argument("--plotly", choices=("inline", "cdn"), default="inline", help="in the file, or from its CDN")
    parser.add_argument("--app", default="", help="address of the app, for a link to the live state")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
