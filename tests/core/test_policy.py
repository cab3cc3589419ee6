"""The phrase policy: tables, response probabilities, sampling and gradients."""

from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from rlhf_core import load_scenario, policy
from rlhf_core.distributions import kl_divergence
from rlhf_core.preferences import compare
from rlhf_core.settings import Settings
from tests.core.runs import run
from tests.core.tools import Tables, central_differences, random_logits, token_log_probs

SHAPES = [(5,), (3, 4), (2, 3, 4), (2, 2, 3, 2)]
SCENARIOS = ("helpfulness", "safety")


def enumerated(logits: Tables, prompt: int) -> list[list[float]]:
    """Log-probability of each token of each response, one softmax at a time, openings slowest."""
    shape = logits[-1].shape[1:]
    return [
        [
            logits[level][(prompt, *tokens[: level + 1])] - special.logsumexp(logits[level][(prompt, *tokens[:level])])
            for level in range(len(shape))
        ]
        for tokens in product(*map(range, shape))
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_pretrained_policy_has_the_phrases_logits_after_any_prefix(name: str) -> None:
    scenario = load_scenario(name)
    openings, bodies, closings = policy.pretrained(scenario)
    for prompt, slots in enumerate(scenario.phrases):
        wanted = {slot: [phrase.pretraining_logit for phrase in phrases] for slot, phrases in slots.items()}
        np.testing.assert_array_equal(openings[prompt], wanted["opening"])
        assert (bodies[prompt] == wanted["body"]).all()
        assert (closings[prompt] == wanted["closing"]).all()
    n_openings, n_bodies, n_closings = scenario.shape
    assert closings.shape == (len(scenario.prompts), n_openings, n_bodies, n_closings)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_response_is_as_likely_as_its_tokens_together(shape: tuple[int, ...]) -> None:
    logits = random_logits(0, shape)
    found = policy.response_log_probs(policy.log_tables(logits))
    for prompt in range(2):
        wanted = [sum(tokens) for tokens in enumerated(logits, prompt)]
        np.testing.assert_allclose(found[prompt], wanted, rtol=1e-12)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-12)


def test_response_37_of_80_is_opening_1_body_4_closing_1() -> None:
    # 37 = (1*5 + 4)*4 + 1. Prompt 2 starts at entry 2*4, 2*20 and 2*80 of the flattened tables.
    tables = random_logits(0, (4, 5, 4), n_prompts=3)
    found = policy.prefixes(np.array([[0], [0], [37]]), tables)
    assert [int(at[2, 0]) for at in found] == [8 + 1, 40 + 9, 160 + 37]


