"""What the README says is true: its code runs, its commands exist, its tables come from the code."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests import readme_tables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    lines = [line.split("#")[0].strip() for kind, body in BLOCKS if kind == "bash" for line in body.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("code", [body for kind, body in BLOCKS if kind == "python"])
def test_python_blocks_run(code: str) -> None:
    exec(code, {})


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("python -m rlhf_core")])
def test_command_lines_run(command: str) -> None:
    done = subprocess.run([sys.executable, *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "done" in done.stdout


def test_make_targets_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = [line.split()[1] for line in commands() if line.startswith("make ")]
    assert named and set(named) <= set(targets)


def test_the_table_of_parameters_comes_from_the_settings() -> None:
    assert readme_tables.parameters() in README


def test_every_formula_has_its_function_and_its_test() -> None:
    rows = re.findall(r"\| `(rlhf_core\.[\w.]+)` \| `(tests/[\w/]+\.py)` \|", README)
    assert len(rows) >= 7
    for path, test in rows:
        module, _, name = path.rpartition(".")
        assert callable(getattr(import_module(module), name))
        assert (ROOT / test).exists()


def test_pictures_and_files_that_are_linked_exist() -> None:
    linked = re.findall(r'(?:src|srcset)="([^"]+)"|\]\((?!http)([^)#]+)\)', README)
    assert linked
    for path in ("".join(pair) for pair in linked):
        assert (ROOT / path).exists(), path


def test_the_map_names_what_is_there() -> None:
    [tree] = [body for kind, body in re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL) if "app.py  " in body]
    for name in re.findall(r"^(?:  )?([\w/]+(?:\.py|/))", tree, re.MULTILINE):
        assert list(ROOT.glob(name.rstrip("/"))) or list(ROOT.glob(f"*/{name.rstrip('/')}")), name
