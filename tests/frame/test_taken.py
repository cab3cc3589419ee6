"""What goes with a chart that is taken away."""

import json

from pages.drawing.chart import Chart
from pages.drawing.theme import LIGHT, figure
from pages.frame import foot, runs, taken
from pages.stage import encode_chart
from pages.stage.storyboard import decode
from rlhf_core import Settings


def test_the_settings_in_words_are_those_that_differ_and_the_prompt() -> None:
    assert taken.in_words(Settings(), "Why?") == "the defaults · prompt “Why?”"
    words = taken.in_words(Settings(beta=0.3, ppo_steps=4), "Why?")
    assert words == "β, KL penalty 0.3 reward units per nat, PPO steps 4; else the defaults · prompt “Why?”"


def test_the_player_is_told_of_the_run_with_its_frames() -> None:
    settings = Settings(ppo_steps=2)
    prompt = runs.shared_run(settings)[0].scenario.prompts[1]
    told = decode(runs.storyboard(settings, 1))["about"]
    assert told == taken.about(settings, prompt, 1)
    assert told["cite"] == foot.bibtex(foot.this())


def test_a_chart_on_the_wire_bears_its_name_and_whether_it_can_be_had_alone() -> None:
    payload = encode_chart(Chart(figure(LIGHT, x="x", y="y"), "A chart.", rows=[0]))

    def head(**named: object) -> dict[str, object]:
        return json.loads(payload.wire("ppo", **named).partition(b"\n")[0].removeprefix(b"ppo "))

    bare = head()
    assert head(part="loop") == {**bare, "part": "loop"}
    assert head(part="loop", alone=True) == {**bare, "part": "loop", "alone": True}
