"""What is built from the project: the wheel is the library alone, the source distribution is all of it."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
NOT_OURS = shutil.ignore_patterns(
    ".*_cache", ".git", ".venv", ".hypothesis", "__pycache__", "build", "dist", "*.egg-info"
)
WRITTEN = {"PKG-INFO", "setup.cfg"}  # by the build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_OURS)
    _do([sys.executable, "-m", "build", "--outdir", folder, folder / "source"], folder)
    return folder


def _do(command: list[str | Path], folder: Path, **environment: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_is_the_library_alone(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        files = {name for name in wheel.namelist() if ".dist-info/" not in name}
        metadata = Parser().parsestr(wheel.read(next(n for n in wheel.namelist() if n.endswith("METADATA"))).decode())
    ours = [path for path in (ROOT / "rlhf_core").rglob("*") if path.suffix in (".py", ".toml")]
    assert files == {path.relative_to(ROOT).as_posix() for path in ours}
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    assert _needed(needed, "") == {"numpy", "scipy"}
    assert _needed(needed, "app") >= {"numpy", "scipy", "streamlit", "plotly"}
    assert metadata.get_all("Provides-Extra") == ["app", "test"]


def _needed(requirements: list[Requirement], extra: str) -> set[str]:
    return {each.name for each in requirements if not each.marker or each.marker.evaluate({"extra": extra})}


def test_the_source_distribution_is_all_of_the_project(built: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a checkout, whose files are known")
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        files = {member.name.partition("/")[2] for member in archive if member.isfile()}
    tracked = set(_do(["git", "ls-files", "--cached", "--others", "--exclude-standard"], ROOT).split("\n")) - {""}
    present = {name for name in tracked if (ROOT / name).exists()}
    assert {name for name in files - WRITTEN if ".egg-info/" not in name} == present


def test_the_installed_library_runs_without_the_app(built: Path, tmp_path: Path) -> None:
    wheel, place = next(built.glob("*.whl")), tmp_path / "installed"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", place]
    _do([sys.executable, *install, wheel], tmp_path)
    command = place / ("Scripts" if sys.platform == "win32" else "bin") / "rlhf-you-can-run"
    printed = _do([command, "--ppo-steps", "1", "--format", "csv"], tmp_path, PYTHONPATH=str(place))
    assert printed.startswith("frame,") and "\ndone," in printed
    script = "import sys, rlhf_core; print(rlhf_core.__file__, *{'streamlit', 'plotly'} & sys.modules.keys())"
    assert _do([sys.executable, "-c", script], tmp_path, PYTHONPATH=str(place)).split() == [
        str(place / "rlhf_core" / "__init__.py")
    ]
