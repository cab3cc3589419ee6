"""SFT: imitate what people wrote."""

import streamlit as st

from pages.figures import response_tree as tree
from pages.figures import sft as figures
from pages.frame.page import open_page

page = open_page("sft", "Supervised fine-tuning: imitate what people wrote")
words = figures.Words(page.view)

st.markdown(f"""
The **base policy** answers as web text would: it has read much, and nobody has told it what an answer is for. Supervised
fine-tuning (SFT) shows it {words.n} demonstrations per prompt and makes each of them more probable. Nothing else. Here a
simulated writer, good but human, has written them; at InstructGPT people wrote the answers to about 13,000 prompts.
""")
st.markdown("## The loss is the price of a demonstration")
left, right = st.columns(2, gap="large", vertical_alignment="center")
with left:
    page.formula(
        r"\mathcal L = -\,\mathbb{E}_{(x,y)\sim D}\Big[\sum_t \log \policy{\pi_\theta(y_t \mid x, y_{<t})}\Big]"
    )
with right:
    st.markdown("""
$D$ are the demonstrations. Read one phrase by phrase and pay −log of the probability that the policy gave each. The prompt itself costs
nothing: only the tokens of the response are trained on. There is no reward in this formula, only text.
""")
number = st.selectbox(
    "Demonstration", range(len(figures.examples(page.view))), key="sft-example", format_func=words.example,
    persist_state="session", help="Of the prompt chosen in the sidebar.",
)  # fmt: skip
page.live(figures.demonstration_cost(number))

left, right = st.columns(2, gap="large")
with left:
    page.chart(figures.loss)
with right:
    page.chart(figures.imitation)

st.markdown("## What it does to the answers")
st.markdown(f"""
All {words.n_responses} answers to “{page.view.question}” at once. During PPO the tree on the left moves on; the one on the
right stays, because it is the reference that PPO is held to.
""")
left, right = st.columns(2, gap="large")
with left:
    page.chart(tree.tree_now)
with right:
    page.chart(tree.tree_after_sft)
st.markdown("#### What the writer wrote for this prompt")
page.live(figures.demonstrations)
st.markdown("#### Probabilities add up to one: what SFT gives to some answers it takes from the others")
left, right = st.columns(2, gap="large")
with left:
    page.chart(figures.gained)
with right:
    page.chart(figures.lost)

st.markdown("## What SFT cannot do")
st.markdown(f"""
- **It has no notion of better or worse.** Every demonstration weighs the same. {words.worst_demonstration}
- **It is never told what to avoid.** {words.bad_answers}
- **It knows only what it was shown.** {words.gap} More demonstrations narrow that gap; more epochs on the same ones widen it.
- **It ends at the writer.** With all the data in the world the policy would answer as the writer does,
  {words.writer} per answer on average, when the best answers are worth {words.best}.

Saying which of two answers is better is easier than writing the best one. That is the idea of the next stage.
""")
st.markdown("## Why the others need it")
st.markdown(f"""
What SFT ends with is called the **reference policy**, $\\pi_\\mathrm{{ref}}$, and it is frozen. The pairs of answers that labellers
compare are drawn from it, so the reward model learns to judge *its* kind of answer. PPO starts from a copy of it, and the
penalty β · KL(policy ‖ reference) is paid for every nat that the copy moves away.
""")
st.page_link("pages/reward_model.py", label="Next: the reward model", icon="➡️")
with st.expander("What a real LLM has that this toy has not"):
    st.markdown(f"""
- A token is a piece of a word, not a phrase, and there are some 100,000 of them instead of 4 or 5 at each position. The sum
  over tokens is the same, only longer; most logs show it *per token*, this page per response.
- One network answers all prompts, so it generalises between them. Here each prompt has its own table: a demonstration
  teaches something about the phrases of its own prompt and nothing about others.
- The writer is a person, or more often today a stronger model. Ours draws an answer with probability ∝ exp(true reward /
  {words.temperature:g}), so it errs as well: it wrote some of the middling answers above.
- Minibatches, Adam and early stopping; here {words.epochs} full-batch gradient steps.
""")
