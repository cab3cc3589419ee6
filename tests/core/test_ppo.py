"""PPO: the clipped surrogate, its update replayed by independent code, and the figures of the trace."""

import numpy as np
import pytest
from scipy import special

from rlhf_core import PipelineRun, Settings, policy, ppo
from rlhf_core.ppo import clipped_surrogate
from tests.core.replay import replay
from tests.core.runs import run
from tests.core.tools import Tables, central_differences, random_logits, token_log_probs

SCENARIOS = ("helpfulness", "safety")
ESTIMATORS = ("group_mean", "leave_one_out", "group_normalised", "gae")

# The clipped surrogate


def surrogate_of(ratio: float, advantage: float, clip_range: float = 0.2) -> ppo.Surrogate:
    return clipped_surrogate(np.log([ratio]), np.zeros(1), np.array([advantage]), clip_range=clip_range, weights=1.0)


@pytest.mark.parametrize(
    ("ratio", "advantage", "objective", "gradient"),
    [
        # min(rho A, clip(rho, 0.8, 1.2) A), and rho A where the first is the smaller
        (1.5, 2.0, 2.4, 0.0),  # good and already too likely: stop
        (0.5, -2.0, -1.6, 0.0),  # bad and already too unlikely: stop
        (0.5, 2.0, 1.0, 1.0),  # good but has become less likely: correct
        (1.5, -2.0, -3.0, -3.0),  # bad but has become more likely: correct
        (1.1, 2.0, 2.2, 2.2),  # within the range: plain policy gradient
    ],
)
def test_clipping_cuts_the_gradient_on_two_of_four_sides(
    ratio: float, advantage: float, objective: float, gradient: float
) -> None:
    found = surrogate_of(ratio, advantage)
    assert found.objective == pytest.approx(objective, rel=1e-14)
    assert found.gradient[0] == pytest.approx(gradient, rel=1e-14)
    assert found.clipped[0] == (gradient == 0)


def test_at_the_old_policy_the_ratio_is_exactly_one_and_nothing_is_clipped() -> None:
    rng = np.random.default_rng(0)
    log_probs, advantage = -rng.exponential(5, (3, 4)), rng.normal(size=(3, 4))
    found = clipped_surrogate(log_probs, log_probs, advantage, clip_range=0.01, weights=0.25)
    assert (found.ratio == 1).all()
    assert not found.clipped.any()
    np.testing.assert_array_equal(found.gradient, 0.25 * advantage)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_in_the_logits_matches_central_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, old_logits = random_logits(seed, (2, 3, 2)), random_logits(seed + 50, (2, 3, 2))
    responses, advantage = rng.integers(0, 12, (2, 9)), rng.normal(size=(2, 9, 3))
    weights = rng.random((2, 9, 1))
    at = ([[0], [1]], responses)
    old = token_log_probs(old_logits)[at]

    def total(moved: Tables) -> float:
        ratio = np.exp(token_log_probs(moved)[at] - old)
        gain = np.where(advantage > 0, np.minimum(ratio, 1.2), np.maximum(ratio, 0.8)) * advantage
        return float((weights * gain).sum())

    tables = policy.log_tables(logits)
    positions = policy.prefixes(responses, tables)
    found = clipped_surrogate(
        policy.token_log_probs(tables, positions), old, advantage, clip_range=0.2, weights=weights
    )
    assert found.objective == pytest.approx(total(logits), rel=1e-12)
    assert 0 < found.clipped.mean() < 1
    gradient = policy.logits_gradient(tables, positions, found.gradient)
    for ours, wanted in zip(gradient, central_differences(total, logits), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("advantage", [1.0, -1.0, 0.0])
@pytest.mark.parametrize("log_ratio", [1000.0, -1000.0])
def test_a_log_ratio_of_a_thousand_is_finite_and_silent(log_ratio: float, advantage: float) -> None:
    found = clipped_surrogate(np.array([log_ratio]), np.zeros(1), np.array([advantage]), clip_range=0.2, weights=1.0)
    assert np.isfinite([found.objective, found.gradient[0], found.ratio[0]]).all()


def test_a_clip_range_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"clip_range must be > 0, got 0"):
        surrogate_of(1.0, 1.0, clip_range=0)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"shapes differ: \(2,\), \(2,\), \(3,\)"):
        clipped_surrogate(np.zeros(2), np.zeros(2), np.zeros(3), clip_range=0.2, weights=1.0)


# The update, replayed by independent code


