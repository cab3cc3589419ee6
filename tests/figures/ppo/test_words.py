"""Live passages of the PPO page: what they show is the run's, and what they show adds up."""

import re

import numpy as np
import pytest

from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import number
from pages.figures.ppo import follow, loop, objective, responses
from pages.figures.ppo.words import NARRATED, RULES, adding_up, batch_rows, figures, name, operand, steps
from pages.frame.narration import narrate
from pages.stage.storyboard import encode_live
from tests.figures.ppo.test_ppo import WORLDS, view

DASH = "\N{EN DASH}"
PASSAGES = {
    "objective": objective.objective,
    "loop": loop.loop,
    "kl_sum": responses.kl_sum,
    **{f"policies, {rule}": follow.policies(rule) for rule in RULES},
    **{f"token_rewards, {rule}": follow.token_rewards(rule) for rule in RULES},
    **{f"advantage, {rule}": follow.advantage_instance(rule) for rule in RULES},
}
EACH_WORLD = pytest.mark.parametrize("world", WORLDS, ids=str)
EACH_RULE = pytest.mark.parametrize("rule", RULES)


def read(text: str) -> float:
    return float(text.strip("()").replace("\N{MINUS SIGN}", "-"))


def rows(live: Live, *slots: str) -> list[tuple[float, ...]]:
    """What a reader sees in some slots, as numbers, wherever they hold any."""
    table = zip(*(live.values[slot] for slot in slots), strict=True)
    return [tuple(read(cell) for cell in row) for row in table if DASH not in row]


def agrees(shown: float, reached: float) -> bool:
    """Whether a reader who computes from what is shown arrives at the shown result."""
    return number(reached) == number(shown)


@pytest.mark.parametrize("passage", PASSAGES)
@EACH_WORLD
def test_every_passage_can_be_played(passage, world):
    live = PASSAGES[passage](view(**world))
    assert len(live.rows) == len(view(**world).timeline.frames)
    assert not re.search(r"nan|inf\b|None", " ".join(cell for column in live.values.values() for cell in column))
    assert len(encode_live(live).body) < 25_000


@EACH_WORLD
def test_the_objective_adds_up_and_is_the_trace(world):
    look = view(**world)
    live, beta, trace = objective.objective(look), look.run.settings.beta, look.run.ppo
    before = [frame.phase in ("idle", "sft", "rm") for frame in look.timeline.frames]
    assert [live.values["j"][row] == DASH for row in live.rows] == before
    for ending in ("", "-end", "-best"):
        for reward, kl, value in rows(live, f"r{ending}", f"k{ending}", f"j{ending}"):
            assert agrees(value, reward - beta * kl)
    for k, (reward, kl, value) in enumerate(rows(live, "r", "k", "j")):
        assert abs(reward - trace.reward[k]) < 0.006 and abs(kl - max(trace.kl[k], 0)) < 0.006
        assert number(value) == number(trace.objective[k])
    assert read(live.values["j-best"][0]) == pytest.approx(look.run.optimum.objective, abs=0.006)


@EACH_RULE
@EACH_WORLD
def test_ratio_and_log_ratio_follow_from_the_shown_probabilities(rule, world):
    look = view(**world)
    live = follow.policies(rule)(look)
    for new, old, ratio in rows(live, "new", "old", "ratio"):
        assert agrees(ratio, new / old)
    for old, ref, log_ratio in rows(live, "old-k", "ref-k", "k"):
        assert agrees(log_ratio, np.log(old / ref))
    for k, step in enumerate(steps(look)):
        g = step.follow(rule)
        response = step.responses[g]
        assert live.values["name"][1 + 2 * k] == name(look, int(response))
        assert live.values["ratio"][1 + 2 * k] == "1.00"  # before the update the two are one
        after = look.run.ppo.log_probs[k + 1, look.prompt, response] - look.run.ppo.log_probs[k, look.prompt, response]
        assert live.values["ratio"][2 + 2 * k] == number(np.exp(after))
        assert np.exp(after) == pytest.approx(step.ratio[g].prod())
        assert live.values["k"][1 + 2 * k] == number(step.log_ratio[g].sum())


