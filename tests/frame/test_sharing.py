"""Links and snippets lead back to the same state, and the code prints the tiles' numbers."""

import contextlib
import html
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from pages.frame import sharing
from rlhf_core import Settings, load_scenario, run_pipeline
from rlhf_core.timeline import METRICS, build

USUAL = load_scenario("helpfulness").telling
STATES = [
    Settings(),
    Settings(beta=0.3, seed=4),
    Settings(scenario="safety", advantage="gae", rollouts=0, ppo_steps=12, label_noise=0.0),
]


@pytest.mark.parametrize("settings", STATES)
def test_a_link_holds_the_whole_state(settings: Settings) -> None:
    address = sharing.link("http://host/ppo?old=1", sharing.query(settings, at="ppo-5", prompt=2, speed=7))
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (parameters.pop("at"), parameters.pop("prompt"), parameters.pop("speed")) == ("ppo-5", "3", "7")
    assert Settings.from_query(parameters) == (settings, ())


def test_defaults_are_left_out() -> None:
    assert sharing.query(Settings(), at="idle", prompt=USUAL, speed=5) == ""
    assert sharing.link("http://host/", "") == "http://host/"


def test_the_snippet_embeds_the_link() -> None:
    snippet = sharing.iframe("http://host/ppo", sharing.query(Settings(beta=0.3), at="done", prompt=USUAL, speed=5))
    source = html.unescape(re.search(r'src="([^"]*)"', snippet)[1])
    assert source == "http://host/ppo?beta=0.3&at=done&embed=true"


@pytest.mark.parametrize("settings", STATES)
def test_the_code_runs_as_shown_and_prints_the_tiles_numbers(settings: Settings) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(sharing.python(settings), {})
    timeline = build(run_pipeline(settings))
    tiles = {spec.key: spec.write(timeline.frames[-1].metrics, timeline.n_steps) for spec in METRICS}
    shown = [line.split()[2] for line in printed.getvalue().splitlines()]
    assert shown == [tiles[key] for key in ("reward", "kl", "rm_accuracy", "entropy")]


@pytest.mark.parametrize("settings", STATES)
def test_the_command_prints_the_same_run(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    from rlhf_core.__main__ import as_table, main

    assert main(sharing.command(settings).split()[3:]) == 0
    assert capsys.readouterr().out == as_table(build(run_pipeline(settings)), settings)


def test_lesson_mode_is_part_of_the_link_and_stays_readable() -> None:
    parameters = sharing.query(Settings(), at="idle", prompt=USUAL, speed=5, controls="beta,prompt", show="loop")
    assert parameters == "controls=beta,prompt&show=loop"
    assert sharing.query(Settings(), at="idle", prompt=USUAL, speed=5, pin="", controls="", show="") == ""


@pytest.mark.parametrize("root", ["http://host", "https://host:8501/some/app"])
@pytest.mark.parametrize("here", ["/", "/ppo", "/reward_model?beta=0.3"])
def test_the_address_of_a_page_follows_from_that_of_any_other(root: str, here: str) -> None:
    assert sharing.address(root + here, "metrics") == f"{root}/metrics"
    assert sharing.address(root + here, "overview") == f"{root}/"


def test_the_snippet_has_the_chosen_height() -> None:
    assert 'height="450"' in sharing.iframe("http://host/", "", 450)
