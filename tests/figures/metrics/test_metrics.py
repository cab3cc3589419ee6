"""Figures of the Metrics page: their data are the run's, and their words and verdicts are true of it."""

import re

import numpy as np
import pytest

from pages.drawing import grid
from pages.drawing.marks import fell_back
from pages.drawing.wording import minus
from pages.figures.metrics import checks, kl_samples, progress, published, six
from rlhf_core.timeline import METRICS
from rlhf_core.yours.diagnosis import SYMPTOMS, diagnose
from rlhf_core.yours.record import of_run
from rlhf_core.yours.symptoms import worth_its_penalty
from tests.figures.worlds import EACH_WORLD, frame, sent, shown, view

SMALL = (six.phase, six.ppo_step, six.reward, six.kl, six.rm_accuracy, six.entropy)
CHARTS = (
    *SMALL, progress.score_and_truth, progress.score_and_truth_by_kl, progress.loss_and_reward, kl_samples.kl_samples,
    published.accuracies,
)  # fmt: skip
LIVES = (checks.checks, kl_samples.kl_numbers, published.published_values, published.trl_names)
EACH_CHART = pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
PLAIN_TITLES = {"PPO step", "epochs, then PPO steps", "share of pairs", "share of answers", "PPO steps done",
                "held-out accuracy", "PPO loss", "reward", "", None}  # fmt: skip


@EACH_CHART
@EACH_WORLD
def test_every_chart_can_be_sent_names_its_units_and_says_how_to_read_it(draw, settings):
    chart = draw(view(**settings))
    sent(chart)
    assert len(chart.rows) == len(view(**settings).timeline.frames)
    assert chart.title and chart.alt and (chart.guide or chart.reading)
    assert "nan" not in f"{chart.title} {chart.alt} {chart.guide} {chart.reading}"
    axes = [axis for name, axis in chart.figure.layout.to_plotly_json().items() if re.match(r"[xy]axis", name)]
    for axis in axes:
        words = (axis.get("title") or {}).get("text")
        assert words in PLAIN_TITLES or re.search(r"\[.+\]$", words)
        assert "range" in axis and axis["range"][0] < axis["range"][1]


@pytest.mark.parametrize("draw", LIVES, ids=lambda draw: draw.__name__)
@EACH_WORLD
def test_every_passage_can_be_sent(draw, settings):
    sent(draw(view(**settings)))


@EACH_CHART
def test_charts_follow_the_theme(draw):
    light, dark = (draw(view(dark=dark)).figure.to_json() for dark in (False, True))
    assert "#1b2430" not in dark and "#e8ecf1" not in light


# ------------------------------------------------------------------ the six metrics


@pytest.mark.parametrize("draw", SMALL[1:], ids=lambda draw: draw.__name__)
@EACH_WORLD
def test_a_small_multiple_holds_what_the_tile_shows(draw, settings):
    of = view(**settings)
    chart, key = draw(of), draw.__name__
    frames = [each for each in of.timeline.frames if each.line in (None, "update")]
    expected = [getattr(each.metrics, key) for each in frames if getattr(each.metrics, key) is not None]
    np.testing.assert_allclose(chart.figure.data[0].y, expected)
    np.testing.assert_array_equal(chart.figure.data[0].y, chart.figure.data[1].y)
    spec = next(spec for spec in METRICS if spec.key == key)
    assert spec.definition in chart.alt
    low, high = chart.figure.layout.yaxis.range
    assert low <= min(expected) and max(expected) <= high