@EACH_RULE
@EACH_WORLD
def test_penalty_is_minus_beta_times_log_ratio_and_the_score_comes_last(rule, world):
    look = view(**world)
    live, beta = follow.token_rewards(rule)(look), look.run.settings.beta
    cells = re.findall(r'<div class="po-token">.*?</div>', live.template)
    assert [f"− {beta:g} × " in cell for cell in cells] == [True] * 3
    assert ['class="reward num"' in cell for cell in cells] == [False, False, True]
    for *parts, total in rows(live, "k0-", "k1-", "k2-", "k"):
        assert agrees(total, sum(parts))
    for reward, log_ratio, earned in rows(live, "r", "k-", "total"):
        assert agrees(earned, reward - beta * log_ratio)
    for row, step in enumerate(steps(look), start=1):
        g = step.follow(rule)
        earned = step.rewards[g] - beta * step.log_ratio[g].sum()
        assert live.values["total"][row] == number(earned)


@EACH_RULE
@EACH_WORLD
def test_the_advantage_instance_is_the_chosen_estimators(rule, world):
    look = view(**world)
    live = follow.advantage_instance(rule)(look)
    settings = look.run.settings
    slots = ("earned", "baseline", "spread") if settings.advantage == "group_normalised" else ("earned", "baseline")
    for *terms, advantage in rows(live, *slots, "advantage"):
        reached = terms[0] - terms[1]
        assert agrees(advantage, reached / terms[2] if len(terms) == 3 else reached)
    for row, step in enumerate(steps(look), start=1):
        g = step.follow(rule)
        earned = step.rewards - settings.beta * step.log_ratio.sum(axis=1)
        assert live.values["advantage"][row] == number(step.advantages[g, -1])
        others = np.delete(earned, g)
        baseline = {
            "group_mean": step.weights @ earned,
            "group_normalised": step.weights @ earned,
            "leave_one_out": step.weights @ earned if settings.rollouts == 0 or not len(others) else others.mean(),
        }.get(settings.advantage)
        if baseline is not None:
            assert read(live.values["baseline"][row]) == pytest.approx(baseline, abs=0.006)
        assert row != 1 or settings.advantage != "gae" or read(live.values["baseline"][1]) == 0  # V starts at 0


@EACH_WORLD
def test_kl_as_a_sum_adds_up_to_the_prompts_and_names_the_tile(world):
    look = view(prompt=7, **world)
    live = responses.kl_sum(look)
    slots = [slot for slot in live.values if slot.startswith("term")]
    for *terms, total in rows(live, *slots, "sum"):
        assert agrees(total, sum(terms))
    exact = look.run.ppo.kl_per_position[:, 7].sum(axis=1)
    assert live.values["sum"] == [number(kl) for kl in (exact[-1], *exact)]
    shown = {frame.name: live.values["tile"][row] for frame, row in zip(look.timeline.frames, live.rows, strict=True)}
    for frame in look.timeline.frames:
        if frame.metrics.kl is not None:
            assert shown[frame.name] == f"{frame.metrics.kl:.2f}"


def column(live: Live, key: str, row: int) -> list[str]:
    return [live.values[f"{key}{i}"][row] for i in range(8) if f"{key}{i}" in live.values]


@EACH_WORLD
def test_the_table_shows_the_steps_own_rollouts(world):
    look = view(**world)
    live, exact = loop.loop(look), look.run.settings.rollouts == 0
    for row, step in enumerate(steps(look), start=1):
        names = [text for text in column(live, "name", row) if text]
        assert len(names) == len(set(names)) == min(8, len(np.unique(step.responses)))
        known = {name(look, int(response)): g for g, response in enumerate(step.responses)}
        order = [step.advantages[known[text], 0] for text in names]
        assert (np.diff(order) <= 0).all()
        for i, text in enumerate(names):
            g = known[text]
            assert live.values[f"reward{i}"][row] == number(step.rewards[g])
            assert live.values[f"advantage{i}"][row] == number(step.advantages[g, 0])
            log_ratio, penalty = (read(live.values[f"{key}{i}"][row]) for key in ("log-ratio", "penalty"))
            assert log_ratio == pytest.approx(step.log_ratio[g].sum(), abs=0.006)
            assert agrees(penalty, look.run.settings.beta * log_ratio)
            count = int((step.responses == step.responses[g]).sum())
            assert live.values[f"count{i}"][row] == (f"{step.weights[g]:.1%}" if exact else f"{count} ×")
        if exact:
            least = min(step.weights[known[text]] for text in names)
            assert (step.weights > least).sum() < len(names)  # none left out is more probable
        else:
            assert names[0] == name(look, int(step.responses[step.follow(NARRATED)]))


