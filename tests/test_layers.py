"""One-way dependencies: each layer, imported in a fresh interpreter, loads nothing that it must not."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = {
    "rlhf_core": ("streamlit", "plotly", "pandas", "scipy.stats", "matplotlib", "pages", "app", "tests"),
    "pages.drawing": ("streamlit", "pages.figures", "pages.stage", "pages.frame", "app", "tests"),
    "pages.figures": ("streamlit", "pages.stage", "pages.frame", "app", "tests"),
    "pages.stage": ("pages.figures", "pages.frame", "app", "tests"),
}
SCRIPT = """
import importlib, pkgutil, sys
layer, *forbidden = sys.argv[1:]
package = importlib.import_module(layer)
modules = [layer] + [found.name for found in pkgutil.walk_packages(package.__path__, layer + ".")]
for module in modules:
    importlib.import_module(module)
    loaded = [name for name in forbidden if name in sys.modules]
    if loaded:
        sys.exit(f"{module} loads {', '.join(loaded)}")
print(*modules)
"""


def import_all(layer: str, forbidden: tuple[str, ...], folder: Path = ROOT) -> subprocess.CompletedProcess:
    """Import every module of a layer in a fresh interpreter that sees the folder; print their names."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, layer, *forbidden], cwd=folder, capture_output=True, text=True, timeout=60
    )


def modules_of(layer: str) -> set[str]:
    """Modules of a layer by its files."""
    files = (ROOT / layer.replace(".", "/")).rglob("*.py")
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_loads_nothing_from_above(layer):
    done = import_all(layer, LAYERS[layer])
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == modules_of(layer)  # every file was imported, none was missed


def test_the_core_has_all_modules_of_the_design():
    names = "settings scenarios distributions policy sft preferences features reward_model advantages ppo optimum"
    names = [*names.split(), "pipeline", "timeline", "__main__"]
    assert {f"rlhf_core.{name}" for name in names} <= modules_of("rlhf_core")


def test_no_pages_figures_use_another_pages_figures():
    folder = ROOT / "pages" / "figures"
    for file in folder.glob("*/*.py"):
        nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
        used = {parts[2] for node in nodes if len(parts := f"{node.module}.".split(".")) > 3 and parts[1] == "figures"}
        assert used <= {file.parent.name}, f"{file.relative_to(ROOT)} uses the figures of {used}"


@pytest.mark.parametrize("line", ["import decimal", "from decimal import Decimal", "def late(): ...\nimport fractions"])
def test_a_forbidden_import_anywhere_in_a_layer_is_found(tmp_path, line):
    folder = tmp_path / "leaky" / "inner"
    folder.mkdir(parents=True)
    (tmp_path / "leaky" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "leak.py").write_text(line)
    done = import_all("leaky", ("decimal",), tmp_path)  # fractions loads decimal, too
    assert done.returncode == 1 and done.stderr.strip() == "leaky.inner.leak loads decimal"
    assert import_all("leaky", ("sqlite3",), tmp_path).returncode == 0
