"""The foot says what the project's own files say."""

import tomllib
from dataclasses import replace
from pathlib import Path

from pages.frame import foot

ROOT = Path(__file__).parents[2]
CITATION, PROJECT = ((ROOT / name).read_text(encoding="utf-8") for name in ("CITATION.cff", "pyproject.toml"))
WORK = foot.work(CITATION, PROJECT)


def test_title_version_and_licence_are_those_of_the_files() -> None:
    packaged = tomllib.loads(PROJECT)["project"]
    assert WORK.version == packaged["version"] and WORK.licence == packaged["license"]
    assert f"version: {WORK.version}\n" in CITATION, "both files name one version"
    for word in (WORK.title, WORK.author, WORK.year):
        assert word in CITATION and word in foot.bibtex(WORK)
    assert foot.line(WORK).startswith(f"{WORK.title} {WORK.version}")


def test_the_source_is_linked_once_a_file_names_it() -> None:
    address = "https://example.org/rlhf"
    for files in (
        (f"{CITATION}repository-code: {address}\n", PROJECT),
        (CITATION, f'{PROJECT}\n[project.urls]\nRepository = "{address}"\n'),
    ):
        assert foot.work(*files) == replace(WORK, repository=address)
    assert f"[Source]({address})" in foot.line(replace(WORK, repository=address))
    assert "Source" not in foot.line(replace(WORK, repository=""))