def assert_replays(found: PipelineRun, prompts: range) -> None:
    for prompt in prompts:
        for k, step in enumerate(replay(found, prompt)):
            rollouts = found.ppo.rollouts[k]
            np.testing.assert_array_equal(rollouts.rewards[prompt], step.rewards)
            for name in ("log_ratio_to_ref", "advantages", "ratio"):
                np.testing.assert_allclose(getattr(rollouts, name)[prompt], getattr(step, name), rtol=0, atol=1e-10)
            for table, wanted in zip(found.ppo.logits[k + 1], step.logits, strict=True):
                np.testing.assert_allclose(table[prompt], wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("rollouts", [32, 0], ids=["sampled", "exact"])
@pytest.mark.parametrize("advantage", ESTIMATORS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_step_replays_from_its_recorded_logits_and_rollouts(name: str, advantage: str, rollouts: int) -> None:
    assert_replays(run(scenario=name, advantage=advantage, rollouts=rollouts), range(1, 12, 3))


@pytest.mark.parametrize("advantage", ESTIMATORS)
def test_an_eager_run_in_which_much_is_clipped_replays_too(advantage: str) -> None:
    found = run(advantage=advantage, rollouts=8, ppo_learning_rate=5.0, ppo_epochs=6, clip_range=0.05, beta=0.5)
    assert found.ppo.clip_fraction[1:].min() > 0.2
    assert_replays(found, range(3))


@pytest.mark.parametrize("rollouts", [32, 0], ids=["sampled", "exact"])
def test_the_clip_fraction_is_the_share_of_token_gradients_that_were_cut(rollouts: int) -> None:
    found = run(ppo_steps=3, rollouts=rollouts)
    shares = [[step.clip_fraction for step in replay(found, prompt)] for prompt in range(len(found.scenario.prompts))]
    assert found.ppo.clip_fraction[0] == 0
    assert found.ppo.clip_fraction[1] > 0.01
    np.testing.assert_allclose(found.ppo.clip_fraction[1:], np.mean(shares, axis=0), rtol=1e-10)


# What the update means


def test_the_first_gradient_step_is_plain_policy_gradient() -> None:
    # With one epoch rho = 1: the step is the learning rate times the gradient of mean_i A_i log pi(y_i).
    found = run(ppo_epochs=1, ppo_steps=1)
    batch, start, end = found.ppo.rollouts[0], found.ppo.logits[0], found.ppo.logits[1]
    rows = np.arange(len(found.scenario.prompts))[:, None]

    def surrogate(moved: Tables) -> float:
        return float((batch.advantages * token_log_probs(moved)[rows, batch.responses]).mean(axis=1).sum())

    for before, after, slope in zip(start, end, central_differences(surrogate, start), strict=True):
        np.testing.assert_allclose(after - before, found.settings.ppo_learning_rate * slope, rtol=0, atol=1e-8)


def test_with_one_epoch_the_clip_range_cannot_matter() -> None:
    narrow, wide = (run(ppo_epochs=1, clip_range=clip_range).ppo for clip_range in (0.01, 0.9))
    np.testing.assert_array_equal(narrow.log_probs, wide.log_probs)
    assert not narrow.clip_fraction.any()


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_with_the_exact_expectation_the_first_gradient_step_climbs_the_objective_itself(beta: float) -> None:
    # group_mean, second step: J = E r - beta KL(pi || ref), each prompt its own, by central differences.
    found = run(ppo_epochs=1, ppo_steps=2, rollouts=0, beta=beta)
    start, end, ref_log_probs = found.ppo.logits[1], found.ppo.logits[2], found.ppo.log_probs[0]

    def objectives(moved: Tables) -> float:
        log_probs = token_log_probs(moved).sum(axis=-1)
        return float((np.exp(log_probs) * (found.reward.scores - beta * (log_probs - ref_log_probs))).sum())

    for before, after, slope in zip(start, end, central_differences(objectives, start), strict=True):
        np.testing.assert_allclose(after - before, found.settings.ppo_learning_rate * slope, rtol=0, atol=1e-8)


@pytest.mark.parametrize("rollouts", [32, 0], ids=["sampled", "exact"])
def test_clipping_does_not_bound_the_ratio(rollouts: int) -> None:
    # The default clip range is 0.2, and the last of four epochs has left it on both sides.
    ratios = np.stack([batch.ratio for batch in run(rollouts=rollouts).ppo.rollouts])
    assert ratios.max() > 1.3
    assert ratios.min() < 0.75


def test_each_prompt_climbs_its_own_surrogate() -> None:
    # So neither its neighbours nor their number change what a prompt learns.
    found = run(rollouts=0)
    alone = ppo.train(
        tuple(table[2:4] for table in found.ppo.logits[0]),
        found.reward.scores[2:4],
        found.scenario.true_reward[2:4],
        found.labeller_reward[2:4],
        found.settings,
        np.random.default_rng(0),
    )
    np.testing.assert_allclose(alone.log_probs, found.ppo.log_probs[:, 2:4], rtol=0, atol=1e-12)


def trained(logits: Tables, rewards: np.ndarray, advantage: str, rollouts: int, beta: float = 0.0) -> ppo.PPOTrace:
    settings = Settings(advantage=advantage, rollouts=rollouts, beta=beta, ppo_steps=5)
    return ppo.train(logits, rewards, rewards, rewards, settings, np.random.default_rng(0))


def test_where_rewards_are_zero_and_the_leash_is_off_nothing_is_learnt() -> None:
    for advantage in ESTIMATORS:
        for rollouts in (0, 1, 4):
            ends = trained(random_logits(0, (2, 3, 2)), np.zeros((2, 12)), advantage, rollouts).logits
            for first, last in zip(ends[0], ends[-1], strict=True):
                np.testing.assert_array_equal(first, last)


@pytest.mark.parametrize("advantage", ["group_mean", "leave_one_out", "group_normalised"])
def test_a_single_rollout_has_no_group_to_beat_and_teaches_nothing(advantage: str) -> None:
    rewards = np.random.default_rng(0).normal(size=(2, 12))
    ends = trained(random_logits(0, (2, 3, 2)), rewards, advantage, 1).logits
    for first, last in zip(ends[0], ends[-1], strict=True):
        np.testing.assert_array_equal(first, last)


def test_a_single_rollout_does_teach_a_policy_that_has_a_value_function() -> None:
    rewards = np.random.default_rng(0).normal(size=(2, 12))
    ends = trained(random_logits(0, (2, 3, 2)), rewards, "gae", 1).logits
    assert np.abs(ends[-1][0] - ends[0][0]).max() > 0.01


@pytest.mark.parametrize("rollouts", [0, 1, 16])
@pytest.mark.parametrize("advantage", ESTIMATORS)
def test_probabilities_of_1e_300_are_finite_and_silent(advantage: str, rollouts: int) -> None:
    # Half of all tokens have probability 1e-300, and it is they that the reward wants.
    rare = np.log(1e-300)
    logits = (np.array([[0.0, rare]]), np.array([[[0.0, rare], [rare, 0.0]]]))
    found = trained(logits, np.array([[0.0, 1000.0, 0.0, 1000.0]]), advantage, rollouts, beta=2.0)
    for values in (
        found.log_probs,
        found.reward,
        found.kl,
        found.entropy,
        found.objective,
        found.loss,
        *found.logits[-1],
    ):
        assert np.isfinite(values).all()


# The figures of the trace


@pytest.mark.parametrize("name", SCENARIOS)
def test_figures_are_exact_expectations_and_means_over_prompts(name: str) -> None:
    found = run(scenario=name)
    ref_log_probs = found.sft.log_probs[-1]
    for k, logits in enumerate(found.ppo.logits):
        log_probs = token_log_probs(logits).sum(axis=-1)
        probs = np.exp(log_probs)
        reward = (probs * found.reward.scores).sum(axis=1).mean()
        kl = (probs * (log_probs - ref_log_probs)).sum(axis=1).mean()
        np.testing.assert_allclose(found.ppo.log_probs[k], log_probs, rtol=0, atol=1e-12)
        assert found.ppo.reward[k] == pytest.approx(reward, abs=1e-12)
        assert found.ppo.kl[k] == pytest.approx(kl, abs=1e-12)
        assert found.ppo.objective[k] == pytest.approx(reward - found.settings.beta * kl, abs=1e-12)
        assert found.ppo.entropy[k] == pytest.approx(special.entr(probs).sum(axis=1).mean(), abs=1e-12)
        assert found.ppo.true_reward[k] == pytest.approx((probs * found.scenario.true_reward).sum(axis=1).mean())


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_trace_starts_at_the_reference_policy(name: str) -> None:
    found = run(scenario=name)
    for table, reference in zip(found.ppo.logits[0], found.sft.logits, strict=True):
        np.testing.assert_array_equal(table, reference)
    assert found.ppo.kl[0] == 0
    assert found.ppo.reward[0] == pytest.approx(0, abs=1e-12)


def test_the_kl_of_the_positions_sums_to_the_kl() -> None:
    found = run().ppo
    np.testing.assert_allclose(found.kl_per_position.sum(axis=-1).mean(axis=-1), found.kl, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rollouts", [32, 0], ids=["sampled", "exact"])
def test_the_loss_is_minus_the_clipped_surrogate_and_starts_at_zero(rollouts: int) -> None:
    # A group's advantages average to zero and rho = 1, so the loss says nothing about how good the policy is.
    found = run(rollouts=rollouts)
    np.testing.assert_allclose(found.ppo.loss[:, 0], 0, rtol=0, atol=1e-12)
    for k, batch in enumerate(found.ppo.rollouts):
        share = np.exp(found.ppo.log_probs[k])[..., None] if rollouts == 0 else 1 / rollouts
        gain = np.where(batch.advantages > 0, np.minimum(batch.ratio, 1.2), np.maximum(batch.ratio, 0.8))
        wanted = -(share * gain * batch.advantages).sum(axis=(1, 2)).mean()
        assert found.ppo.loss[k, 1] == pytest.approx(wanted, rel=1e-10)
        assert found.ppo.loss[k, 1] < 0
