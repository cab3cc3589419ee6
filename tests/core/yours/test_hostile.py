"""Twenty megabytes of whatever somebody makes up: a sentence, in seconds and within bounds of memory."""

import gzip
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rlhf_core.yours.containers import records
from rlhf_core.yours.files import LARGEST_FILE
from rlhf_core.yours.logs import MOST_KEYS, parse_log
from rlhf_core.yours.pairs import parse_pairs

ROOT = Path(__file__).parents[3]
MOST_SECONDS, MOST_MB = 20, 300


def full(unit: bytes, head: bytes = b"") -> bytes:
    """As much of one thing as a file may hold."""
    return head + unit * ((LARGEST_FILE - len(head)) // len(unit))


def wide(n_columns: int) -> bytes:
    return full(b"," * (n_columns - 1) + b"\n", ",".join(f"c{i}" for i in range(n_columns)).encode() + b"\n")


def many_keys() -> bytes:
    rows = (json.dumps({f"k{i}_{j}": 1 for j in range(350)}).encode() for i in range(3000))
    return b"\n".join(rows)


LARGE = {
    "blank lines": (lambda: full(b"\n", b"x"), "header", "header"),
    "tiny rows": (lambda: full(b'{"a":1,"b":2}\n'), "at most 200,000 records", "at most 50,000 rows"),
    "a list of tiny rows": (lambda: full(b'{"a":1},', b"["), "1,000,000 JSON objects", "line 1 must have at most"),
    "brackets": (lambda: full(b"["), "1,000,000 JSON objects", "line 1 must have at most"),
    "braces that are nothing": (lambda: full(b"{a}\n"), "line 1 is not JSON", "the 10,001th in braces"),
    "long braces": (lambda: full(b"{" + b"a," * 40_000 + b"}\n"), "line 1 is not JSON", "line 1 is not JSON"),
    "lists in Python": (lambda: full(b"{'a': [" + b"1," * 49_000 + b"]}\n"), "line 1 is not JSON", "no row of named"),
    "100,000 columns": (lambda: wide(100_000), "1,000 columns, got 100,000", "1,000 columns, got 100,000"),
    "1,000 columns": (lambda: wide(1000), "at most 2,000,000 cells", "at most 2,000,000 cells"),
    "an open quote": (lambda: full(b"a", b'prompt,chosen,rejected\n"'), "line 1 is not CSV", "line 2 must have"),
    "pipes": (lambda: full(b"|\n"), "header", "at most 50,000 lines"),
    "a line of a console": (lambda: full(b"a:1 ", b"step:1 - "), "header", "line 1 must have at most 1,000,000"),
    "ever other names": (many_keys, "no columns for a chosen", f"first {MOST_KEYS} columns"),
}  # fmt: skip
"""What it is, why it holds no pairs, and why it is no log, or what is noted of one."""


def outcome(read, data: bytes) -> str:
    try:
        found = read(data)
    except ValueError as error:
        return str(error)
    return " ".join(found.notes)


def costs() -> dict[str, list[object]]:
    """By name: both sentences and seconds of processor time; MB of all besides, for a process of its own."""
    before, found = peak(), {}
    for name, (make, _, _) in LARGE.items():
        data = make()
        assert len(data) <= LARGEST_FILE
        start = time.process_time()
        said = [outcome(lambda given: parse_pairs(given, "f.csv"), data), outcome(parse_log, data)]
        found[name] = [*said, time.process_time() - start]
    return found | {"MB": [peak() - before]}


def peak() -> float:
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")
def test_a_large_file_of_nonsense_costs_little_and_gets_a_sentence() -> None:
    script = "import json; from tests.core.yours import test_hostile; print(json.dumps(test_hostile.costs()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    for name, (_, no_pairs, no_log) in LARGE.items():
        of_pairs, of_log, seconds = found[name]
        assert no_pairs in of_pairs and no_log in of_log and seconds < MOST_SECONDS, (name, found[name])
    assert found["MB"][0] < MOST_MB


def parquet(**columns: object) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    file = io.BytesIO()
    write_table(pyarrow.table(columns), file, compression="gzip")
    return file.getvalue()


def test_parquet_that_unpacks_to_gigabytes_is_refused() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    long, n_rows = "x" * 300_000, 20_000  # 6 GB
    entries = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * n_rows, pyarrow.int32()), pyarrow.array([long]))
    bomb = parquet(chosen=entries, rejected=entries)
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="at most 20 MB once unpacked"):
        records(bomb)
    entries = pyarrow.array(["yes", "no"] * 20).dictionary_encode()
    rows = records(parquet(chosen=entries, n=list(range(40)))).rows
    assert len(rows) == 40 and rows[17] == {"chosen": "no", "n": 17}


SMALL = {
    "an answer of many lists": (b'{"chosen": ' + b"[" * 900 + b'"x"' + b"]" * 900 + b', "rejected": "b"}', "too deep"),
    "a number of a million digits": (b'{"chosen": ' + b"1" * 900_000 + b', "rejected": 2}', "Exceeds the limit"),
    "a rank that is no number": (b"prompt,answer,rank\na,b,nan\na,c,1\n", "line 2: rank must be a number, got 'nan'"),
    "an infinite rank": (b"prompt,answer,rank\na,b,1\na,c,inf\n", "line 3: rank must be a number, got 'inf'"),
    "an empty list": (b"[]", "the file holds an empty list"),
    "gzip twice": (gzip.compress(gzip.compress(b"prompt,chosen,rejected\n")), "NUL byte"),
    "half of a UTF-16 letter": (b"\xff\xfe" + b"a\0" * 9 + b"x", "line 1 is not UTF-8"),
    "nothing": (b'{"chosen": null, "rejected": null}', "these records hold no text"),
    "long names of columns": (b'{"' + b"x" * 9000 + b'": "a", "y": "b"}', "no columns for a chosen"),
}


@pytest.mark.parametrize(("data", "reason"), SMALL.values(), ids=SMALL)
def test_a_small_file_of_nonsense_gets_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_pairs(data, "f.csv")
    assert len(str(caught.value)) < 300


def test_a_log_of_numbers_without_end_is_read() -> None:
    log = parse_log(b'{"step": 1e999, "a": 1, "b": 2}\n{"step": NaN, "a": 1, "b": 3}\n{"step": -1e308, "a": 1e308}')
    assert len(log.steps) == 2 and log.series["a"].tolist() == [1e308, 1.0]
    printed = parse_log(b"{'a': 1, 'b': nan, 'c': None, 'd': -inf}\n{'a': 2, 'b': 3, 'c': \"it's\", 'd': 0}\n")
    assert printed.series["b"][1] == 3 and printed.series["d"][0] == -float("inf") and "c" not in printed.series
