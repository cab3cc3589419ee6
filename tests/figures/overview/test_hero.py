"""The hero's answer is the policy's likeliest, its chance and its three rewards are the run's, at every frame."""

import numpy as np

from pages.drawing.wording import minus
from pages.figures.overview.hero import PHRASES, hero
from pages.figures.overview.picture import pipeline_picture
from tests.figures.worlds import EACH_WORLD, view


@EACH_WORLD
def test_the_hero_shows_the_likeliest_answer_and_its_worth(settings) -> None:
    of = view(**settings)
    live, run, prompt = hero(of), of.run, of.prompt
    for frame in range(0, len(of.timeline.frames), 7):
        row, policy = live.rows[frame], of.policy_log_probs[of.progress[frame]]
        answer = int(policy.argmax())
        shown = " ".join(live.values[f"hero-{name}"][row] for name in PHRASES)
        assert shown == of.responses[answer]
        assert live.values["hero-truth"][row] == minus(run.scenario.true_reward[prompt, answer], "+.1f")
        assert live.values["hero-labellers"][row] == minus(run.labeller_reward[prompt, answer], "+.1f")
        assert live.values["hero-reward"][row] == minus(run.reward.scores[prompt, answer], "+.1f")
        trained = of.timeline.frames[frame].rm_epoch == run.settings.rm_epochs
        assert (live.values["hero-unscored"][row] == "") == trained
    widths = np.array([float(width.rstrip("%")) for name in ("truth", "labellers", "reward")
                       for width in live.values[f"hero-{name}-bar"]])  # fmt: skip
    assert widths.min() >= 2 and widths.max() <= 100


def test_a_stage_of_the_picture_seeks_its_own_end() -> None:
    of = view(sft_epochs=7, rm_epochs=9)
    template = pipeline_picture(of).template
    for phase, end in (("sft", "sft-7"), ("rm", "rm-9"), ("ppo", "done")):
        assert f'data-phase="{phase}" data-seek="{end}"' in template
    assert {"sft-7", "rm-9", "done"} <= set(of.timeline.names)
