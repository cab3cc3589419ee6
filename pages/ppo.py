"""PPO: climb the reward model's score, and pay for every nat of distance."""

import streamlit as st

from pages.figures.ppo import follow, loop, objective, plane, prose, responses, step
from pages.figures.ppo import words as ppo_words
from pages.frame.page import open_page

page = open_page("ppo", "PPO: climb the reward, pay for every nat")
words, estimator = prose.Words(page.view), page.view.run.settings.advantage

page.say("""
The policy writes answers, the reward model scores them, and PPO makes the better ones more probable. The reward model
is only a model, so the policy is held near the SFT policy that it came from: each nat of distance has a price, **β**.
""")
left, right = st.columns(2, gap="large", vertical_alignment="center")
with left:
    page.formula(prose.OBJECTIVE)
with right:
    page.live(objective.objective)
page.say(words.leash)
optimum = st.toggle(
    "Show the optimum", key="optimum", bind="query-params",
    help="π*(y|x) ∝ π_ref(y|x) exp(r(x,y)/β): the policy with the highest J, known here as responses are few.",
)  # fmt: skip
left, right = st.columns(2, gap="large")
with left:
    page.chart(objective.objective_curves_with_optimum if optimum else objective.objective_curves)
with right:
    page.chart(plane.reward_kl_path)

st.markdown("## What it does to the answers")
left, right = st.columns(2, gap="large")
with left:
    page.chart(responses.response_probabilities_with_optimum if optimum else responses.response_probabilities)
with right:
    page.chart(objective.entropy_and_clipping)
    page.say(f"#### The PPO loss is no progress bar\n\n{words.loss}")

st.markdown("## Three policies, easily confused")
rule = st.selectbox(
    "Follow the rollout with the", tuple(ppo_words.RULES), key="ppo-follow", persist_state="session", width=320
)
page.live(follow.policies(rule))
left, right = st.columns(2, gap="large", vertical_alignment="center")
with left:
    page.formula(prose.TOKEN_REWARD)
    page.say(prose.SIGN)
with right:
    page.live(follow.token_rewards(rule))

st.markdown("## One step, line by line")
page.say(f"""
{words.rollouts} Scores and penalty are computed once, before the epochs; the KL enters through the reward and nowhere
else. {words.negative} Set *Step by* to *loop line* in the player to stop at each line.
""")
page.live(loop.loop)

st.markdown("## Better than expected, and by how much?")
page.say(prose.BASELINE[estimator])
left, right = st.columns(2, gap="large")
with left:
    page.formula(prose.ADVANTAGE[estimator])
    page.live(follow.advantage_instance(rule))
    page.chart(step.advantage_bars)
with right:
    page.formula(prose.SURROGATE)
    page.say(f"{words.clipping} In the first epoch ρ = 1, so it is a plain policy gradient.")
    page.chart(step.ratio_scatter)

st.markdown("## Where the KL comes from")
page.say(f"The KL is a mean over the policy’s *own* responses. {words.other_way}")
page.live(responses.kl_sum)
left, right = st.columns(2, gap="large")
with left:
    page.chart(responses.kl_by_response)
with right:
    page.chart(responses.kl_by_token)
    page.say(prose.REAL)