@EACH_WORLD
def test_bars_keep_within_their_half_and_show_one_side(world):
    live = loop.loop(view(**world))
    for key in ("reward", "penalty", "advantage"):
        for i in range(8):
            if f"{key}{i}" not in live.values:
                continue
            for below, above in zip(live.values[f"{key}-below{i}"], live.values[f"{key}-above{i}"], strict=True):
                shares = [float(share.removesuffix("%")) for share in (below, above)]
                assert 0 <= min(shares) == 0 and max(shares) <= 100


@EACH_WORLD
def test_means_of_a_batch_stand_beside_what_they_estimate(world):
    look = view(**world)
    live, one, p = loop.loop(look), look.run, look.prompt
    for row, step in enumerate(steps(look), start=1):
        assert live.values["mean-reward"][row] == number(step.weights @ step.rewards)
        assert live.values["mean-kl"][row] == number(step.weights @ step.log_ratio.sum(axis=1))
        exact_kl = one.ppo.kl_per_position[row - 1, p].sum()
        exact_reward = np.exp(one.ppo.log_probs[row - 1, p]) @ one.reward.scores[p]
        if one.settings.rollouts == 0:
            assert live.values["mean-kl"][row] == number(exact_kl)
            assert "exact-kl" not in live.values
        else:
            assert live.values["exact-kl"][row] == number(exact_kl)
            assert live.values["exact-reward"][row] == number(exact_reward)


def test_all_five_lines_of_the_loop_can_be_lit():
    live = loop.loop(view())
    assert re.findall(r'data-line="(\w+)"', live.template) == ["sample", "score", "kl", "advantage", "update"]


def test_before_ppo_a_step_to_come_stands_in():
    look = view()
    for draw in (loop.loop, follow.policies(NARRATED), follow.token_rewards(NARRATED)):
        live = draw(look)
        assert live.rows[0] == 0
        if "when" in live.values:
            assert live.values["when"][0].startswith("Step 4, still to come")
        step_4 = 4 if draw is not PASSAGES[f"policies, {NARRATED}"] else 8
        assert all(values[0] == values[step_4] for slot, values in live.values.items() if slot != "when")


@pytest.mark.parametrize("world", WORLDS[:3], ids=str)
def test_the_page_follows_the_response_that_the_narration_follows(world):
    look = view(**world)
    for i, frame in enumerate(look.timeline.frames):
        if frame.line in ("sample", "kl", "advantage"):
            step = steps(look)[batch_rows(look)[i] - 1]
            followed = name(look, int(step.responses[step.follow(NARRATED)]))
            assert f"“{followed}”" in narrate(look.run, frame, look.prompt)


@EACH_RULE
def test_the_same_rule_gives_the_same_function(rule):
    assert follow.policies(rule) is follow.policies(rule)
    assert follow.policies(rule).__name__ == "policies"


def test_numbers_as_text():
    assert number(-0.001) == "0.00" and number(-1.5) == "\N{MINUS SIGN}1.50"
    assert operand(number(-1.5)) == "(\N{MINUS SIGN}1.50)" and operand("1.50") == "1.50"
    assert [figures(x, 3) for x in (6.8, 98.6, 100.0, 0.1)] == ["6.80", "98.6", "100", "0.100"]


def test_terms_get_the_digits_that_their_result_needs():
    assert adding_up([0.874, 0.454], lambda a, b: a - b, 0.42) == ("0.87", "0.45", "0.42")
    assert adding_up([0.874, 0.4559], lambda a, b: a - b, 0.4181) == ("0.874", "0.456", "0.42")
    assert adding_up([0.0, 0.0, 1e-4], lambda a, b, c: (a - b) / c, 0.0) == ("0.0000", "0.0000", "0.0001", "0.00")


def test_views_are_told_apart():
    one, other = view(), view(seed=3)
    assert isinstance(one, View) and steps(one) is steps(one) and steps(one) is not steps(other)
