"""What the README says is true: its code runs, its commands exist, its tables come from the code."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pages.frame.yours.pairs import sample
from rlhf_core import Settings, run_pipeline
from rlhf_core.yours.export import as_trl_log
from tests import bench, readme_tables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


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


def test_the_commands_for_own_files_run(tmp_path: Path) -> None:
    run = run_pipeline(Settings())
    (tmp_path / "pairs.jsonl").write_bytes(sample(run))
    (tmp_path / "log.jsonl").write_text(as_trl_log(run))
    lines = [line[2:] for kind, body in BLOCKS if kind == "console" for line in body.splitlines()]
    own = [line for line in lines if re.match(r"python -m rlhf_core (pairs|log) ", line)]
    assert len(own) == 2
    for line in own:
        command = [sys.executable, *shlex.split(line)[1:]]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "report.json").read_text())["pairs"] == 400 and "TRL PPO, 9 rows" in done.stdout


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


def test_the_performance_table_is_one_that_the_benchmark_prints_and_within_its_budgets() -> None:
    number = r"([\d.]+)"
    row = re.compile(rf"^\| (.+) \| {number} ms \| {number} – {number} ms \| (?:{number} ms)? \|$", re.MULTILINE)
    rows = {name: (float(median), float(budget or "inf")) for name, median, _, _, budget in row.findall(README)}
    assert list(rows) == [measurement.name for measurement in bench.MEASUREMENTS]
    for measurement in bench.MEASUREMENTS:
        median, budget = rows[measurement.name]
        assert budget == (1000 * measurement.budget or float("inf"))
        assert median <= budget, measurement.name


def test_the_quoted_load_is_within_the_budget_and_its_command_exists() -> None:
    crowd, beside = [body for kind, body in BLOCKS if kind == "text" and "readers" in body]
    n_readers, p95, errors = re.search(r"(\d+) readers, .* p95 (\d+) ms, (\d+) errors", crowd).groups()
    assert (int(n_readers), int(errors)) == (20, 0) and int(p95) <= 250
    n_readers, p95, errors = re.search(r"with, .* (\d+) readers, .* p95 (\d+) ms, (\d+) errors", beside).groups()
    assert (int(n_readers), int(errors)) == (15, 0) and int(p95) <= 400
    for script in re.findall(r"`python (tests/\S+\.py)", README):
        assert (ROOT / script).exists()


def test_every_dependency_has_its_reason() -> None:
    section = README.partition("### What it depends on")[2].partition("##")[0]
    named = re.findall(r"^\| `([\w-]+)` \| \w", section, re.MULTILINE)
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]]
    assert named == [Requirement(line).name for line in wanted]


def test_the_drawing_of_the_layers_shows_the_imports() -> None:
    [drawing] = [body for kind, body in BLOCKS if kind == "mermaid"]
    places = {name: label.strip() for name, label in re.findall(r'(\w+)\["(.+?)(?:<br>.*?)?"\]', drawing)}
    plain = re.sub(r'\["[^"]*"\]', "", drawing)
    drawn = {(places[used], places[user]) for used, user in re.findall(r"(\w+) --> (\w+)", plain)}
    assert drawn == {(used, user) for user, file in _files() for used in _imported(file) if used != user}


def _place(module: str) -> str | None:
    """Which box of the drawing a module is in."""
    parts = module.split(".")
    if parts[0] == "rlhf_core":
        return "rlhf_core"
    if parts[0] != "pages" or len(parts) == 1:
        return None
    return f"pages/{parts[1]}" if (ROOT / "pages" / parts[1]).is_dir() else "pages/*.py"


def _files() -> list[tuple[str, Path]]:
    """Every file of the app with its box."""
    found = [path for folder in ("rlhf_core", "pages") for path in (ROOT / folder).rglob("*.py")]
    named = [(_place(".".join(path.relative_to(ROOT).with_suffix("").parts)), path) for path in found]
    return [(place, path) for place, path in named if place] + [("app.py", ROOT / "app.py")]


def _imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [f"{node.module}.{alias.name}" for node in froms for alias in node.names]
    return {place for place in map(_place, names) if place}


def test_the_citation_and_the_changelog_are_of_this_version() -> None:
    citation = dict(re.findall(r"^([\w-]+): (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))
    version, date = re.search(r"^## ([\d.]+), ([\d-]+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).groups()
    assert citation["version"] == version == PROJECT["version"] and citation["date-released"] == date
    assert citation["license"] == PROJECT["license"] == "MIT"