@pytest.mark.parametrize("draw", SMALL, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("at", ["idle", "sft-15", "rm-30", "ppo-1-score", "ppo-4", "done"])
def test_the_dot_stands_at_the_playhead_or_nowhere(draw, at):
    of = view()
    chart, here = draw(of), frame(of, at)
    value = getattr(of.timeline.frames[here].metrics, draw.__name__)
    dot = chart.at(here).data[2]
    if at == "ppo-1-score" and draw in (six.reward, six.kl, six.ppo_step):
        assert np.isnan(dot.y[0])  # no PPO step is done yet
    elif value is None:
        assert np.isnan(dot.y[0]) and np.isnan(dot.x[0])
    elif draw is not six.phase and at != "ppo-1-score":
        assert dot.y[0] == pytest.approx(value)


def test_places_on_the_axis_grow_from_band_to_band():
    of = view()
    x = six.phase(of).figure.data[0].x
    assert (np.diff(x) >= 0).all() and x[0] == 0 and x[-1] == 4
    assert {1.0, 2.0} <= set(np.round(x, 9))  # SFT and reward model end where their bands end


@EACH_WORLD
def test_the_levels_to_compare_with_are_the_run_s_own(settings):
    ours = view(**settings).run
    levels = {draw: [shape.y0 for shape in draw(view(**settings)).figure.layout.shapes if shape.type == "line"]
              for draw in (six.kl, six.rm_accuracy, six.entropy)}  # fmt: skip
    assert levels[six.kl] == [ours.optimum.kl]
    assert levels[six.rm_accuracy] == [0.5, ours.reward.pairs.ceiling]
    assert levels[six.entropy] == [pytest.approx(np.log(2))]


# ------------------------------------------------------------------ score and truth


@EACH_WORLD
def test_score_and_truth_are_the_run_s_and_the_star_is_the_peak(settings):
    of = view(**settings)
    ppo, peak = of.run.ppo, int(of.run.ppo.true_reward.argmax())
    for draw, x in (
        (progress.score_and_truth, np.arange(len(ppo.kl))),
        (progress.score_and_truth_by_kl, np.sqrt(ppo.kl.clip(0))),
    ):
        *data, star = draw(of).figure.data
        shown = (ppo.true_reward, ppo.reward, *([ppo.labeller_reward] if of.run.settings.labeller_bias else ()))
        for trace, values in zip(data, shown * 2, strict=True):
            np.testing.assert_allclose(trace.y, values)
            np.testing.assert_allclose(trace.x, x)
        assert (star.x[0], star.y[0]) == (x[peak], ppo.true_reward[peak])


@EACH_WORLD
def test_what_is_said_of_over_optimisation_holds(settings):
    of = view(**settings)
    truth, score = of.run.ppo.true_reward, of.run.ppo.reward
    peak, title, reading = int(truth.argmax()), progress.over_optimisation_title(of), progress.over_optimisation(of)
    assert f"{minus(truth[peak])} after step {peak} " in reading
    if title.startswith("Over-optimised"):
        assert score[-1] > score[peak] and truth[-1] < truth[peak] and fell_back(of.run)
        share = (truth[peak] - truth[-1]) / (truth[peak] - truth[0]) if peak else None
        assert ("gained nothing" if share is None else f"{share:.0%} of what") in reading
    elif title.startswith("After step"):
        assert truth[-1] < truth[peak] and score[-1] <= score[peak]
    else:
        assert title.endswith("?") and not fell_back(of.run)


@EACH_WORLD
def test_the_loss_panel_holds_the_recorded_losses(settings):
    of = view(**settings)
    chart, loss = progress.loss_and_reward(of), of.run.ppo.loss
    saw = chart.figure.data[2]
    np.testing.assert_array_equal(saw.y.reshape(-1, 3)[:, :2], loss)
    np.testing.assert_array_equal(saw.x.reshape(-1, 3)[:, 1], np.arange(1, len(loss) + 1))
    assert np.isnan(saw.y[2::3]).all()
    assert len(chart.at(len(of.timeline.frames) - 1).data[2].y) == 3 * len(loss)
    np.testing.assert_array_equal(chart.figure.data[3].y, of.run.ppo.reward)
    if chart.title.startswith("The loss ends higher"):
        assert loss[-1, 1] > loss[0, 1] and of.run.ppo.reward[-1] > of.run.ppo.reward[0]
    assert minus(loss[-1, 1]) in chart.reading and ("at 0," in chart.reading) == (of.run.settings.advantage != "gae")


# ------------------------------------------------------------------ checks


def verdicts(at: str = "done", **settings: object) -> dict[str, str]:
    """Name of each check to the one verdict that is shown, "" where none is."""
    of = view(**settings)
    words = shown(checks.checks(of), frame(of, at))
    found = {}
    for i, symptom in enumerate(SYMPTOMS):
        given = [verdict for verdict in checks.SIGNS if words[f"{verdict}{i}"]]
        assert len(given) <= 1
        found[symptom.name] = given[0] if given else ""
    return found


@EACH_WORLD
def test_every_check_gives_one_verdict_after_every_step(settings):
    of = view(**settings)
    for at in (f"ppo-{of.run.settings.ppo_steps}", "done", "idle"):
        assert "" not in verdicts(at, **settings).values()
    assert set(verdicts("ppo-1-sample", **settings).values()) == {""}  # nothing has happened yet


@EACH_WORLD
def test_what_is_shown_is_the_diagnosis_of_the_steps_done(settings):
    of = view(**settings)
    for step in (1, of.run.settings.ppo_steps):
        words = shown(checks.checks(of), frame(of, f"ppo-{step}"))
        for i, finding in enumerate(diagnose(of_run(of.run).upto(step + 1))):
            assert words[f"numbers{i}"] == finding.evidence and words[f"{finding.verdict}{i}"]


def test_the_default_run_is_never_told_that_it_is_unhealthy():
    for step in range(1, 9):
        assert set(verdicts(f"ppo-{step}").values()) <= {"healthy", "unknown"}
    assert set(verdicts().values()) == {"healthy"}


def test_a_verdict_looks_at_the_steps_done_and_no_further():
    settings = {"beta": 0.0, "ppo_steps": 60}
    assert verdicts("ppo-5", **settings)["The truth follows"] == "healthy"
    assert verdicts("idle", **settings) == verdicts("done", **settings)


def test_every_check_has_its_name_in_trl():
    assert {symptom.needs[0] for symptom in SYMPTOMS} == set(checks.LOGGED)
    template = re.sub("</?a[^>]*>", "", checks.checks(view()).template)
    assert all(symptom.name in template and checks.LOGGED[symptom.needs[0]] in template for symptom in SYMPTOMS)


@EACH_WORLD
def test_the_penalised_reward_adds_up_as_written(settings):
    of = view(**settings)
    for step in range(1, of.run.settings.ppo_steps + 1):
        words = worth_its_penalty(of_run(of.run).upto(step + 1))[1]
        words = words.replace("\N{MINUS SIGN} ", "- ").replace("\N{MINUS SIGN}", "-")
        reward, penalty, net = (float(number) for number in re.findall(r"(?<![\d.])-?\d+\.\d+", words))
        assert reward - penalty == pytest.approx(net, abs=1e-9)
        assert net == pytest.approx(of.run.ppo.objective[step], abs=5.1e-4)


# ------------------------------------------------------------------ KL samples


@EACH_WORLD
def test_the_histograms_hold_every_rollout_of_their_step(settings):
    of = view(**settings)
    chart, drawn = kl_samples.kl_samples(of), kl_samples.samples(of)
    for trace, estimate in ((1, drawn.k1), (5, drawn.k3)):
        shares = np.asarray(chart.moves[trace]["customdata"])
        np.testing.assert_allclose(shares[:-1].sum(axis=1), 1)
        np.testing.assert_allclose(shares, np.asarray(chart.moves[trace]["y"]) ** 2)
        assert not shares[-1].any()  # before PPO there is nothing to show
        middle = chart.figure.data[trace].x
        negative = (drawn.weights * (estimate < -1e-9)).sum(axis=1)
        np.testing.assert_allclose(shares[:-1, middle < 0].sum(axis=1), negative, atol=1e-6)
    np.testing.assert_allclose(np.asarray(chart.moves[2]["x"])[:-1, 0], drawn.exact)
    np.testing.assert_allclose(np.asarray(chart.moves[3]["x"])[:-1, 0], drawn.means[0])
    np.testing.assert_allclose(np.asarray(chart.moves[7]["x"])[:-1, 0], drawn.means[1])


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_an_estimate_of_any_size_has_its_bin(scenario):
    wild = view(scenario=scenario, beta=2.0, ppo_learning_rate=20.0, ppo_steps=59, rollouts=0)
    assert kl_samples.samples(wild).k3.max() > 2.0**63  # no int64 holds it
    sent(kl_samples.kl_samples(wild))


@EACH_WORLD
def test_the_samples_are_those_of_the_rollouts(settings):
    of = view(**settings)
    drawn, ppo = kl_samples.samples(of), of.run.ppo
    np.testing.assert_allclose(drawn.weights.sum(axis=1), 1)
    np.testing.assert_allclose(drawn.exact, ppo.kl[:-1], atol=1e-12)
    assert (drawn.k3 > -1e-12).all()
    if of.run.settings.rollouts == 0:  # no sampling error at all
        np.testing.assert_allclose(drawn.means, np.stack([drawn.exact, drawn.exact]), atol=1e-9)
    else:
        k1 = ppo.rollouts[-1].log_ratio_to_ref.sum(axis=-1)
        assert drawn.means[0, -1] == pytest.approx(k1.mean()) and drawn.negative[-1] == pytest.approx((k1 < 0).mean())


def test_a_frame_shows_the_batch_of_its_own_step():
    of = view()
    rows = dict(zip(of.timeline.names, kl_samples.steps_shown(of), strict=True))
    assert [rows[at] for at in ("ppo-1-sample", "ppo-1", "ppo-2-kl", "ppo-8", "done")] == [0, 0, 1, 7, 7]
    assert {rows[at] for at in ("idle", "sft-15", "rm-60")} == {8}
    words = shown(kl_samples.kl_numbers(of), frame(of, "ppo-5-score"))
    assert words["step"] == "5" and words["exact"] == f"{of.run.ppo.kl[4]:.3f}"
    assert shown(kl_samples.kl_numbers(of), 0)["exact"] == "\N{EN DASH}"
    assert "every log-ratio is 0" in shown(kl_samples.kl_numbers(of), frame(of, "ppo-1"))["example"]


@EACH_WORLD
def test_the_example_is_an_answer_of_the_chosen_prompt(settings):
    of = view(prompt=3, **settings)
    for step, batch in enumerate(of.run.ppo.rollouts):
        words, k1 = kl_samples._example(of, step), batch.log_ratio_to_ref[3].sum(axis=-1)
        if "became rarer" in words:
            start = re.match("“(.+?)…?”", words)[1].rstrip("…")
            assert any(of.responses[i].startswith(start) for i in batch.responses[3])
            assert minus(k1.min()) in words and k1.min() < 0
        else:
            assert k1.min() >= -1e-12


# ------------------------------------------------------------------ published values


def test_every_published_value_has_a_source_with_a_link():
    for values in published.PUBLISHED.values():
        for source, value in values:
            assert source.url.startswith(("https://", "http://")) and value
    assert set(published.PUBLISHED) == set(published.this_run(view().run))


def test_the_chart_shows_the_values_of_the_table():
    table = {name: " ".join(value for _, value in values) for name, values in published.PUBLISHED.items()}
    for entries, quantity in ((published.ACCURACIES, "RM accuracy"), (published.AGREEMENTS, "Labellers agree")):
        for _, value, error in entries:
            assert f"{100 * value:.3g}" in table[quantity]
            assert not error or f"± {100 * error:.2g}" in table[quantity]


@EACH_WORLD
def test_this_run_stands_beside_them(settings):
    ours = view(**settings).run
    models, people = published.accuracies(view(**settings)).figure.data
    assert (models.x[0], people.x[0]) == (ours.reward.heldout_accuracy[-1], ours.reward.pairs.agreement)
    low, high = published.accuracies(view(**settings)).figure.layout.xaxis.range
    assert low < min(*models.x, *people.x) and max(*models.x, *people.x) < high
    assert len({*models.y, *people.y}) == len(models.y) + len(people.y)  # no two marks on one line


def test_every_metric_has_its_trl_name():
    template = published.trl_names(view()).template
    for spec in METRICS:
        assert spec.trl_name in template and spec.grpo_name in template
        assert not spec.trl_name or published.TRL_NOTES[spec.key]


def test_a_table_escapes_what_it_shows_and_links_open_beside_the_app():
    template = grid.grid(view(), ("", "A"), [("<b>", "[a & b](https://x.org/?q=1) `c<d`")]).template
    assert "&lt;b&gt;" in template and "<code>c&lt;d</code>" in template
    assert '<a href="https://x.org/?q=1" target="_blank" rel="noopener">a &amp; b</a>' in template
