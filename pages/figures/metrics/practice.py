"""What to do in one's own project: rules with their source or their demonstration here, and opinion called so."""

RULES = """
Every rule names where it comes from: a paper, or a link that shows it in this app. What is neither is marked *opinion*.

**Before you start.** Write down what a good answer is, and have three people label the same 50 pairs: where they
disagree, no model will agree with all of them ([noisy labels here](metrics?label_noise=4&at=done)). Keep a set of
prompts that nothing is ever trained on.

**SFT or DPO first?** Good demonstrations move a policy furthest for the least
([SFT here](sft?at=sft-30)); preferences refine what is nearly right (*opinion*, and the order that
[InstructGPT](https://arxiv.org/abs/2203.02155) and [Llama 2](https://arxiv.org/abs/2307.09288) took). If you have
pairs and no sampling loop, DPO needs neither reward model nor samples
([compared here](lab?experiment=methods)); it is tied to answers that somebody compared.

**Labels.** Held-out accuracy of 60 to 75 % is usual, because two labellers agree on about as much
([InstructGPT](https://arxiv.org/abs/2203.02155): 72.6 ± 1.5 %). Give the interval, not the point: 100 held-out pairs
leave ± 9 points (95 %). More labels average noise out, never bias
([shown here](lab?experiment=labels)): pay for some slow labels, and measure the hurried ones against them.

**Reward model.** Compare its accuracy with what a second labeller reaches, not with 100 %. Measure it again on pairs
that the *trained* policy writes; there it counts ([try it](lab?experiment=asked&question=good-enough)). Look at which
features it pays for, length first ([the weights](reward_model?at=rm-60)), and how far style alone explains your labels
([bring your pairs](yours?section=pairs)).

**β and KL.** β is in reward units per nat, so a value from a paper means nothing before rewards are scaled alike.
Published ones: 0.02 ([InstructGPT](https://arxiv.org/abs/2203.02155)), 0.05
([Stiennon et al.](https://arxiv.org/abs/2009.01325)), 0.01 and 0.005 ([Llama 2](https://arxiv.org/abs/2307.09288)).
Sweep it in factors of two or three and compare at equal KL ([sweep](lab?experiment=beta)). KL per answer grows with
length: a few nats per answer of hundreds of tokens are hundredths of a nat per token
([which is which](lab?experiment=asked&question=per-token)).

**What to watch.** Reward, KL to the reference, KL between successive policies, entropy, length, and samples read by
people. Not the loss ([why](#why-the-loss-is-no-progress-bar)). Accuracy on the labellers’ own choices says nothing
about what sways them ([biased labellers](metrics?beta=0&ppo_steps=60&labeller_bias=1.5&at=done)).

**When to stop.** No logged curve shows the turning point ([try it](lab?experiment=stopping&beta=0&ppo_steps=60)). Fix
a budget of KL beforehand and have people compare, blind, the answers of several checkpoints. Stop where they stop
preferring the newer ones.

**What to do when …**

"""
SYMPTOMS = (
    ("reward up, answers worse", "over-optimisation", "fewer steps, larger β, fresh labels",
     "[reward hacking](metrics?beta=0&ppo_steps=60&at=done), "
     "[fresh labels](lab?experiment=fresh-labels&beta=0.05&ppo_steps=60)"),
    ("KL negative", "scored at another temperature than sampled", "score what you sample",
     "[negative KL](lab?experiment=asked&question=negative-kl)"),
    ("nothing moves", "groups without spread, β too high", "more rollouts, smaller β",
     "[no spread](lab?experiment=asked&question=no-spread), [β = 2](metrics?beta=2&at=done)"),
    ("jumps", "learning rate too high", "smaller steps, fewer epochs",
     "[too high](metrics?ppo_learning_rate=20&at=done)"),
    ("one answer to everything", "entropy collapse", "larger β, more rollouts",
     "[collapse](metrics?beta=0&ppo_steps=60&rollouts=8&ppo_learning_rate=2&at=done)"),
    ("refuses harmless questions", "labellers who reward caution",
     "ask what the person needed; [XSTest](https://arxiv.org/abs/2308.01263)",
     "[over-refusal](metrics?scenario=safety&beta=0&ppo_steps=60&labeller_bias=2&at=done)"),
    ("a strange log", "", "", "[have it read](yours?section=log)"),
)
"""What one sees, what it may be, what to try, and where it can be seen here."""


def when() -> str:
    """What to do when …, as a Markdown table."""
    heads = ("You see", "It may be", "Try", "Shown here")
    rows = (heads, ("---",) * len(heads), *SYMPTOMS)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
