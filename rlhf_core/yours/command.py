"""The reader's own files in a terminal: `python -m rlhf_core pairs FILE` and `python -m rlhf_core log FILE`."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rlhf_core.terminal import put, refuse
from rlhf_core.yours.log_diagnosis import diagnose_log
from rlhf_core.yours.logs import Log, load_log
from rlhf_core.yours.pairs import PreferencePairs, load_pairs
from rlhf_core.yours.preference_fit import PairsReport, fit_pairs
from rlhf_core.yours.trainers import recognise


def pairs(arguments: list[str], name: str) -> int:
    """Report on a file of preference pairs as JSON; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"{name} pairs", description="How much of some preferences style explains.")
    formats = "JSONL, JSON, CSV, TSV or Parquet, packed with gzip or not"
    parser.add_argument("file", type=Path, metavar="FILE", help=formats)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to FILE instead of the terminal")
    options = parser.parse_args(arguments)
    try:
        report = fit_pairs(load_pairs(options.file))
    except ValueError as error:
        return refuse(error)
    text = json.dumps(as_report(report), indent=1) + "\n"
    if options.out is None:
        return put(text)
    try:
        options.out.write_text(text, encoding="utf-8")
    except OSError as error:
        return refuse(f"out must be a file that can be written, got {options.out}: {error.strerror}")
    return 0


def as_counts(met: PreferencePairs) -> dict[str, Any]:
    """What `pairs` prints of the pairs themselves, without a fit."""
    return {
        "pairs": len(met.chosen),
        "prompts": len(set(met.group.tolist())),
        "ties": met.ties,
        "identical": met.identical,
        "duplicates": met.duplicates,
        "contradictory": met.contradictory,
        "empty": met.empty,
        "prompts_differ": met.prompts_differ,
        "longer_wins": met.longer_wins,
    }


def as_report(report: PairsReport) -> dict[str, Any]:
    """What `pairs` prints."""
    met = report.pairs
    return {
        **as_counts(met),
        "train_accuracy": report.train_accuracy,
        "heldout_accuracy": report.heldout_accuracy,
        "heldout_interval": list(report.heldout_interval),
        "longer_wins_accuracy": report.longer_wins_accuracy,
        "shape": met.shape,
        "strongest": [[name, weight] for name, weight in (*report.style[:5], *report.words)],
        "blind": list(report.blind),
        "notes": list(met.notes),
    }


def log(arguments: list[str], name: str) -> int:
    """Say what a training log shows, as text or JSON; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"{name} log", description="What a training log shows, and what to do.")
    parser.add_argument("file", type=Path, metavar="FILE", help="JSONL, JSON, CSV, a table, or what a trainer printed")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default text")
    options = parser.parse_args(arguments)
    try:
        found = as_diagnosis(load_log(options.file))
    except ValueError as error:
        return refuse(error)
    return put(json.dumps(found, indent=1) + "\n" if options.format == "json" else as_text(found))


def as_diagnosis(found: Log) -> dict[str, Any]:
    """What `log` prints as JSON."""
    return {
        "trainer": recognise(found).name,
        "rows": len(found.steps),
        "steps": [float(found.steps[0]), float(found.steps[-1])],
        "series": list(found.series),
        "findings": [finding._asdict() for finding in diagnose_log(found)],
    }


def as_text(found: Mapping[str, Any]) -> str:
    """What `log` prints as text: what is seen first, what could not be judged last."""
    first, last = found["steps"]
    lines = [f"{found['trainer']}, {found['rows']} rows, steps {first:g} to {last:g}", ""]
    order = ("unhealthy", "watch", "healthy", "unknown")
    for finding in sorted(found["findings"], key=lambda each: order.index(each["verdict"])):
        lines.append(f"{finding['verdict']:<10} {finding['name']}: {finding['evidence']}")
        lines += [f"{'':<11}{finding['advice']}"] if finding["advice"] else []
    return "\n".join([*lines, "", "No log shows what people think of the answers, or how good the labels were.", ""])


COMMANDS: Mapping[str, Callable[[list[str], str], int]] = {"pairs": pairs, "log": log}
