"""The reference cases: values of torch, scipy, choix, sympy, mpmath and TRL that `rlhf_core` reproduces."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reference.adapters import ADAPT, OMITTED

GROUPS = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))["groups"]
CASES = [case for group in GROUPS.values() for case in group["cases"]]
COMPARED = [case for case in CASES if "*" not in OMITTED.get(case["kind"], {})]
NEVER_OMITTED = {
    "bt_loss", "softmax_metrics", "kl_probs", "kl_estimators", "objective_grad", "optimum", "ppo_bandit", "ppo_loss",
    "gae", "group_advantages", "reward_shaping", "sft", "sequence_policy", "best_of_n", "dpo", "dpo_bandit", "gao",
}  # fmt: skip


def expectations(case: dict[str, Any]) -> dict[str, Any]:
    """The expected values that are compared: neither mere evidence nor omitted."""
    omitted = OMITTED.get(case["kind"], {})
    return {key: value for key, value in case["expected"].items() if not key.endswith("_info") and key not in omitted}


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Arrays and scalars of an expected value, records within lists taken apart."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def compare(got: Any, expected: Any, tolerance: dict[str, Any], key: str) -> None:
    limits = {**tolerance, **tolerance.get("per_key", {}).get(key, {})}
    found, wanted = dict(leaves(got, key)), dict(leaves(expected, key))
    assert found.keys() == wanted.keys()
    for path, value in wanted.items():
        actual, target = np.array(found[path], dtype=np.float64), np.array(value, dtype=np.float64)
        assert actual.shape == target.shape, path
        np.testing.assert_allclose(
            actual, target, rtol=limits["rtol"], atol=limits["atol"], equal_nan=False, err_msg=path
        )


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['kind']}-{case['name']}") for case in COMPARED])
def test_the_core_reproduces(case: dict[str, Any]) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        got = ADAPT[case["kind"]](case["inputs"])
    for key, expected in expectations(case).items():
        compare(got[key], expected, case["tolerance"], key)


def test_as_many_cases_and_values_are_compared_as_ever() -> None:
    values = [
        np.size(value)
        for case in COMPARED
        for key, item in expectations(case).items()
        for _, value in leaves(item, key)
    ]
    assert (len(CASES), len(COMPARED), sum(values)) == (178, 170, 6930)


def test_every_kind_is_either_adapted_or_omitted_with_a_reason() -> None:
    kinds = {case["kind"] for case in CASES}
    omitted = {kind for kind, keys in OMITTED.items() if "*" in keys}
    assert omitted | ADAPT.keys() == kinds
    assert not omitted & (ADAPT.keys() | NEVER_OMITTED)
    assert all(len(reason) > 10 for keys in OMITTED.values() for reason in keys.values())


def test_only_keys_that_exist_are_omitted() -> None:
    keys = {kind: {key for case in CASES if case["kind"] == kind for key in case["expected"]} for kind in OMITTED}
    assert all(omitted.keys() <= {"*"} | keys[kind] for kind, omitted in OMITTED.items())


@pytest.mark.parametrize(
    "wrong",
    [[1.0, 2.0 + 3e-6], [1.0], [[1.0, 2.0]], [1.0, np.nan], [1.0, np.inf]],
    ids=["too far off", "too short", "wrong shape", "nan", "inf"],
)
def test_the_comparison_refuses(wrong: Any) -> None:
    compare([1.0, 2.0 + 1e-6], [1.0, 2.0], {"rtol": 1e-6, "atol": 0}, "key")
    with pytest.raises(AssertionError):
        compare(wrong, [1.0, 2.0], {"rtol": 1e-6, "atol": 0}, "key")
