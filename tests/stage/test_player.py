"""The player's script: its parts, their join, and the rules that it shares with Python."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pages.stage import assets
from pages.stage.storyboard import StageFrame, decode, encode_frames
from rlhf_core.timeline import METRICS, nearest

HERE = Path(__file__).parent
PARTS = sorted((assets.HERE / "player").glob("*.js"))
TABLE = json.loads((HERE / "nearest_frames.json").read_text(encoding="utf-8"))


def node(*arguments: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Node, or skip where there is none; CI has it."""
    found = shutil.which("node")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Node.js to test the player's script")
    return subprocess.run([found, *arguments], input=script, capture_output=True, text=True, timeout=60)


def test_the_pure_parts_pass_their_own_tests() -> None:
    done = node("--test", *map(str, sorted(HERE.glob("*.test.mjs"))))
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("entry", ["streamlit.js", "file.js"])
def test_the_joined_script_is_one_module(entry: str) -> None:
    done = node("--input-type=module", "--check", "-", script=assets.script(entry))
    assert (done.returncode, done.stderr) == (0, "")  # a name that two parts use would be an error


def test_every_part_is_joined_and_imports_what_exists() -> None:
    script = assets.script()
    assert not re.search(r"^import ", script, re.MULTILINE)
    assert re.findall(r"^export .*", script, re.MULTILINE) == ["export default function () {"]
    for part in PARTS:
        text = part.read_text(encoding="utf-8")
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./(\w+\.js)";', text, re.MULTILINE):
            exported = re.findall(
                r"^export (?:async )?(?:function|class|const) (\w+)", (part.parent / source).read_text(), re.M
            )
            assert {name.strip() for name in names.split(",")} - {""} <= set(exported), (part.name, source)
        last = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("//")][-1]
        assert last in script


@pytest.mark.parametrize(("name", "frame"), TABLE["cases"])
def test_the_nearest_frame_by_the_table_that_the_players_rule_is_tested_with(name: str, frame: str) -> None:
    assert TABLE["names"][nearest(TABLE["names"], name)] == frame


def test_the_tiles_texts_are_those_of_the_metrics() -> None:
    frame = StageFrame("idle", "idle", None, ("–",) * len(METRICS), "")
    tiles = decode(encode_frames([frame]))["tiles"]
    assert [(tile["key"], tile["label"], tile["unit"]) for tile in tiles] == [(m.key, m.label, m.unit) for m in METRICS]
    assert all(
        m.definition in tile["help"] and m.trl_name in tile["help"] for tile, m in zip(tiles, METRICS, strict=True)
    )
    script = assets.script()
    assert not [m.label for m in METRICS if f'"{m.label}"' in script]
