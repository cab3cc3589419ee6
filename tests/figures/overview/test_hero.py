"""The hero's answer is the policy's likeliest, its chance and its three rewards are the run's, at every frame."""

from pages.drawing.wording import minus
from pages.figures.overview.hero import PHRASES, hero
from pages.figures.overview.picture import pipeline_picture
from rlhf_core.timeline import MISSING
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
        trained = of.timeline.frames[frame].rm_epoch == run.settings.rm_epochs
        score = minus(run.reward.scores[prompt, answer], "+.1f")
        assert live.values["hero-reward"][row] == (score if trained else MISSING)
        assert (live.values["hero-unscored"][row] == "") == trained
    widths = [float(width.rstrip("%")) for name in ("truth", "labellers") for width in live.values[f"hero-{name}-bar"]]
    assert min(widths) >= 2 and max(widths) <= 100


def test_a_stage_of_the_picture_seeks_its_own_end() -> None:
    of = view(sft_epochs=7, rm_epochs=9)
    template = pipeline_picture(of).template
    for phase, end in (("sft", "sft-7"), ("rm", "rm-9"), ("ppo", "done")):
        assert f'data-phase="{phase}" data-seek="{end}"' in template
    assert {"sft-7", "rm-9", "done"} <= set(of.timeline.names)


def test_the_prompt_that_is_shown_first_tells_the_story() -> None:
    """At the defaults the likeliest answer changes with every stage and gets better; without a leash it gets worse."""
    for scenario in ("helpfulness", "safety"):
        run = view(scenario=scenario).run
        prompt, truth = run.scenario.telling, run.scenario.true_reward[run.scenario.telling]
        stages = (run.sft.log_probs[0], run.sft.log_probs[-1], run.ppo.log_probs[-1])
        answers = [int(policy[prompt].argmax()) for policy in stages]
        assert len(set(answers)) == 3 and truth[answers[0]] < truth[answers[1]] < truth[answers[2]]
    hacked = view(beta=0.0, ppo_steps=60).run
    prompt = hacked.scenario.telling
    answer = int(hacked.ppo.log_probs[-1, prompt].argmax())
    assert hacked.scenario.true_reward[prompt, answer] < hacked.ppo.true_reward[0]
