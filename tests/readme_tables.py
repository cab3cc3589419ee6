"""Tables of the README that are made from the code: `python tests/readme_tables.py` prints them."""

from dataclasses import fields

from rlhf_core import Settings
from rlhf_core.settings import CONTROLS


def parameters() -> str:
    """One row per setting: URL parameter, what it is, what is allowed, default."""
    rows = ["| Parameter | What | Allowed | Default |", "|---|---|---|---|"]
    for spec in fields(Settings):
        control = CONTROLS[spec.name]
        unit = f" [{control.unit}]" if control.unit else ""
        rows.append(f"| `{spec.name}` | {control.label}{unit} | {control.allowed} | {spec.default} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(parameters())
