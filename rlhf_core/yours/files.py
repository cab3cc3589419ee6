"""A reader's file as records: unpacked within bounds, decoded, and taken apart whatever its container is.

Every fault is a `ValueError` whose sentence says where it is and what is allowed.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_FILE = 20_000_000
"""Bytes, packed or not."""
LONGEST_LINE = 1_000_000
"""Characters."""
MOST_RECORDS = 200_000
SHOWN = 60
TEXT_FORMATS = ("jsonl", "json", "csv", "tsv")


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a file, each with the number of the line on which it begins."""

    rows: tuple[dict[str, Any], ...]
    lines: tuple[int, ...]
    container: str
    """jsonl, json, csv, tsv or parquet."""


def read_bytes(path: Path | str) -> bytes:
    """A file's bytes, if it is not too large.

    Raises
    ------
    ValueError
        If the file cannot be read, or is larger than `LARGEST_FILE`.
    """
    try:
        size = Path(path).stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"{path} must be at most {LARGEST_FILE // 1_000_000} MB, got {size / 1e6:.1f} MB")
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def unpacked(data: bytes) -> bytes:
    """Bytes without gzip, never more than `LARGEST_FILE` of them.

    Raises
    ------
    ValueError
        If they are damaged, empty or too many.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(LARGEST_FILE + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"the gzip file is damaged: {error}") from None
    if len(data) > LARGEST_FILE:
        raise ValueError(f"the file must hold at most {LARGEST_FILE // 1_000_000} MB once unpacked")
    if not data.strip(b"\x00 \t\r\n"):
        raise ValueError("the file is empty")
    return data


def decoded(data: bytes) -> str:
    """Text of a file: UTF-8 or UTF-16, with or without a byte order mark.

    Raises
    ------
    ValueError
        If it is neither, naming the line of the first byte that does not fit, or is no text at all.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
        if b"\x00" in data:
            line = data[: data.index(b"\x00")].count(b"\n") + 1
            raise ValueError(f"line {line} holds a NUL byte; the file must be text in UTF-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not UTF-8; save the file as UTF-8") from None


def records(data: bytes, name: str = "") -> Records:
    """Records of a file in any of the containers that people use.

    Parameters
    ----------
    data : bytes
        As uploaded; gzip is unpacked.
    name : str
        Its name, of which only the ending is read: it decides between CSV and TSV, and names Parquet.

    Raises
    ------
    ValueError
        If the file cannot be read; names line and reason.
    """
    data = unpacked(data)
    if data[:4] == b"PAR1":
        return _parquet(data)
    text = decoded(data)
    head = text.lstrip()[:1]
    if head == "[":
        return _json_list(text)
    if head == "{":
        return _json_lines(text)
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise ValueError("the file is a web page or XML; expected JSONL, JSON, CSV or TSV")
    return _table(text, "\t" if name.lower().removesuffix(".gz").endswith(".tsv") else "")


def _json_lines(text: str) -> Records:
    rows, lines = [], []
    for number, line in _lines(text):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            whole = _whole(text) if number == 1 else None
            if whole is not None:
                return whole
            reason = getattr(error, "msg", "nested too deep")
            raise ValueError(f"line {number} is not JSON: {reason}") from None
        if not isinstance(value, dict):
            raise ValueError(f"line {number} must be a JSON object, got {_shown(value)}")
        rows.append(value)
        lines.append(number)
        _not_too_many(len(rows))
    return Records(tuple(rows), tuple(lines), "jsonl")


def _whole(text: str) -> Records | None:
    """A file that is one JSON object over several lines, or one that holds a list of records under a name."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
    rows = max(lists, key=len) if lists else [value]
    _not_too_many(len(rows))
    return Records(tuple(row for row in rows if isinstance(row, dict)), tuple(range(1, len(rows) + 1)), "json")


def _json_list(text: str) -> Records:
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} is not JSON: {error.msg}") from None
    except ValueError as error:
        raise ValueError(f"the file is not JSON: {error}") from None
    _not_too_many(len(values))
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise ValueError(f"entry {number} must be a JSON object, got {_shown(value)}")
    return Records(tuple(values), tuple(range(1, len(values) + 1)), "json")


def _table(text: str, delimiter: str) -> Records:
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = delimiter or max("\t,;", key=first.count)
    if delimiter not in first:
        raise ValueError(f"line 1 must be a header with columns, or JSON; got {_shown(first)}")
    csv.field_size_limit(LONGEST_LINE)
    rows, lines = [], []
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", restval=None)
    try:
        for row in reader:
            if row.get(""):
                raise ValueError(f"line {reader.line_num} has more cells than the header")
            rows.append({name.strip(): value for name, value in row.items() if name})
            lines.append(reader.line_num)
            _not_too_many(len(rows))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is not {'TSV' if delimiter == chr(9) else 'CSV'}: {error}") from None
    if not rows:
        raise ValueError("the table has a header and no rows")
    return Records(tuple(rows), tuple(lines), "tsv" if delimiter == "\t" else "csv")


def _parquet(data: bytes) -> Records:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ValueError("Parquet needs the package pyarrow; save the file as JSONL or CSV") from None
    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        _not_too_many(file.metadata.num_rows)
        if sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)) > LARGEST_FILE:
            raise ValueError(f"the file must hold at most {LARGEST_FILE // 1_000_000} MB once unpacked")
        rows = file.read().to_pylist()
    except (ArrowException, OSError) as error:
        raise ValueError(f"the Parquet file is damaged: {str(error)[:SHOWN]}") from None
    if not rows:
        raise ValueError("the file has no rows")
    return Records(tuple(rows), tuple(range(1, len(rows) + 1)), "parquet")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"line {number} must have at most {LONGEST_LINE:,} characters, got {len(line):,}")
        if line.strip():
            yield number, line


def _not_too_many(count: int) -> None:
    if count > MOST_RECORDS:
        raise ValueError(f"the file must hold at most {MOST_RECORDS:,} records")


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.{SHOWN}}"
    except (ValueError, RecursionError):
        return f"a large {type(value).__name__}"
