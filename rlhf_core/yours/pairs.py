"""Preference pairs that somebody brings: read, counted, and checked for what makes them harder to use."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rlhf_core.policy import Indices
from rlhf_core.yours import containers, files, shapes
from rlhf_core.yours.shapes import Columns

MOST_PAIRS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class PreferencePairs:
    """N pairs with a preference, as texts, and what was met while they were read."""

    prompt: tuple[str, ...]
    """Empty texts where the file has none."""
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    shape: str
    """Container and shape in words, as in "jsonl, strings"."""
    ties: int
    """Pairs without a preference, which are left out."""
    empty: int
    """Pairs with an empty answer, which are left out."""
    prompts_differ: int
    """Pairs whose two dialogues ask different things."""
    notes: tuple[str, ...]

    @property
    def group(self) -> Indices:
        """(N,) number of each pair's prompt; pairs without a prompt are each their own."""
        seen: dict[str, int] = {}
        keys = [text or f"\x00{i}" for i, text in enumerate(self.prompt)]
        return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)

    @property
    def identical(self) -> int:
        """Pairs whose two answers are the same."""
        return sum(a == b for a, b in zip(self.chosen, self.rejected, strict=True))

    @property
    def duplicates(self) -> int:
        """Pairs that stand in the file before."""
        return len(self.chosen) - len(set(zip(self.prompt, self.chosen, self.rejected, strict=True)))

    @property
    def contradictory(self) -> int:
        """Pairs that stand in the file the other way round as well."""
        counted = Counter(zip(self.prompt, self.chosen, self.rejected, strict=True))
        return sum(n for (p, a, b), n in counted.items() if a != b and (p, b, a) in counted)

    @property
    def longer_wins(self) -> float:
        """Share of pairs whose chosen answer has more characters; equal ones count one half."""
        gap = np.array([len(a) - len(b) for a, b in zip(self.chosen, self.rejected, strict=True)])
        return float(np.where(gap == 0, 0.5, gap > 0).mean())


def load_pairs(path: Path | str, columns: Columns | None = None) -> PreferencePairs:
    """Read preference pairs from a JSONL, JSON, CSV, TSV or Parquet file, packed with gzip or not.

    Parameters
    ----------
    path : path
    columns : Columns, optional
        Which columns hold prompt, chosen and rejected answer, where their names do not say so.

    Raises
    ------
    ValueError
        If the file cannot be read or holds no preferences; names line and reason.
    """
    return parse_pairs(files.read_bytes(path), str(path), columns)


def parse_pairs(data: bytes, name: str, columns: Columns | None = None) -> PreferencePairs:
    """The same from bytes, as of an upload; of its name only the ending is read.

    Raises
    ------
    ValueError
        If there are more than `MOST_PAIRS`, none with a preference, or anything that `containers` and `shapes` refuse.
    """
    records = containers.records(data, name)
    try:
        shaped = shapes.shaped(records.rows, records.lines, columns)
    except RecursionError:
        raise ValueError("an answer or a prompt is nested too deep") from None
    if not shaped.chosen:
        raise ValueError(f"no pair has two answers and a preference ({shaped.ties} ties, {shaped.empty} empty)")
    if len(shaped.chosen) > MOST_PAIRS:
        raise ValueError(f"the file must hold at most {MOST_PAIRS:,} pairs, got {len(shaped.chosen):,}")
    return PreferencePairs(
        prompt=tuple(shaped.prompts),
        chosen=tuple(shaped.chosen),
        rejected=tuple(shaped.rejected),
        shape=f"{records.container}, {shaped.shape}",
        ties=shaped.ties,
        empty=shaped.empty,
        prompts_differ=shaped.prompts_differ,
        notes=tuple(shaped.notes),
    )
