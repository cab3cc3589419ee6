"""What is installed on a fresh machine: `requirements.txt` is all that the app needs, and every version is named."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINES = (ROOT / "requirements.txt").read_text().splitlines()
IMPORT_ALL = """
import importlib, pathlib, pkgutil, sys
import pages, plotly, rlhf_core, streamlit
from streamlit.testing.v1 import AppTest

scripts = [f"pages/{path.name}" for path in pathlib.Path("pages").glob("*.py")]
for package in (rlhf_core, pages):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.replace(".", "/") + ".py" not in scripts:
            importlib.import_module(module.name)
app = AppTest.from_file("app.py", default_timeout=60).run()
for script in scripts:
    assert not app.switch_page(script).run().exception, script
print(sys.prefix, *sorted(script[6:-3] for script in scripts))
"""


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in LINES]


def pinned(requirement: Requirement) -> bool:
    """Whether one version is named, and no place to get it from."""
    versions = list(requirement.specifier)
    return len(versions) == 1 and versions[0].operator == "==" and "*" not in str(versions[0]) and not requirement.url


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "numpy==2.*", "numpy @ https://example.org/numpy.whl"])
def test_a_loose_line_is_not_pinned(line: str) -> None:
    assert not pinned(Requirement(line))


def test_requirements_are_pinned_and_without_addresses() -> None:
    assert LINES and [line for line in LINES if not pinned(Requirement(line))] == []
    assert not re.search(r"https?:|file:|^-", "\n".join(LINES), re.MULTILINE)


def test_requirements_name_everything_once() -> None:
    names = [canonicalize_name(requirement.name) for requirement in requirements()]
    assert len(names) == len(set(names))


def test_requirements_agree_with_the_project() -> None:
    pins = {canonicalize_name(requirement.name): requirement for requirement in requirements()}
    for wanted in map(Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]]):
        pin = pins[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(next(iter(pin.specifier)).version), f"{pin} for {wanted}"
        assert str(pin.marker) == str(wanted.marker)


def test_requirements_cover_what_they_need_themselves() -> None:
    names = {canonicalize_name(requirement.name) for requirement in requirements()}
    for name in names:
        for needed in map(Requirement, distribution(name).requires or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in names, f"{name} needs {needed}"


def test_the_tools_of_the_tests_are_pinned() -> None:
    tools = [Requirement(line) for line in PROJECT["optional-dependencies"]["test"]]
    ours, *others = tools
    assert (ours.name, ours.extras) == (PROJECT["name"], {"app"})
    assert others and all(pinned(tool) for tool in others)


@pytest.mark.slow
def test_every_page_opens_with_the_requirements_alone(tmp_path: Path) -> None:
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    _do([sys.executable, "-m", "venv", tmp_path / "venv"], cwd=tmp_path)
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps"]  # what is not listed is not there
    _do([python, "-m", "pip", *install, "-r", ROOT / "requirements.txt"], cwd=tmp_path)
    prefix, *opened = _do([python, "-c", IMPORT_ALL], cwd=ROOT).split()
    assert Path(prefix) == tmp_path / "venv"
    assert {"overview", "sft", "reward_model", "ppo", "metrics"} <= set(opened)
    assert "No broken requirements" in _do([python, "-m", "pip", "check"], cwd=tmp_path)


def _do(command: list[str | Path], *, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
