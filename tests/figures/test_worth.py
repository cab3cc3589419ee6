"""The fold on a card that takes a true reward apart says the run's own numbers, phrase by phrase."""

import re
from html import unescape

import numpy as np
import pytest

from pages.drawing.worth import live_fold, live_words, opened
from pages.figures.overview.hero import hero
from pages.figures.overview.three_policies import three_policies
from pages.figures.reward_model.pairs import pair_cards
from pages.figures.sft.words import demonstrations
from rlhf_core.worth import worth
from tests.figures.worlds import sent, shown, view


def said(html: str) -> str:
    return unescape(re.sub(r"<[^<>]*>", "", html)).replace("\N{MINUS SIGN}", "-")


KINDS_OF_LABELLERS = [{}, {"labeller_bias": 0.0}, {"scenario": "safety", "labeller_bias": 2.0}]


@pytest.mark.parametrize("settings", KINDS_OF_LABELLERS, ids=str)
def test_the_parts_are_there_and_add_up(settings):
    of = view(**settings)
    scenario, bias = of.run.scenario, of.run.settings.labeller_bias
    for response in range(80):
        text, found = said(opened(of, response)), worth(scenario, 0, response)
        lost = sum(clash.penalty for clash in found.clashes)
        assert all(clash.reason in text for clash in found.clashes)
        assert sum(part.total for part in found.parts) - lost == pytest.approx(found.true_reward, abs=1e-9)
        for part in found.parts:
            assert f"{part.phrase.kind.replace('_', ' ')} {part.slot}" in text
            for name, value in part.values.items():
                assert (f"{name} {value:+.2f}" in text) or not value
        (total,) = re.findall(r"True reward ([+-]?\d\.\d\d)\.", text)
        assert float(total) == pytest.approx(found.true_reward, abs=0.0051)
        judged = re.findall(r"labellers see ([+-]?\d\.\d\d)\.", text)
        assert len(judged) == (bias > 0)
        assert all(float(each) == pytest.approx(of.run.labeller_reward[0, response], abs=0.0051) for each in judged)


def test_a_fold_that_changes_says_the_same_as_one_that_stands():
    of = view(scenario="safety")
    words = live_words(of, "x", range(80))
    for response in range(80):
        row = {key: texts[response] for key, texts in words.items()}
        filled = re.sub(r'data-slot="([^"]+)">', lambda match, row=row: f">{row[match[1]]}", live_fold("x"))
        assert said(filled) == said(opened(of, response))


@pytest.mark.parametrize("draw", [hero, three_policies, demonstrations, pair_cards(0)], ids=lambda draw: draw.__name__)
def test_every_card_that_shows_a_true_reward_can_be_opened(draw):
    live = draw(view(scenario="safety"))
    sent(live)
    cards = {"hero": 1, "three_policies": 9, "pair_cards": 2, "demonstrations": live.template.count('"sr-card"')}
    folds = live.template.count('<details class="worth">')
    assert folds == cards[draw.__name__]
    assert live.template.count("<summary>") == folds


def test_the_hero_s_fold_follows_the_answer():
    of = view()
    live = hero(of)
    for frame in (0, len(of.timeline.frames) - 1):
        response = int(np.argmax(of.policy_log_probs[of.progress[frame]]))
        at = shown(live, frame)
        assert at["hero-parts-body-kind"] == f"{of.run.scenario.parts(0, response)[1].kind} body"
