"""Presets show their own symptom in the checks of the Metrics page, and the healthy default shows none.

The log of such a run shows less: what it shows, and which faults are in no log, is said here and on the page of logs.
"""

from functools import cache

import pytest

from pages.frame.presets import PRESETS, settings_of
from pages.frame.yours.log import HIDDEN
from rlhf_core import Settings, run_pipeline
from rlhf_core.yours import diagnose, diagnose_log, of_run
from rlhf_core.yours.diagnosis import Finding
from rlhf_core.yours.export import COLUMNS, as_trl_log
from rlhf_core.yours.logs import parse_log

SEEDS = range(20)
OWN = {
    "beta_too_high": "The score rises",
    "reward_hacking": "The policy stays near",
    "biased_labellers": "Labellers are not fooled",
    "over_refusal": "Labellers are not fooled",
    "noisy_labels": "Labellers agree",
    "learning_rate_too_high": "Steps are small",
    "entropy_collapse": "Answers stay varied",
    "too_few_comparisons": "The reward model beats a coin",
}
"""The symptom that a preset is made to show."""


IN_A_LOG = {
    "beta_too_high": {"PPO": "The penalty leaves room", "GRPO": "The score rises"},
    "learning_rate_too_high": {"PPO": "Steps are small", "GRPO": "Clipping is rare"},
    "entropy_collapse": {"PPO": "Clipping is rare", "GRPO": "Sampled answers differ"},
}
"""What its log shows, in the columns of either trainer."""
FAR = {"The KL stays bounded", "Tokens stay undecided", "Sampled answers differ", "Scores keep their spread"}
"""Checks that speak where a policy has gone far, whatever for."""


@cache
def flags(key: str, scenario: str) -> dict[str, list[dict[str, str]]]:
    """Of the run itself and of its log in either trainer's columns, per seed: each check that speaks, its verdict."""
    found: dict[str, list[dict[str, str]]] = {kind: [] for kind in ("run", *COLUMNS)}
    for seed in SEEDS:
        ours = run_pipeline(settings_of(PRESETS[key], Settings(scenario=scenario, seed=seed)))
        found["run"].append(_speaks(diagnose(of_run(ours)), ("watch", "unhealthy", "unknown")))
        for kind in COLUMNS:
            log = parse_log(as_trl_log(ours, kind).encode())
            found[kind].append(_speaks(diagnose_log(log), ("watch", "unhealthy")))
    return found


def _speaks(findings: tuple[Finding, ...], verdicts: tuple[str, ...]) -> dict[str, str]:
    return {finding.name: finding.verdict for finding in findings if finding.verdict in verdicts}


def test_every_preset_has_a_symptom():
    assert set(OWN) == set(PRESETS) - {"healthy"}


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("key", OWN)
def test_a_preset_shows_its_own_symptom(key: str, scenario: str) -> None:
    assert sum(OWN[key] in found for found in flags(key, scenario)["run"]) >= 0.9 * len(SEEDS)


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_the_healthy_default_shows_none(scenario: str) -> None:
    assert set(map(str, (each for found in flags("healthy", scenario).values() for each in found))) == {"{}"}


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_what_a_log_shows_of_a_preset_and_what_no_log_shows(kind: str, scenario: str) -> None:
    assert {*IN_A_LOG, *HIDDEN} == set(OWN)
    for key, names in IN_A_LOG.items():
        assert sum(names[kind] in found for found in flags(key, scenario)[kind]) >= 0.9 * len(SEEDS), key
    for key in HIDDEN:
        assert set().union(*flags(key, scenario)[kind]) <= FAR, key
