"""Records as files and as tables."""

import csv
import io
from collections.abc import Sequence


def markdown_table(rows: Sequence[dict[str, object]]) -> str:
    """Records as a Markdown table."""
    heads = list(rows[0])
    lines = [heads, ["---"] * len(heads), *([str(row[head]) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_csv(rows: Sequence[dict[str, object]]) -> str:
    """Records as CSV, one header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["empty"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
