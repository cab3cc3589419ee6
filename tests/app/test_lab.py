"""The Lab: nothing runs until asked for, a link chooses the experiment, the game keeps its truth hidden."""

import time

from tests.app.opening import opened


def test_nothing_runs_until_asked_for_and_then_a_finding_comes():
    app = opened("lab", ppo_steps="3", n_comparisons="48")
    assert not app.exception
    assert not any("Finding" in each.value for each in app.markdown)
    app.button("lab-run").click().run()
    for _ in range(60):
        if any("Finding" in each.value for each in app.markdown):
            break
        time.sleep(0.5)
        app.run()
    assert any("**Finding.** Of these penalties" in each.value for each in app.markdown)


def test_a_link_chooses_the_experiment_and_a_wrong_one_is_said():
    app = opened("lab", experiment="arrives")
    assert any(each.value.startswith("## Does it arrive?") for each in app.markdown)
    app = opened("lab", experiment="alchemy")
    assert any("experiment must be one of beta" in each.value and "using beta" in each.value for each in app.text)


def test_the_game_shows_no_truth_before_the_reader_stops():
    app = opened("lab", experiment="stopping", beta="0", ppo_steps="12")
    assert not any("reached" in each.value and "best gain" in each.value for each in app.markdown)
    app.button("game-5").click().run()
    app.button("game-labels").click().run()
    assert any("agrees with fresh labels in step 5" in each.value for each in app.caption)
    app.button("game-stop").click().run()
    assert any("You stopped at step 5 of 12" in each.value for each in app.markdown)
    assert any("the rules would have reached" in each.value for each in app.caption)
    app.button("game-again").click().run()
    assert any("Step 0 of at most 12" in each.value for each in app.markdown)


def test_a_question_has_its_own_link():
    app = opened("lab", experiment="asked", question="critic")
    assert any("A critic predicts the mean return" in each.value for each in app.markdown)
    assert app.query_params["question"] == "critic" or app.query_params["question"] == ["critic"]
