"""The record of a run: the names and shapes that programs rely on, read-only, reproducible, one stream per stage."""

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import rlhf_core
from rlhf_core import PipelineRun, Settings, ppo, preferences, run_pipeline, sft, timeline
from rlhf_core.pipeline import PPO_SETTINGS, first_stages
from rlhf_core.settings import CONTROLS
from tests.core.runs import run
from tests.core.test_settings import settings_strategy

SMALL = {
    "scenario": "safety", "seed": 3, "ppo_steps": 2, "rollouts": 5, "n_demonstrations": 2, "sft_epochs": 3,
    "n_comparisons": 50, "rm_epochs": 7, "advantage": "gae",
}  # fmt: skip
DERIVED = ("responses", "rewards", "log_ratio_to_ref", "advantages", "ratio")
EXACT = SMALL | {"rollouts": 0, "advantage": "group_mean"}


def arrays(value: object, path: str = "run") -> Iterator[tuple[str, np.ndarray]]:
    """Every array that can be reached from a value, with the way to it."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif isinstance(value, tuple | list):
        for i, item in enumerate(value):
            yield from arrays(item, f"{path}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from arrays(item, f"{path}[{key!r}]")
    elif is_dataclass(value):
        derived = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        for name in (*(spec.name for spec in fields(value)), *derived):
            yield from arrays(getattr(value, name), f"{path}.{name}")


# ------------------------------------------------------------------ public names and shapes


def test_the_package_gives_the_public_names():
    assert {"Settings", "run_pipeline", "load_scenario"} <= set(rlhf_core.__all__)
    assert all(hasattr(rlhf_core, name) for name in rlhf_core.__all__)


@pytest.mark.parametrize("given", [{}, SMALL, EXACT], ids=["defaults", "small", "exact"])
def test_every_array_has_the_shape_of_the_design(given):
    ours = run(**given)
    s = ours.settings
    P, R, F, T, N = 12, 80, 12, s.ppo_steps, s.n_comparisons
    G = s.rollouts or R
    expected = {
        "scenario.true_reward": (P, R),
        "scenario.appeal": (P, R),
        "labeller_reward": (P, R),
        "sft.loss": (s.sft_epochs + 1,),
        "sft.heldout_loss": (s.sft_epochs + 1,),
        "sft.log_probs": (s.sft_epochs + 1, P, R),
        "reward.loss": (s.rm_epochs + 1,),
        "reward.train_accuracy": (s.rm_epochs + 1,),
        "reward.heldout_accuracy": (s.rm_epochs + 1,),
        "reward.weights": (s.rm_epochs + 1, F),
        "reward.features": (P, R, F),
        "reward.scores": (P, R),
        "reward.pairs.prompt": (N,),
        "reward.pairs.chosen": (N,),
        "reward.pairs.rejected": (N,),
        "reward.pairs.heldout": (N,),
        "ppo.log_probs": (T + 1, P, R),
        **{
            f"ppo.{name}": (T + 1,)
            for name in (
                "reward", "kl", "entropy", "objective", "true_reward", "labeller_reward", "clip_fraction",
            )
        },
        **{f"ppo.logits[{k}][{n}]": (P, *(4, 5, 4)[: n + 1]) for k in range(T + 1) for n in range(3)},
        **{f"ppo.rollouts[{k}].{name}": (P, G) for k in range(T) for name in ("responses", "rewards")},
        **{f"ppo.rollouts[{k}].{name}": (P, G, 3) for k in range(T) for name in ("log_ratio_to_ref", "advantages")},
        "optimum.log_probs": (P, R),
        **{f"frontier.{name}": ours.frontier.betas.shape for name in ("reward", "kl", "true_reward")},
    }
    found = {path.removeprefix("run."): array for path, array in arrays(ours)}
    assert {path: found[path].shape for path in expected} == expected
    assert found["reward.pairs.heldout"].dtype == bool
    assert len(ours.ppo.logits) == T + 1 and len(ours.ppo.rollouts) == T


def test_plain_values_have_the_types_of_the_design():
    ours = run()
    assert ours.settings == Settings()
    assert len(ours.scenario.prompts) == 12 and {len(texts) for texts in ours.scenario.responses} == {80}
    assert len(ours.reward.feature_names) == 12 and all(type(name) is str for name in ours.reward.feature_names)
    for name in ("reward", "kl", "entropy", "objective", "true_reward"):
        assert type(getattr(ours.optimum, name)) is float


# ------------------------------------------------------------------ what the entries mean


def test_the_stages_hand_over_base_policy_reference_and_scores():
    ours = run()
    # The base policy: independent phrases, each ∝ exp(pretraining_logit).
    slots = [np.exp([p.pretraining_logit for p in row]) for row in ours.scenario.phrases[7].values()]
    base = np.einsum("o,b,c->obc", *(row / row.sum() for row in slots)).ravel()
    np.testing.assert_allclose(np.exp(ours.sft.log_probs[0, 7]), base, rtol=1e-12)
    np.testing.assert_array_equal(ours.ppo.log_probs[0], ours.sft.log_probs[-1])
    ref = np.exp(ours.sft.log_probs[-1])
    np.testing.assert_allclose((ref * ours.reward.scores).sum(axis=1), 0, atol=1e-12)
    assert (ref * ours.reward.scores**2).sum(axis=1).mean() == pytest.approx(1, rel=1e-12)


def test_reported_figures_are_means_over_prompts_of_exact_expectations():
    ours, k = run(beta=0.3), 5
    probs, ref = np.exp(ours.ppo.log_probs[k]), np.exp(ours.ppo.log_probs[0])
    kl = (probs * np.log(probs / ref)).sum() / 12
    reward = (probs * ours.reward.scores).sum() / 12
    assert ours.ppo.reward[k] == pytest.approx(reward, rel=1e-12)
    assert ours.ppo.kl[k] == pytest.approx(kl, rel=1e-12)
    assert ours.ppo.objective[k] == pytest.approx(reward - 0.3 * kl, rel=1e-12)
    assert ours.ppo.entropy[k] == pytest.approx(-(probs * np.log(probs)).sum() / 12, rel=1e-12)
    truth, appeal = ((probs * each).sum() / 12 for each in (ours.scenario.true_reward, ours.scenario.appeal))
    assert ours.ppo.true_reward[k] == pytest.approx(truth, rel=1e-12)
    assert ours.ppo.labeller_reward[k] == pytest.approx(truth + ours.settings.labeller_bias * appeal, rel=1e-12)


def test_rollouts_record_what_the_policy_before_the_step_sampled():
    ours, k, p, g = run(), 4, 2, 17
    batch = ours.ppo.rollouts[k]
    response = batch.responses[p, g]
    o, b, c = response // 20, response // 4 % 5, response % 4
    assert batch.rewards[p, g] == ours.reward.scores[p, response]

    def tokens(logits: tuple) -> np.ndarray:
        rows = logits[0][p], logits[1][p, o], logits[2][p, o, b]
        return np.array([row[i] - math.log(np.exp(row).sum()) for row, i in zip(rows, (o, b, c), strict=True)])

    expected = tokens(ours.ppo.logits[k]) - tokens(ours.ppo.logits[0])
    np.testing.assert_allclose(batch.log_ratio_to_ref[p, g], expected, atol=1e-12)
    assert batch.log_ratio_to_ref[p, g].sum() == pytest.approx(
        ours.ppo.log_probs[k, p, response] - ours.ppo.log_probs[0, p, response], abs=1e-12
    )


@pytest.mark.parametrize("advantage", ["group_mean", "gae"])
def test_what_is_derived_is_what_the_step_was_trained_on(advantage):
    """`update` started from the derived numbers arrives at the recorded policy and ratio, bit for bit."""
    ours = run(advantage=advantage, rollouts=0 if advantage == "group_mean" else 16)
    for k, batch in enumerate(ours.ppo.rollouts):
        share = np.exp(ours.ppo.log_probs[k])[..., None] if advantage == "group_mean" else 1 / 16
        logits, ratio, clipped = ppo.update(
            ours.ppo.logits[k], batch.responses, batch.advantages, weights=share, clip_range=0.2, n_epochs=4,
            learning_rate=0.8,
        )  # fmt: skip
        assert all((a == b).all() for a, b in zip(logits, ours.ppo.logits[k + 1], strict=True))
        assert (ratio == batch.ratio).all() and clipped == ours.ppo.clip_fraction[k + 1]


def test_a_heavy_run_is_kept_in_few_bytes():
    """60 steps of 256 rollouts: 18 MB if every number per token were kept."""
    heavy = run_pipeline(Settings(ppo_steps=60, rollouts=256))
    kept = {id(owner(array)): owner(array).nbytes for _, array in stored(heavy)}
    assert sum(kept.values()) < 3e6


def stored(value: object) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a record that it holds itself."""
    derived = tuple(f"].{name}" for name in DERIVED)
    return ((path, array) for path, array in arrays(value) if not path.endswith(derived))


