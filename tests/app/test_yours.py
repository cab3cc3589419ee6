"""Yours: every section by its link, what a reader brings is read or refused, kept to their session, and no HTML."""

import gzip
import json
import logging
import time
import zlib
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.frame import lab, memory, navigation
from pages.frame.yours import log
from rlhf_core import PipelineRun, Settings, run_pipeline
from rlhf_core.scenarios import scenario_names
from rlhf_core.yours import diagnose, diagnose_log, log_symptoms, of_run
from rlhf_core.yours.export import as_trl_log
from rlhf_core.yours.labelling import encode
from rlhf_core.yours.log_diagnosis import symptoms_of_logs
from rlhf_core.yours.logs import parse_log
from rlhf_core.yours.scenario import template
from tests.app.opening import opened, unmarked

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> [a](javascript:b) :red[c] $x$"


def written(app: AppTest) -> str:
    """All that Markdown and HTML show."""
    return "\n".join(str(part.value) for kind in (app.markdown, app.caption, app.info) for part in kind) + "".join(
        str(part.proto.body) for part in app.get("html")
    )


def charts(app: AppTest) -> list[dict[str, object]]:
    """Figures that the stage draws, without what their menus are told."""
    messages = [part.proto.bytes.partition(b"\n") for part in app.get("bidi_component")]
    return [json.loads(zlib.decompress(body)) for head, _, body in messages if b'"role":"chart"' in head]


def plain(app: AppTest) -> str:
    return "\n".join(part.value for part in app.text)


def until(app: AppTest, words: str) -> None:
    for _ in range(120):
        if words in written(app) + plain(app):
            return
        time.sleep(0.25)
        app.run()
    raise AssertionError(f"{words!r} did not come")


def preferences(n: int = 60, answer: str = "Please wash the rice first.") -> bytes:
    rows = [{"prompt": f"question {i}", "chosen": f"{answer} {i}", "rejected": f"Wash it, now. {i}"} for i in range(n)]
    return "\n".join(json.dumps(row) for row in rows).encode()


def upload(app: AppTest, data: bytes, name: str = "file.jsonl") -> None:
    app.file_uploader[0].set_value((name, data, "application/octet-stream")).run()


def test_a_link_opens_a_section_and_a_wrong_one_is_said() -> None:
    app = opened("yours", section="pairs")
    assert not app.exception and "## How much of your preferences" in written(app)
    assert "never written to disk" in written(app)
    app = opened("yours", section="secrets")
    assert "section must be one of" in plain(app) and "got 'secrets'" in plain(app)


def test_our_sample_of_pairs_is_counted_fitted_and_can_be_forgotten() -> None:
    app = opened("yours", section="pairs")
    app.button("yours-pairs-sample").click().run()
    assert "rlhf-pairs-helpfulness-seed0.jsonl, read as jsonl, strings" in plain(app)
    assert {metric.label: metric.value for metric in app.metric}["pairs"] == "400"
    until(app, "**Finding.** On prompts that it has never seen")
    assert "What PPO would learn" in written(app) and len(charts(app)) >= 4
    app.button("yours-pairs-forget").click().run()
    assert not app.metric and "Finding" not in written(app)


HOSTILE = {
    "Latin-1": (b"prompt,chosen,rejected\nx,\xe9,b", "Line 2 is not UTF-8"),
    "empty": (b"", "The file is empty"),
    "bomb": (gzip.compress(b" " * 20_000_100), "at most 20 MB once unpacked"),
    "long line": (b'{"chosen": "' + b"a" * 3_000_000 + b'"}', "Line 1 must have at most 1,000,000 characters"),
    "no object": (b'{"chosen": "a", "rejected": "b"}\n[1]', "Line 2 must be a JSON object"),
    "KTO": (b'{"prompt": "a", "completion": "b", "label": true}', "as for KTO"),
    "page": (b"<!DOCTYPE html><script>alert(1)</script>", "web page"),
    "NUL": (b'{"chosen": "a\x00", "rejected": "b"}', "Line 1 holds a NUL byte"),
}


def test_a_file_that_cannot_be_used_gets_a_sentence_and_what_was_there_stays() -> None:
    app = opened("yours", section="pairs")
    upload(app, preferences())
    until(app, "**Finding.**")
    for data, reason in HOSTILE.values():
        upload(app, data, "other.jsonl")
        assert not app.exception and reason in plain(app) and "brought before" in plain(app)
        assert "**Finding.**" in written(app) and "file.jsonl, read as" in plain(app)
    upload(app, preferences(1), "one.jsonl")
    until(app, "at least 10 prompts")
    assert {metric.label: metric.value for metric in app.metric}["pairs"] == "1"


