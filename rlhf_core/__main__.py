"""The pipeline in a terminal: `python -m rlhf_core --beta 0.3 --format csv`, or `rlhf-you-can-run` where installed."""

import argparse
import csv
import io
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from rlhf_core import timeline
from rlhf_core.pipeline import run_pipeline
from rlhf_core.scenarios import load_scenario
from rlhf_core.settings import CONTROLS, Settings, parse
from rlhf_core.terminal import finish, put, refuse
from rlhf_core.timeline import METRICS, Timeline
from rlhf_core.yours.command import COMMANDS
from rlhf_core.yours.scenario import load_brought

MODULE, SCRIPT = "python -m rlhf_core", "rlhf-you-can-run"
"""Names of the command: as it is always there, and as `pip install` puts it on the path."""


def parser(name: str = MODULE) -> argparse.ArgumentParser:
    """One option per setting, with its label, unit, range and default."""
    result = argparse.ArgumentParser(
        prog=name,
        description="Run the RLHF pipeline and print the six metrics, one row per frame.",
        epilog=f"Your own files: {name} pairs FILE, {name} log FILE, {name} --scenario FILE.toml.",
    )
    for spec in fields(Settings):
        control = CONTROLS[spec.name]
        unit = f" [{control.unit}]" if control.unit else ""
        result.add_argument(
            f"--{spec.name.replace('_', '-')}",
            default=str(spec.default),
            metavar="VALUE",
            help=f"{control.label}{unit}: {control.help} {control.allowed}; default {spec.default}".replace("%", "%%"),
        )
    result.add_argument("--format", choices=("table", "csv", "json"), default="table", help="default table")
    result.add_argument("--out", type=Path, metavar="FILE", help="write to FILE instead of the terminal")
    return result


def main(arguments: list[str] | None = None, name: str = MODULE) -> int:
    """Run the command; returns the exit code, 2 for a value that is not allowed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without β or – still gets its table
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        return finish(lambda: COMMANDS[words[0]](words[1:], name))
    return finish(lambda: _run(vars(parser(name).parse_args(words))))


def script() -> int:
    """The command `rlhf-you-can-run`, which is the same."""
    return main(name=SCRIPT)


def _run(options: dict[str, Any]) -> int:
    try:
        settings = Settings(**{spec.name: _read(spec.name, options[spec.name]) for spec in fields(Settings)})
        load_scenario(settings.scenario)  # which may be a faulty file of the reader's own
    except ValueError as error:
        return refuse(error)
    line = timeline.build(run_pipeline(settings))
    text = {"table": as_table, "csv": as_csv, "json": as_json}[options["format"]](line, settings)
    if options["out"] is None:
        return put(text)
    try:
        options["out"].write_text(text, encoding="utf-8")
    except OSError as error:
        return refuse(f"out must be a file that can be written, got {options['out']}: {error.strerror}")
    return 0


def _read(name: str, text: str) -> Any:
    """The value of an option; a scenario may be a file of one's own."""
    return load_brought(text) if name == "scenario" and text.endswith(".toml") else parse(name, text)


def as_table(line: Timeline, settings: Settings) -> str:
    """Aligned columns as the metric tiles show them."""
    head = ("Frame", *(spec.label for spec in METRICS))
    body = [
        (frame.name, *(spec.write(frame.metrics, line.n_steps) for spec in METRICS))
        for frame in timeline.tabulated(line)
    ]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in (head, *body)
    )


def as_csv(line: Timeline, settings: Settings) -> str:
    """Comma-separated values in full precision; empty where not yet produced."""
    records = timeline.rows(line)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()


def as_json(line: Timeline, settings: Settings) -> str:
    """Settings and frames in full precision; null where not yet produced."""
    return json.dumps({"settings": asdict(settings), "frames": timeline.rows(line)}, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
