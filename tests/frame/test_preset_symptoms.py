"""Presets show their own symptom in the checks of the Metrics page, and the healthy default shows none."""

from functools import cache

import pytest

from pages.frame.presets import PRESETS, settings_of
from rlhf_core import Settings, run_pipeline
from rlhf_core.yours import diagnose, of_run

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


@cache
def flags(key: str, scenario: str) -> list[dict[str, str]]:
    """Per seed: name of each check that speaks, with its verdict."""
    found = []
    for seed in SEEDS:
        ours = run_pipeline(settings_of(PRESETS[key], Settings(scenario=scenario, seed=seed)))
        speaks = [finding for finding in diagnose(of_run(ours)) if finding.verdict != "healthy"]
        found.append({finding.name: finding.verdict for finding in speaks})
    return found


def test_every_preset_has_a_symptom():
    assert set(OWN) == set(PRESETS) - {"healthy"}


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("key", OWN)
def test_a_preset_shows_its_own_symptom(key: str, scenario: str) -> None:
    assert sum(OWN[key] in found for found in flags(key, scenario)) >= 0.9 * len(SEEDS)


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_the_healthy_default_shows_none(scenario: str) -> None:
    assert flags("healthy", scenario) == [{}] * len(SEEDS)
