"""The reader's own case: what a record of a training run shows."""

from rlhf_core.yours.diagnosis import Finding, diagnose
from rlhf_core.yours.record import Record, of_run

__all__ = ["Finding", "Record", "diagnose", "of_run"]
