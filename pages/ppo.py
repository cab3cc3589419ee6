"""PPO: climb the reward model's score, and pay for every nat of distance."""

import streamlit as st

from pages.figures.ppo import choices, climb, estimators, follow, length, loop, objective, plane, prose, responses, step
from pages.figures.ppo.words import RULES
from pages.frame.page import open_page

page = open_page("ppo", "PPO: climb the reward, pay for every nat")
page.contents(prose.SECTIONS)

st.header("What it climbs", anchor="objective")
page.say(prose.INTRODUCTION)
page.beside(prose.OBJECTIVE, objective.objective, middle=True)
optimum = st.toggle(
    "Show the optimum", key="optimum", persist_state="session",
    help="π*(y|x) ∝ π_ref(y|x) exp(r(x,y)/β): the policy with the highest J, known here as responses are few.",
)  # fmt: skip
page.beside(
    [objective.objective_curves_with_optimum if optimum else objective.objective_curves, prose.leash],
    plane.reward_kl_path,
)

st.header("How can one climb it?", anchor="climb")
page.beside(climb.HOW, climb.gradient_check)
page.text(climb.baseline)

st.header("Better than expected, and by how much?", anchor="advantage")
page.text(prose.rollouts)
rule = st.selectbox("Follow the rollout with the", tuple(RULES), key="ppo-follow", persist_state="session", width=320)
page.beside(prose.TOKEN_REWARD, follow.token_rewards(rule), middle=True)
page.beside(
    [estimators.chosen, follow.advantage_instance(rule), estimators.others],
    step.advantage_bars,
)
page.beside(estimators.critic, estimators.whitening)

st.header("Old answers, new policy: the ratio and its clip", anchor="clip")
page.beside(prose.ratio_and_clip, step.ratio_scatter)

st.header("One step, line by line", anchor="loop")
page.text(prose.negative)
page.live(loop.loop)

st.header("What it does to the answers", anchor="answers")
page.beside(
    [
        responses.response_probabilities_with_optimum if optimum else responses.response_probabilities,
        f"{length.ENDING}\n{prose.REAL}",
    ],
    [objective.entropy_and_clipping, length.answer_length],
)

st.header("Three policies, easily confused", anchor="policies")
page.live(follow.policies(rule))
page.text(choices.resets)

st.header("Where the KL comes from", anchor="kl")
page.text(prose.other_way)
page.live(responses.kl_sum)
page.beside(responses.kl_by_response, [responses.kl_by_token, choices.other_leashes])

st.header("Other ways to the same end", anchor="other-ways")
page.beside(choices.dpo, choices.rlvr)
