"""`python -m rlhf_core`: the pipeline in a terminal."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rlhf_core import timeline
from rlhf_core.__main__ import main, script
from rlhf_core.settings import CONTROLS
from tests.core.runs import run

ROOT = Path(__file__).parents[2]
QUICK = ["--scenario", "safety", "--ppo-steps", "2", "--seed=3"]
METRICS = ["phase", "ppo_step", "reward", "kl", "rm_accuracy", "entropy"]


def quick_run():
    return run(scenario="safety", ppo_steps=2, seed=3)


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "rlhf_core", *arguments],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip


def output(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert main([*QUICK, *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


# ------------------------------------------------------------------ formats


def test_the_module_runs_and_prints_the_table_by_default():
    done = command("--ppo-steps", "1", PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == "Frame Phase PPO step Avg reward KL divergence RM accuracy Policy entropy".split()
    assert lines[1].split() == ["idle", "Idle", "–", "/", "1", "–", "–", "–", "–"]
    assert lines[-1].startswith("done") and len(lines) == 1 + 1 + 10 + 12 + 1 + 1


def test_the_table_shows_what_the_metric_tiles_show(capsys):
    last = quick_run().ppo
    accuracy = quick_run().reward.heldout_accuracy[-1]
    rows = [line.split() for line in output(capsys).splitlines()]
    figures = [f"{last.reward[-1]:.2f}", f"{last.kl[-1]:.2f}", f"{accuracy:.0%}", f"{last.entropy[-1]:.2f}"]
    assert rows[-1] == ["done", "Done", "2", "/", "2", *figures]
    assert rows[-3] == [
        "ppo-1", "PPO", "1", "/", "2",
        f"{last.reward[1]:.2f}", f"{last.kl[1]:.2f}", f"{accuracy:.0%}", f"{last.entropy[1]:.2f}",
    ]  # fmt: skip


def test_table_columns_are_aligned(capsys):
    lines = output(capsys).splitlines()
    at = lines[0].index("Avg reward")
    assert all(line[at - 1] == " " and line[at] != " " for line in lines)


def test_csv_holds_one_row_per_frame_in_full_precision(capsys):
    rows = list(csv.DictReader(io.StringIO(output(capsys, "--format", "csv"))))
    ppo = quick_run().ppo
    assert list(rows[0]) == ["frame", *METRICS]
    assert list(rows[0].values()) == ["idle", "Idle", "", "", "", "", ""]
    assert [row["frame"] for row in rows[-3:]] == ["ppo-1", "ppo-2", "done"]
    assert [float(row["reward"]) for row in rows[-3:-1]] == ppo.reward[1:].tolist()
    assert [float(row["kl"]) for row in rows[-3:-1]] == ppo.kl[1:].tolist()
    assert float(rows[-1]["entropy"]) == ppo.entropy[-1]
    assert float(rows[-1]["rm_accuracy"]) == quick_run().reward.heldout_accuracy[-1]


def test_json_holds_settings_and_frames_that_give_the_same_run_again(capsys):
    record = json.loads(output(capsys, "--format", "json"))
    assert record["settings"] == {name: getattr(quick_run().settings, name) for name in CONTROLS}
    assert record["frames"] == timeline.rows(timeline.build(run(**record["settings"])))
    assert record["frames"][0] == {"frame": "idle"} | dict.fromkeys(METRICS) | {"phase": "Idle"}


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_out_writes_to_a_file_what_would_have_been_printed(capsys, tmp_path, form):
    printed = output(capsys, "--format", form)
    assert output(capsys, "--format", form, "--out", str(tmp_path / "run")) == ""
    assert (tmp_path / "run").read_bytes().decode("utf-8") == printed.replace("\n", os.linesep)


# ------------------------------------------------------------------ options


def test_help_lists_every_setting_with_label_range_and_default(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    for name, control in CONTROLS.items():
        assert f"--{name.replace('_', '-')} VALUE {control.label}" in words
        assert f"{control.allowed}; default {getattr(run().settings, name)}" in words


def test_an_option_reaches_the_run(capsys):
    options = ["--beta", "0", "--n-comparisons", "60", "--advantage", "gae", "--clip-range", "0.1", "--rollouts", "4"]
    record = json.loads(output(capsys, *options, "--format", "json"))
    ours = run(
        scenario="safety", ppo_steps=2, seed=3, beta=0, n_comparisons=60, advantage="gae", clip_range=0.1, rollouts=4
    )
    assert record["frames"][-1]["reward"] == ours.ppo.reward[-1]


def test_a_terminal_without_beta_and_dashes_still_gets_table_and_help():
    for arguments in (("--ppo-steps", "1"), ("--help",)):
        done = command(*arguments, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--beta", "2.5", "beta must be a number from 0 to 2, got 2.5"),
        ("--beta", "-1", "beta must be a number from 0 to 2, got -1"),
        ("--beta", "nan", "beta must be a number from 0 to 2, got nan"),
        ("--beta", "much", "beta must be a number from 0 to 2, got 'much'"),
        ("--beta", "", "beta must be a number from 0 to 2, got ''"),
        ("--ppo-steps", "61", "ppo_steps must be a whole number from 1 to 60, got 61"),
        ("--ppo-steps", "2.5", "ppo_steps must be a whole number from 1 to 60, got 2.5"),
        ("--scenario", "cooking", "scenario must be one of helpfulness, safety, got 'cooking'"),
        (
            "--advantage",
            "best",
            "advantage must be one of group_mean, leave_one_out, group_normalised, gae, got 'best'",
        ),
    ],
)
def test_a_bad_value_exits_2_with_field_value_and_range(capsys, option, value, message):
    assert main([option, value]) == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")


def test_the_exit_code_reaches_the_shell():
    done = command("--beta", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: beta must be a number from 0 to 2, got 3\n"


@pytest.mark.parametrize("arguments", [["--gamma", "1"], ["--format", "xml"], ["extra"], ["--beta"]])
def test_a_command_that_does_not_exist_exits_2_with_the_usage(capsys, arguments):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert "usage: python -m rlhf_core" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_exits_2_and_is_named(capsys, tmp_path):
    for path in (tmp_path, tmp_path / "no" / "folder" / "run.csv"):
        assert main([*QUICK, "--out", str(path)]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"error: out must be a file that can be written, got {path}: ")


# ------------------------------------------------------------------ what a terminal, a disk or a file may do


def shell(line: str, folder: Path = ROOT) -> tuple[int, str]:
    """Exit code and stderr of a command in a POSIX shell, where `rlhf` stands for ours."""
    if not Path("/dev/full").exists():
        pytest.skip("needs a POSIX shell and Linux's /dev/full")
    line = line.replace("rlhf", f"'{sys.executable}' -W error -m rlhf_core --ppo-steps 1")
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("rlhf > /dev/full", 1, "standard output cannot be written: No space left on device"),
        ("rlhf --format json > /dev/full", 1, "standard output cannot be written: No space left on device"),
        ("rlhf >&-", 1, "standard output is closed"),
        ("{ rlhf; echo $? >&2; } | true", 0,
         "standard output cannot be written: Broken pipe"),
        ("rlhf --out /dev/full", 2, "out must be a file that can be written, got /dev/full: No space left on device"),
    ],
)  # fmt: skip
def test_output_that_cannot_be_written_is_one_sentence_and_an_exit_code(line: str, code: int, sentence: str) -> None:
    found, said = shell(line)
    assert found == code
    assert said.splitlines() == [f"error: {sentence}", *(["1"] if "| true" in line else [])]


@pytest.mark.parametrize("line", ["rlhf > /dev/full 2> /dev/full", "rlhf >&- 2>&-"])
def test_where_nothing_can_be_said_the_exit_code_has_to_do(line: str) -> None:
    assert shell(line) == (1, "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"title = 1\n", "broken.toml: values must be a table, got None"),
        (b"title =", "broken.toml: not valid TOML: Invalid value (at end of document)"),
        (b'title = "x"\nsummary = "caf\xe9"\n', "broken.toml: must be UTF-8, got byte 0xe9 in line 2"),
    ],
)
def test_a_faulty_scenario_is_one_sentence_that_names_the_file(tmp_path: Path, content: bytes, sentence: str) -> None:
    shutil.copytree(ROOT / "rlhf_core", tmp_path / "rlhf_core", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "rlhf_core" / "scenarios" / "broken.toml").write_bytes(content)
    assert shell("rlhf --scenario broken", tmp_path) == (2, f"error: {sentence}\n")


def test_the_installed_command_is_the_same_under_its_own_name(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["rlhf-you-can-run", *QUICK, "--format", "csv"])
    assert script() == 0
    assert capsys.readouterr().out == output(capsys, "--format", "csv")
    monkeypatch.setattr(sys, "argv", ["rlhf-you-can-run", "--gamma", "1"])
    with pytest.raises(SystemExit, match=r"^2$"):
        script()
    assert "usage: rlhf-you-can-run" in capsys.readouterr().err
