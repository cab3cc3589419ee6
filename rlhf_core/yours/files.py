"""A reader's file as text: unpacked within bounds, decoded, its lines and its JSON read within bounds too.

Every fault is a `ValueError` whose sentence says where it is and what is allowed.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGEST_FILE = 20_000_000
"""Bytes, packed or not."""
LONGEST_LINE = 1_000_000
"""Characters."""
MOST_OBJECTS = 1_000_000
"""Objects and lists of a JSON text: each takes some fifty times its two characters once it is read."""
FILLED = re.compile("[^\n]+")


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


def loads(text: str) -> Any:
    """What a JSON text holds.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deep, or of more than `MOST_OBJECTS` objects and lists.
    """
    if text.count("{") + text.count("[") > MOST_OBJECTS:
        raise ValueError(f"the file must hold at most {MOST_OBJECTS:,} JSON objects and lists")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers, one at a time: a file may have millions.

    Raises
    ------
    ValueError
        If one is longer than `LONGEST_LINE`.
    """
    number, end = 1, 0
    for match in FILLED.finditer(text):
        number += text.count("\n", end, match.start())
        end = match.end()
        if end - match.start() > LONGEST_LINE:
            raise ValueError(
                f"line {number} must have at most {LONGEST_LINE:,} characters, got {end - match.start():,}"
            )
        if line := match[0].strip():
            yield number, line