def owner(array: np.ndarray) -> np.ndarray:
    """The array that holds the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def test_pairs_hold_two_different_responses_and_know_their_prompts_split():
    pairs = run().reward.pairs
    assert (pairs.chosen != pairs.rejected).all()
    np.testing.assert_array_equal(pairs.heldout, np.asarray(pairs.prompt) >= 9)


# ------------------------------------------------------------------ read-only and reproducible


@pytest.mark.parametrize("given", [{}, SMALL, EXACT, {"beta": 0}], ids=["defaults", "small", "exact", "beta 0"])
def test_every_array_of_a_run_is_read_only(given):
    found = dict(arrays(run(**given)))
    assert len(found) > 60
    assert [path for path, array in found.items() if array.flags.writeable] == []
    with pytest.raises(ValueError, match="read-only"):
        found["run.ppo.reward"][0] = 1


def test_a_run_cannot_be_given_other_parts():
    for part in (run(), run().sft, run().reward, run().reward.pairs, run().ppo, run().ppo.rollouts[0], run().optimum):
        with pytest.raises(AttributeError):
            setattr(part, fields(part)[0].name, None)


@pytest.mark.parametrize("given", [{}, SMALL, EXACT], ids=["defaults", "small", "exact"])
def test_the_same_settings_give_the_same_bits(given):
    first = dict(arrays(run(**given)))
    first_stages.cache_clear()  # or else two of the stages would be compared with themselves
    second = dict(arrays(run_pipeline(Settings(**given))))
    assert first.keys() == second.keys()
    assert all(first[path].dtype == second[path].dtype for path in first)
    assert [path for path in first if first[path].tobytes() != second[path].tobytes()] == []


@pytest.mark.parametrize("name", [spec.name for spec in fields(Settings)])
def test_only_runs_that_differ_in_ppo_share_the_first_stages(name):
    control = CONTROLS[name]
    other = run_pipeline(replace(Settings(), **{name: control.choices[1] if control.choices else control.maximum}))
    default_run = run_pipeline(Settings())
    shared = other.sft is default_run.sft and other.reward is default_run.reward
    assert shared == (name in PPO_SETTINGS)
    first_stages.cache_clear()
    assert same(run_pipeline(other.settings), other)


def test_another_seed_changes_every_stage():
    ours, other = run(seed=0), run(seed=1)
    assert (ours.sft.demonstrations != other.sft.demonstrations).any()
    assert (ours.reward.pairs.chosen != other.reward.pairs.chosen).any()
    assert (ours.ppo.rollouts[0].responses != other.ppo.rollouts[0].responses).any()


# ------------------------------------------------------------------ one random stream per stage


def stream(seed: int, stage: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[stage])


def same(ours: object, theirs: object) -> bool:
    pairs = zip(arrays(ours), arrays(theirs), strict=True)
    return all(a.tobytes() == b.tobytes() for (_, a), (_, b) in pairs)


CHANGED = {
    "sft": {"n_demonstrations": 9, "sft_epochs": 3, "sft_learning_rate": 0.4},
    "reward": {"n_comparisons": 100, "label_noise": 2.0, "labeller_bias": 1.5, "rm_epochs": 9, "rm_l2": 0.1},
    "ppo": {"beta": 1.0, "ppo_steps": 2, "rollouts": 3, "advantage": "gae", "clip_range": 0.5, "ppo_epochs": 1},
}


@pytest.mark.parametrize("changed", [{}, *CHANGED.values()], ids=["defaults", *CHANGED])
def test_each_stage_can_be_replayed_alone_from_its_own_stream(changed):
    ours = run(seed=7, **changed)
    s, world, ref = ours.settings, ours.scenario, ours.sft.log_probs[-1]
    again = sft.train(
        world, n_demonstrations=s.n_demonstrations, n_epochs=s.sft_epochs, learning_rate=s.sft_learning_rate,
        rng=stream(7, 0),
    )  # fmt: skip
    assert same(again, ours.sft)
    pairs = preferences.compare(
        ref, world.true_reward + s.labeller_bias * world.appeal, world.heldout, n_comparisons=s.n_comparisons,
        label_noise=s.label_noise, rng=stream(7, 1),
    )  # fmt: skip
    assert same(pairs, ours.reward.pairs)
    rewards = (ours.reward.scores, world.true_reward, ours.labeller_reward)
    assert same(ppo.train(ours.sft.logits, *rewards, s, stream(7, 2)), ours.ppo)


@pytest.mark.parametrize("stage", ["reward", "ppo"])
def test_controls_of_a_later_stage_leave_the_earlier_ones_alone(stage):
    ours, other = run(), run(**CHANGED[stage])
    assert same(ours.sft, other.sft)
    assert same(ours.reward, other.reward) == (stage == "ppo")


def test_earlier_stages_do_not_shift_the_draws_of_ppo():
    # Inverting the cumulative distribution, the first uniform draw decides the opening alone; so with the recorded
    # policy and the stream that the seed gives to PPO, the sampled openings follow without the code under test.
    for changed in (CHANGED["sft"], CHANGED["reward"]):
        ours = run(seed=5, **changed)
        uniforms = stream(5, 2).random((12, ours.settings.rollouts, 3))[..., 0]
        openings = np.exp(ours.sft.log_probs[-1]).reshape(12, 4, 20).sum(axis=2).cumsum(axis=1)
        expected = [np.searchsorted(row, u, side="right") for row, u in zip(openings, uniforms, strict=True)]
        np.testing.assert_array_equal(ours.ppo.rollouts[0].responses // 20, expected)


def test_more_demonstrations_keep_the_first_ones():
    few, many = run(n_demonstrations=2).sft, run(n_demonstrations=9).sft
    np.testing.assert_array_equal(many.demonstrations[:, :2], few.demonstrations)


def test_more_comparisons_keep_the_first_ones():
    few, many = run(n_comparisons=100).reward.pairs, run().reward.pairs
    np.testing.assert_array_equal(many.chosen[:100], few.chosen)
    np.testing.assert_array_equal(many.rejected[:100], few.rejected)


@pytest.mark.parametrize("changed", [{"label_noise": 5}, {"label_noise": 0, "labeller_bias": 2}], ids=str)
def test_labellers_change_the_choices_but_not_the_pairs(changed):
    calm, noisy = run(label_noise=0, labeller_bias=0).reward.pairs, run(**changed).reward.pairs
    for picked in (np.minimum, np.maximum):
        np.testing.assert_array_equal(picked(calm.chosen, calm.rejected), picked(noisy.chosen, noisy.rejected))
    assert (calm.chosen != noisy.chosen).mean() > 0.1


# ------------------------------------------------------------------ no legal settings break it

EXTREMES = [
    {"ppo_learning_rate": 20, "ppo_epochs": 10, "ppo_steps": 60, "clip_range": 0.9, "beta": 0, "rollouts": 1},
    {"ppo_learning_rate": 20, "ppo_epochs": 10, "ppo_steps": 60, "clip_range": 0.9, "beta": 2, "rollouts": 0},
    {"advantage": "group_normalised", "rollouts": 1, "ppo_learning_rate": 20},
    {"advantage": "leave_one_out", "rollouts": 1, "ppo_learning_rate": 20},
    {"advantage": "gae", "rollouts": 0, "ppo_learning_rate": 20, "ppo_epochs": 10, "ppo_steps": 60, "beta": 2},
    {"label_noise": 0, "rm_l2": 0, "rm_learning_rate": 0.6, "rm_epochs": 300, "n_comparisons": 24},
    {"sft_learning_rate": 2, "sft_epochs": 100, "n_demonstrations": 1, "label_noise": 0, "beta": 0},
    {"beta": 5e-324, "label_noise": 5e-324, "rm_l2": 5e-324},
]


def check_sound(ours: PipelineRun) -> None:
    unsound = [path for path, array in arrays(ours) if not np.isfinite(array).all()]
    # The optimum for beta = 0, and for a beta that is no more than rounding, rules out all but the best responses.
    assert [path for path in unsound if path != "run.optimum.log_probs" or ours.settings.beta > 1e-300] == []
    assert not np.isnan(ours.optimum.log_probs).any() and math.isfinite(ours.optimum.objective)
    np.testing.assert_allclose(np.exp(ours.optimum.log_probs).sum(axis=-1), 1, atol=1e-9)
    np.testing.assert_allclose(np.exp(ours.ppo.log_probs).sum(axis=-1), 1, atol=1e-9)
    assert (ours.ppo.objective <= ours.optimum.objective + 1e-9).all()
    assert (ours.ppo.kl >= -1e-12).all() and (ours.ppo.entropy >= 0).all()
    assert timeline.build(ours).frames[-1].name == "done"


@pytest.mark.parametrize("given", EXTREMES, ids=range(len(EXTREMES)))
@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_extreme_settings_give_a_sound_run_without_a_warning(scenario, given):
    check_sound(run(scenario=scenario, **given))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(settings_strategy())
def test_any_legal_settings_give_a_sound_run_without_a_warning(ours):
    check_sound(run_pipeline(ours))