def test_nothing_of_a_reader_s_text_is_markup(caplog: pytest.LogCaptureFixture) -> None:
    app = opened("yours", section="pairs")
    with caplog.at_level(logging.DEBUG):
        upload(app, preferences(40, EVIL), f"{EVIL}.jsonl")
        until(app, "**Finding.**")
    assert "script" not in written(app) and "javascript" not in written(app) and EVIL in plain(app)
    assert "onerror" not in caplog.text and "question 3" not in caplog.text
    assert len(charts(app)) >= 4
    for chart in charts(app):
        assert "<script" not in json.dumps(chart) and "<img" not in json.dumps(chart)


def test_an_ambiguous_file_is_read_once_the_reader_has_named_its_columns() -> None:
    app = opened("yours", section="pairs")
    rows = [{"ask": f"q{i}", "nein": f"No {i}.", "ja": f"Yes, {i}."} for i in range(12)]
    upload(app, "\n".join(json.dumps(row) for row in rows).encode(), "two.jsonl")
    assert "choose them" in plain(app) and not app.metric
    boxes = {box.label: box for box in app.selectbox}
    boxes["Column of the chosen answer"].select("ja")
    boxes["Column of the rejected answer"].select("nein")
    boxes["Column of the prompt"].select("ask")
    next(button for button in app.button if button.label == "Read these columns").click().run()
    assert {metric.label: metric.value for metric in app.metric}["prompts"] == "12"
    assert "Column of the chosen answer" not in [box.label for box in app.selectbox]


def test_two_readers_never_mix_and_nothing_is_shared() -> None:
    ann, bob = opened("yours", section="pairs"), opened("yours", section="pairs")
    memory.SHARED.clear()
    upload(ann, preferences(30, "Annabel"), "ann.jsonl")
    upload(bob, preferences(50, "Bobolink"), "bob.jsonl")
    for app, name, n in ((ann, "ann.jsonl", "30"), (bob, "bob.jsonl", "50")):
        until(app, "**Finding.**")
        assert name in plain(app) and {metric.label: metric.value for metric in app.metric}["pairs"] == n
    other = opened("yours", section="pairs")
    assert "ann.jsonl" not in plain(other) and not other.metric
    assert not any("Annabel" in repr(value) for value in memory.SHARED._kept.values())


def test_our_own_run_is_read_as_trl_s_and_nothing_is_amiss() -> None:
    app = opened("yours", section="log")
    app.button("yours-log-sample").click().run()
    assert not app.exception and "9 rows from a JSONL, steps 0 to 8 by step" in plain(app)
    assert "**TRL PPO.** objective/kl is summed over an answer" in written(app)
    assert "**No symptom among the" in written(app) and "What no log shows" in written(app)
    assert len(charts(app)) == 6


def test_a_pasted_log_speaks_with_evidence_advice_and_a_run_of_this_app() -> None:
    app = opened("yours", section="log")
    kl, scores, clipped = "objective/kl", "objective/scores", "policy/clipfrac_avg"
    rows = [{"step": i, kl: 0.2 * i, scores: 0.1 * i, clipped: 0.5} for i in range(9)]
    app.text_area("yours-log-text").set_value("\n".join(json.dumps(row) for row in rows))
    app.button("yours-log-paste").click().run()
    assert "**✗ unhealthy · Clipping is rare**" in written(app) and "metrics?ppo_learning_rate=20" in written(app)
    app.text_area("yours-log-text").set_value("nothing")
    app.button("yours-log-paste").click().run()
    assert "brought before" in plain(app) and "Clipping is rare" in written(app)


def test_a_reader_names_the_columns_of_a_log_that_nobody_knows(caplog: pytest.LogCaptureFixture) -> None:
    app = opened("yours", section="log")
    upload(app, "\n".join(json.dumps({"it": i, EVIL: 0.1 * i, "odd": 1e308}) for i in range(12)).encode(), EVIL)
    assert "None of its columns is known" in written(app) and not app.exception
    boxes = {box.label: box for box in app.selectbox}
    boxes["Series"].select("reward")
    boxes["Column of your log"].select(EVIL)
    next(button for button in app.button if button.label == "Read it so").click().run()
    assert not app.exception and "The score rises" in written(app) and f"← {EVIL}" in plain(app)
    assert "script" not in written(app) and "onerror" not in caplog.text


SEEN_IN_LOGS = {
    "PPO": ("It is worth its penalty", "Steps are small", "Clipping is rare", "The penalty leaves room"),
    "GRPO": ("The score rises", "Sampled answers differ", "Scores keep their spread", "The KL stays bounded",
             "Tokens stay undecided"),
}  # fmt: skip
"""Symptoms that a run of ours shows as a log too."""


