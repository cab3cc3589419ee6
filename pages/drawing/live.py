"""A passage of text that can be played: one HTML template, and the words that change in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray

SLOT = re.compile(r'data-(?:slot|width)="([^"]*)"')


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """HTML whose slots are filled anew on each frame.

    Attributes
    ----------
    template : str
        HTML that this project wrote (never a reader). An element with `data-slot="name"` shows that
        value as text; `data-width="name"` takes it as its CSS width, as in "42%"; an element with
        `data-line="sample"` gets the class `lit` while the current frame has that loop line;
        `data-phase="sft"` is `lit` while that stage runs and `past` after it; a press on
        `data-seek="sft-30"` moves the playhead there; `data-flash` lights a slot that changes.
    rows : (n_frames,) int array
        Row of `values` that each frame of the timeline shows.
    values : mapping
        Slot -> one string per row. They are set as text, so they may hold anything.
    """

    template: str
    rows: Array
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fail where the mistake was made, not in the browser."""
        rows = np.asarray(self.rows)
        if rows.ndim != 1 or not len(rows) or rows.dtype.kind not in "iu" or rows.min() < 0:
            raise ValueError("rows must be a 1-d array of row indices >= 0, one per frame")
        for slot in set(SLOT.findall(self.template)) ^ set(self.values):
            raise ValueError(f"slot {slot!r} must be both in the template and in the values")
        for slot, values in self.values.items():
            if len(values) <= rows.max():
                raise ValueError(f"slot {slot!r}: {len(values)} rows, the frames need {rows.max() + 1}")
