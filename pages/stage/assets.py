"""Script and styles of the player, as they travel: the parts joined, without what only developers need."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def script(entry: str = "streamlit.js") -> str:
    """Join a part of the player, and all that it imports, into one script.

    Each part is a module of its own, so that Node can test it; names at the top of a part are unique among all.
    """
    return lean("".join(_parts(entry, set())))


@cache
def styles(*names: str) -> str:
    """Join style sheets; once, for a lesson's page has some on every run."""
    return lean("".join(read(name) for name in names))


def read(name: str) -> str:
    """Return an asset as it stands."""
    return (HERE / name).read_text(encoding="utf-8")


def lean(text: str) -> str:
    """Leave out indentation, empty lines and comments that fill a line."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _parts(name: str, seen: set[str]) -> Iterator[str]:
    """Yield the texts of a part and of its imports, each once, after those that it needs."""
    if name in seen:
        return
    seen.add(name)
    text = read(f"player/{name}")
    for imported in IMPORT.findall(text):
        yield from _parts(imported, seen)
    yield EXPORT.sub("", IMPORT.sub("", text))