def linked(name: str) -> PipelineRun:
    return run_pipeline(Settings.from_query(dict(parse_qsl(log.SEEN_HERE[name][1].partition("?")[2])))[0])


def test_every_symptom_s_run_exists_and_shows_it() -> None:
    assert set(log.SEEN_HERE) == {symptom.name for symptom in symptoms_of_logs()}
    for name, (_, address) in log.SEEN_HERE.items():
        page, _, query = address.partition("?")
        assert page in navigation.TITLES
        assert not Settings.from_query(dict(parse_qsl(query)))[1]
        asks = dict(parse_qsl(query))
        assert asks.get("experiment", lab.FAQ) in lab.NAMES and asks.get("question", "critic") in lab.QUESTIONS
        found = {each.name: each.verdict for each in diagnose(of_run(linked(name)))}
        assert found.get(name) in ("watch", "unhealthy", None), name
    for kind, names in SEEN_IN_LOGS.items():
        for name in names:
            written_down = parse_log(as_trl_log(linked(name), kind).encode())
            found = {each.name: each.verdict for each in diagnose_log(written_down)}
            assert found[name] in ("watch", "unhealthy"), (kind, name)
    few = linked("The held-out loss keeps falling").reward
    assert few.heldout_loss[-1] > 1.1 * few.heldout_loss.min()
    sure = linked("The margin stays believable").reward
    assert sure.margins(np.array([-1])).mean() > log_symptoms.LARGE_MARGIN
    still = linked("Something moves").ppo
    assert np.ptp(still.reward) < 1e-9


def test_labels_are_chosen_undone_learnt_from_and_travel_in_the_link() -> None:
    app = opened("yours")
    assert "## You are the labeller" in written(app) and app.button("yours-label-undo").disabled
    for key in "1132":
        app.button(f"yours-choose-{key}").click().run()
    assert not app.exception and "4 of at most 60 pairs labelled" in str(app.get("progress")[-1].proto)
    said = unmarked(written(app))
    assert "foretells" in said and "**PPO on your reward** takes true reward from" in said
    assert encode((0, 0, 1, 2)) in app.query_params["labels"]
    app.button("yours-label-undo").click().run()
    assert encode((0, 0, 1)) in app.query_params["labels"]
    again = opened("yours", labels=encode((0, 0, 1)))
    assert "3 of at most 60 pairs labelled" in str(again.get("progress")[-1].proto)
    app.button("yours-label-again").click().run()
    assert "labels" not in app.query_params and "What your labels have taught" not in written(app)


@pytest.mark.parametrize("labels", ["%00", "zz!", "2" * 70, "<b>", "2"])
def test_labels_of_a_link_that_cannot_be_used_are_said(labels: str) -> None:
    app = opened("yours", labels=labels)
    assert not app.exception and "labels must be the code of at most 60 choices" in plain(app)
    assert "using none" in plain(app) and app.button("yours-label-undo").disabled


def test_the_template_runs_and_joins_the_list_at_its_end() -> None:
    app = opened("yours", section="scenario", ppo_steps="3")
    assert "## A world of your own" in written(app) and "`appeal`" in written(app)
    app.button("yours-scenario-sample").click().run()
    said = unmarked(written(app))
    assert not app.exception and "**Finding.** Over 3 PPO steps the reward" in said and "Best by true reward" in said
    assert app.selectbox("scenario").options == [*scenario_names(), "Yours: Helpfulness"]
    assert app.selectbox("scenario").value == "helpfulness" and "scenario" not in app.query_params
    upload(app, b"title = 3", f"{EVIL}.toml")
    assert "unknown" in plain(app) or "must be a" in plain(app)
    assert "brought before" in plain(app) and "**Finding.**" in unmarked(written(app))


def test_a_scenario_full_of_markup_is_shown_as_text(caplog: pytest.LogCaptureFixture) -> None:
    app = opened("yours", section="scenario", ppo_steps="2")
    text = template().replace('text = "', f'text = "{EVIL} ').replace('title = "', f'title = "{EVIL} ')
    upload(app, text.encode(), "evil.toml")
    assert not app.exception and "**Finding.**" in unmarked(written(app)) and EVIL in plain(app)
    assert "script>alert" not in written(app) and "javascript" not in written(app) and "onerror" not in caplog.text
    memory_holds = [repr(value)[:100_000] for value in memory.SHARED._kept.values()]
    assert not any("onerror" in held for held in memory_holds)
    app.button("yours-scenario-forget").click().run()
    assert "**Finding.**" not in unmarked(written(app)) and "yours-scenario" not in app.session_state