@pytest.mark.parametrize("shape", SHAPES)
def test_token_log_probs_are_those_along_the_responses_path(shape: tuple[int, ...]) -> None:
    logits = random_logits(1, shape)
    responses = np.random.default_rng(0).integers(0, np.prod(shape), (2, 7))
    tables = policy.log_tables(logits)
    found = policy.token_log_probs(tables, policy.prefixes(responses, tables))
    wanted = [[enumerated(logits, prompt)[response] for response in responses[prompt]] for prompt in range(2)]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_softmax_gradient_by_hand() -> None:
    # pi = (1/4, 3/4), weights (1, 2): w - pi * (1 + 2) = (1 - 3/4, 2 - 9/4)
    found = policy.softmax_gradient(np.log([0.25, 0.75]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(found, [0.25, -0.25], rtol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_softmax_gradient_matches_central_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, weights = rng.normal(0, 2, (3, 5)), rng.normal(size=(3, 5))
    (wanted,) = central_differences(lambda x: float((weights * special.log_softmax(x[0], axis=-1)).sum()), (logits,))
    np.testing.assert_allclose(
        policy.softmax_gradient(special.log_softmax(logits, axis=-1), weights), wanted, rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_gradient_matches_central_differences(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    logits = random_logits(2, shape)
    responses = rng.integers(0, np.prod(shape), (2, 6))  # some stand twice
    weights = rng.normal(size=(2, 6, len(shape)))

    def total(moved: Tables) -> float:
        return float((weights * token_log_probs(moved)[[[0], [1]], responses]).sum())

    tables = policy.log_tables(logits)
    found = policy.logits_gradient(tables, policy.prefixes(responses, tables), weights)
    for ours, wanted in zip(found, central_differences(total, logits), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_expected_gradient_of_the_log_probability_is_zero(shape: tuple[int, ...]) -> None:
    # Therefore any baseline leaves the policy gradient unbiased, and k1 as a loss teaches nothing.
    tables = policy.log_tables(random_logits(3, shape))
    everything = np.tile(np.arange(np.prod(shape)), (2, 1))
    probs = np.exp(policy.response_log_probs(tables))
    weights = np.repeat(probs[..., None], len(shape), axis=-1)
    for gradient in policy.logits_gradient(tables, policy.prefixes(everything, tables), weights):
        np.testing.assert_allclose(gradient, 0, rtol=0, atol=1e-15)


def test_a_uniform_draw_picks_the_token_whose_share_it_falls_into() -> None:
    # Shares end at 0.2, 0.5 and 1.
    uniforms = np.array([[0.0, 0.19, 0.21, 0.49, 0.51, 0.999]])[..., None]
    np.testing.assert_array_equal(policy.sample((np.log([[0.2, 0.3, 0.5]]),), uniforms), [[0, 0, 1, 1, 2, 2]])


def test_samples_are_as_frequent_as_they_are_likely() -> None:
    tables = policy.log_tables(random_logits(4, (2, 3, 2), scale=0.7))
    n = 20_000
    drawn = policy.sample(tables, np.random.default_rng(0).random((2, n, 3)))
    for prompt, log_probs in enumerate(policy.response_log_probs(tables)):
        counts = np.bincount(drawn[prompt], minlength=12)
        assert stats.chisquare(counts, n * np.exp(log_probs)).pvalue > 0.001
        assert stats.chisquare(counts, n * np.exp(log_probs[::-1])).pvalue < 1e-9  # the test has teeth


def test_impossible_tokens_are_never_drawn() -> None:
    table = np.array([[-np.inf, np.log(0.5), -np.inf, np.log(0.5), -np.inf]])
    uniforms = np.array([[0.0, 0.5, np.nextafter(1, 0)]])[..., None]
    np.testing.assert_array_equal(policy.sample((table,), uniforms), [[1, 3, 3]])


@pytest.mark.parametrize("shape", SHAPES)
def test_the_kl_of_the_positions_sums_to_the_kl_of_the_responses(shape: tuple[int, ...]) -> None:
    tables, ref_tables = (policy.log_tables(random_logits(seed, shape)) for seed in (5, 6))
    parts = policy.kl_per_position(tables, ref_tables)
    whole = kl_divergence(policy.response_log_probs(tables), policy.response_log_probs(ref_tables))
    np.testing.assert_allclose(parts.sum(axis=1), whole, rtol=1e-12)
    np.testing.assert_allclose(parts[:, 0], kl_divergence(tables[0], ref_tables[0]), rtol=1e-12)
    assert (parts >= 0).all()


def test_unlikely_and_impossible_tokens_cost_no_precision() -> None:
    first, second = np.array([[0.0, np.log(1e-300)]]), np.array([[[0.0, -np.inf], [np.log(0.5), np.log(0.5)]]])
    ref_second = np.log([[[0.25, 0.75], [0.5, 0.5]]])
    np.testing.assert_allclose(
        policy.response_log_probs((first, second)),
        [[0, -np.inf, np.log(0.5e-300), np.log(0.5e-300)]],
        rtol=1e-14,
    )
    # The first token costs 1e-300 log 2e-300, next to nothing, less log 1/2; the second log(1 / 0.25).
    found = policy.kl_per_position((first, second), (np.log([[0.5, 0.5]]), ref_second))
    np.testing.assert_allclose(found, [[np.log(2), np.log(4)]], rtol=1e-14)


# What is drawn depends on the seed alone; which response a draw becomes, on the policy.

OTHER_CONTROLS = [
    {"sft_epochs": 5},
    {"n_demonstrations": 9},
    {"sft_learning_rate": 0.6},
    {"n_comparisons": 100},
    {"label_noise": 0.0},
    {"rm_epochs": 10},
    {"beta": 1.0},
]


@pytest.mark.parametrize("control", OTHER_CONTROLS, ids=str)
def test_ppo_draws_the_same_numbers_whatever_the_other_stages_do(control: dict[str, float]) -> None:
    changed, usual = run(seed=3, **control), run(seed=3)
    stream = np.random.default_rng(np.random.SeedSequence(3).spawn(3)[2])
    for logits, rollouts in zip(changed.ppo.logits[:-1], changed.ppo.rollouts, strict=True):
        uniforms = stream.random((len(changed.scenario.prompts), changed.settings.rollouts, 3))
        np.testing.assert_array_equal(rollouts.responses, policy.sample(policy.log_tables(logits), uniforms))
    assert (changed.ppo.logits[-1][0] != usual.ppo.logits[-1][0]).any()


@pytest.mark.parametrize("control", [{"sft_epochs": 5}, {"beta": 1.0}, {"rollouts": 4}], ids=str)
def test_the_labellers_draw_the_same_numbers_whatever_the_other_stages_do(control: dict[str, float]) -> None:
    found = run(seed=3, **control)
    pairs = compare(
        found.sft.log_probs[-1],
        found.labeller_reward,
        found.scenario.heldout,
        n_comparisons=found.settings.n_comparisons,
        label_noise=found.settings.label_noise,
        rng=np.random.default_rng(np.random.SeedSequence(3).spawn(3)[1]),
    )
    np.testing.assert_array_equal(found.reward.pairs.chosen, pairs.chosen)
    np.testing.assert_array_equal(found.reward.pairs.rejected, pairs.rejected)


def test_controls_of_later_stages_leave_earlier_ones_alone() -> None:
    usual, changed = run(seed=3), run(seed=3, n_comparisons=100, ppo_epochs=1)
    np.testing.assert_array_equal(usual.sft.log_probs, changed.sft.log_probs)
    np.testing.assert_array_equal(usual.reward.weights, run(seed=3, beta=1.0).reward.weights)


def test_no_two_stages_share_a_stream() -> None:
    # Were PPO to draw from the first or second stream, its first rollouts would be these.
    found = run(seed=3)
    shape = (len(found.scenario.prompts), Settings().rollouts, 3)
    for stream in np.random.SeedSequence(3).spawn(3)[:2]:
        uniforms = np.random.default_rng(stream).random(shape)
        drawn = policy.sample(policy.log_tables(found.ppo.logits[0]), uniforms)
        assert (drawn != found.ppo.rollouts[0].responses).mean() > 0.5
