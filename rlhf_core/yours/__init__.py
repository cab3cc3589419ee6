"""The reader's own case: preference pairs, training logs, and what a record of a run shows.

>>> from rlhf_core.yours import diagnose_log, fit_pairs, load_log, load_pairs
>>> fit_pairs(load_pairs("pairs.jsonl")).heldout_accuracy  # doctest: +SKIP
>>> diagnose_log(load_log("log.jsonl"))  # doctest: +SKIP
"""

from rlhf_core.yours.diagnosis import Finding, diagnose
from rlhf_core.yours.log_diagnosis import diagnose_log
from rlhf_core.yours.logs import Log, load_log
from rlhf_core.yours.pairs import PreferencePairs, load_pairs
from rlhf_core.yours.preference_fit import PairsReport, fit_pairs
from rlhf_core.yours.record import Record, of_run
from rlhf_core.yours.scenario import load_brought

__all__ = [
    "Finding",
    "Log",
    "PairsReport",
    "PreferencePairs",
    "Record",
    "diagnose",
    "diagnose_log",
    "fit_pairs",
    "load_brought",
    "load_log",
    "load_pairs",
    "of_run",
]
