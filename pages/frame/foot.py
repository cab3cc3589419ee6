"""The foot of every page: what this is, in which version, under which licence, and how to cite it."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).parents[2]
FIELD = re.compile(r"^(?:  - )?([a-z-]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Work:
    """What CITATION.cff says of this work, with the version of pyproject.toml."""

    title: str
    author: str
    year: str
    version: str
    licence: str
    repository: str = ""
    """Address of the source; empty as long as neither file names one."""


def work(citation: str, project: str) -> Work:
    """Read the texts of CITATION.cff, of which the plain fields suffice, and pyproject.toml."""
    said, packaged = dict(FIELD.findall(citation)), tomllib.loads(project)["project"]
    return Work(
        said["title"], said["name"], said["date-released"][:4], packaged["version"], said["license"],
        said.get("repository-code", packaged.get("urls", {}).get("Repository", "")),
    )  # fmt: skip


def line(of: Work) -> str:
    """One line of Markdown."""
    source = f" · [Source]({of.repository})" if of.repository else ""
    return f"{of.title} {of.version} · {of.author} · {of.licence} licence{source}"


def bibtex(of: Work) -> str:
    """A BibTeX entry."""
    fields = {"title": of.title, "author": f"{{{of.author}}}", "year": of.year, "version": of.version}
    fields |= {"url": of.repository} if of.repository else {}
    listed = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@software{{{re.sub('[^a-z]+', '_', of.title.lower())},\n{listed}}}"


def draw() -> None:
    """Draw it, below whatever the page has drawn."""
    here = this()
    with st.container(key="foot"):
        st.caption(line(here))
        with st.expander("How to cite", type="compact"):
            st.code(bibtex(here), language=None, wrap_lines=True)


@cache
def this() -> Work:
    """What is shown here."""
    return work(*((ROOT / name).read_text(encoding="utf-8") for name in ("CITATION.cff", "pyproject.toml")))
