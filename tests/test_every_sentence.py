"""Every sentence is true of the run beside it, whatever has been set: counts, signs, directions, and what is only
said sometimes.

A sentence that fails here is wrong for a reader who has set what its address says. One that says "more", "never" or
"falls" in some runs and not in others needs an entry in `TRUE_WHEN`: what must hold of the run wherever it is said.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from pages.drawing.view import View
from rlhf_core.calibration import sides
from tests.sentences import Said, sentences
from tests.settings_at_random import look

CHUNK, N_CHUNKS, N_COMPARED = 10, 30, 40

# ------------------------------------------------------------------ counts, signs, zeros

NOUNS = (
    "answer|comparison|demonstration|epoch|feature|gradient step|labeller|nat|pair|PPO step|prompt|response|rollout|"
    "sentence|spread|step|text|time|token|training pair|unit|update|word|written answer"
)
NO_ORDINAL = "(?<!step )(?<!epoch )(?<!number )"
FAULTS = {
    "one of many": re.compile(rf"(?<![\d.,:–−+-]){NO_ORDINAL}\b1 (?:{NOUNS})s\b"),
    "many of one": re.compile(rf"(?<![\d.,:–-]){NO_ORDINAL}\b(?!1\b)\d+(?:,\d{{3}})* (?:{NOUNS})\b(?![-’'])"),
    "1 times": re.compile(r"(?<![\d.,])\b[12] times\b(?! as)"),
    "hyphen for minus": re.compile(r"(?<![\w)`−-])-(?=\.?\d)"),
    "signed zero": re.compile(r"[-−+]0(?:\.0+)?(?![\d.]*[1-9])(?!\.\d)(?!\d)"),
    "± 0": re.compile(r"± ?0(?:\.0+)?(?![\d.])"),
    "nonsense": re.compile(r"\bnan\b|\binf\b|\bNone\b|\{[a-z_]|  "),
}
CODE = re.compile(r"`[^`]*`|\$\$[^$]*\$\$|\$[^$]*\$|\]\([^)]*\)")


@cache
def faults(text: str) -> list[str]:
    prose = CODE.sub("‹code›", text)
    return [name for name, pattern in FAULTS.items() if pattern.search(prose)]


# ------------------------------------------------------------------ directions with both ends

NUMBER = r"([+−]?[\d,]+(?:\.\d+)?)%?"
FROM_TO = rf"from {NUMBER}(?: at its peak)? to {NUMBER}"
UP = re.compile(rf"\b(?:rises?|rose|climbs?|climbed|grows?|grew|raises it all the same,|raised “[^”]*”) {FROM_TO}")
DOWN = re.compile(rf"\b(?:falls?|fell|drops?|sinks?|loses most,|does not raise it,) {FROM_TO}")


def value(written: str) -> float:
    return float(written.replace("−", "-").replace("+", "").replace(",", ""))


@cache
def wrong_way(text: str) -> bool:
    ups = [value(b) - value(a) for a, b in UP.findall(text)]
    downs = [value(b) - value(a) for a, b in DOWN.findall(text)]
    still = "does not raise it" in text
    return any(change <= 0 for change in ups) or any(change > 0 or (change == 0 and not still) for change in downs)


# ------------------------------------------------------------------ what is only said sometimes


def peak(view: View) -> int:
    return int(view.run.ppo.true_reward.argmax())


def base(view: View) -> float:
    return float(view.run.course.true_reward[0].mean())


def bad_share(view: View) -> np.ndarray:
    bad = view.run.scenario.true_reward < 0
    return (np.exp(view.run.sft.log_probs[[0, -1]]) * bad).sum(axis=2).mean(axis=1)


def moved(view: View) -> np.ndarray:
    return view.run.ppo.kl_per_position[-1, view.prompt]


def log_ratios(view: View) -> np.ndarray:
    return view.run.ppo.rollouts[-1].log_ratio_to_ref[view.prompt].sum(axis=1)


def gain(view: View, probability: float) -> bool:
    before, after = np.exp(view.run.ppo.log_probs[[0, -1], view.prompt])
    return bool((after - before).max() < probability)


def largest_ratio(view: View) -> float:
    return max(float(batch.ratio.max()) for batch in view.run.ppo.rollouts)


def favourite_ranks(view: View) -> np.ndarray:
    truth = view.run.scenario.true_reward
    favourite = np.take_along_axis(truth, view.run.reward.scores.argmax(axis=1)[:, None], axis=1)
    return (truth > favourite).sum(axis=1) + 1


def accuracies(view: View) -> tuple[float, float]:
    """Final expected accuracy against the labels and against the truth, on the held-out prompts."""
    run, held = view.run, view.run.scenario.heldout
    found = sides(
        run.sft.log_probs[-1][held], run.reward.scores[None, held], run.labeller_reward[held],
        run.scenario.true_reward[held], label_noise=run.settings.label_noise,
    )  # fmt: skip
    return float(found.labels[0]), float(found.truth[0])


TRUE_WHEN: dict[str, Callable[[View], bool]] = {
    # Yours
    r"has fallen back since": lambda view: view.run.ppo.true_reward[-1] < view.run.ppo.true_reward[peak(view)],
    # Overview
    r"the reward still goes up, and the answers get worse": lambda view: (
        view.run.ppo.reward[-1] > view.run.ppo.reward[peak(view)]
        and view.run.ppo.true_reward[-1] < view.run.ppo.true_reward[peak(view)]
    ),
    r"SFT makes the answers better, and PPO better still": lambda view: (
        base(view) < view.run.ppo.true_reward[0] < view.run.ppo.true_reward[-1]
    ),
    # SFT
    r"held-out demonstrations get dearer again": lambda view: (
        view.run.sft.heldout_loss[-1] > view.run.sft.heldout_loss.min()
    ),
    r"learns the demonstrations it sees better than|More demonstrations narrow that gap": lambda view: (
        view.run.sft.loss[-1] < view.run.sft.heldout_loss[-1]
    ),
    r"these very answers by heart": lambda view: view.run.sft.loss[-1] < view.run.sft.writer_loss,
    r"Imitation climbs towards the writer|stays below the writer": lambda view: (
        base(view) < view.run.ppo.true_reward[0] < view.run.sft.writer_true_reward
    ),
    r"what they lose, they lose because others gain": lambda view: np.diff(bad_share(view))[0] < 0,
    r"It has not yet learnt them": lambda view: view.run.sft.loss[-1] >= view.run.sft.heldout_loss[-1],
    # Reward model
    r"For no other prompt is it further off": lambda view: (
        favourite_ranks(view)[view.prompt] == favourite_ranks(view).max()
    ),
    r"It is furthest off for": lambda view: favourite_ranks(view)[view.prompt] < favourite_ranks(view).max(),
    r"what it learns later does not carry over": lambda view: (
        view.run.reward.heldout_loss[-1] > view.run.reward.heldout_loss.min()
    ),
    r"the reward model overrates$": lambda view: view.run.ppo.reward[-1] > view.run.ppo.reward[0],
    r"so nothing sways them": lambda view: view.run.settings.labeller_bias == 0,
    r"It is right more often than its labels": lambda view: accuracies(view)[1] > accuracies(view)[0],
    r"It predicts the labellers better than it": lambda view: accuracies(view)[1] < accuracies(view)[0],
    # PPO
    r"distance is free": lambda view: view.run.settings.beta == 0,
    r"one more nat must bring at least": lambda view: view.run.settings.beta > 0,
    r"every response counts with its probability|each with its probability|every answer, weighted|every y counts|"
    r"none: exact expectation|all answers on average|most probable \d+ of": lambda view: (
        view.run.settings.rollouts == 0
    ),
    r"negative, though none is": lambda view: (log_ratios(view) >= -1e-12).all(),
    r"negative, as \d+ of": lambda view: (log_ratios(view) < -1e-12).any(),
    r"clipping never acts": lambda view: view.run.settings.ppo_epochs == 1 and not view.run.ppo.clip_fraction.any(),
    r"no chance is left": lambda view: view.run.settings.rollouts == 0,
    r"the policy writes \d+ answers?, the \*\*rollouts": lambda view: view.run.settings.rollouts > 0,
    r"its reward r minus V|RLOO takes the mean of the prompt": lambda view: view.run.settings.advantage == "gae",
    r"One may also leave the rollout in": lambda view: view.run.settings.advantage == "leave_one_out",
    r"whitening would make step": lambda view: (
        all(np.std(view.run.ppo.rollouts[i].advantages) > 0 for i in (0, -1)) and view.timeline.n_steps > 1
    ),
    r"none was clipped": lambda view: not view.run.ppo.clip_fraction[1],
    r"makes that 0 in every step": lambda view: np.abs(view.run.ppo.loss[:, 0]).max() < 1e-9,
    r"PPO has changed nothing": lambda view: gain(view, 1e-9),
    r"hardly moved the answers": lambda view: gain(view, 0.001),
    r"No token has moved far": lambda view: moved(view).max() < 0.006,
    r"moves furthest from the reference": lambda view: moved(view).max() > 0.004,
    r"Here none passes": lambda view: largest_ratio(view) <= 1 + view.run.settings.clip_range,
    r"Clipping does not bound the ratio": lambda view: largest_ratio(view) > 1 + view.run.settings.clip_range,
    r"[Aa] single rollout has nothing": lambda view: view.run.settings.rollouts == 1,
    r"What some gain, others lose: (?:all|the) advantages sum": lambda view: view.run.settings.advantage != "gae",
    r"Better or worse than the learned value": lambda view: view.run.settings.advantage == "gae",
    r"no GAE in this run": lambda view: view.run.settings.advantage != "gae",
    r"Best for the score is not best for people": lambda view: (
        view.run.frontier.true_reward.max() > view.run.optimum.true_reward
    ),
    # Metrics
    r"The loss ends higher than it began, and so does the reward": lambda view: (
        view.run.ppo.loss[-1, 1] > view.run.ppo.loss[0, 1] and view.run.ppo.reward[-1] > view.run.ppo.reward[0]
    ),
    r"the score rises and the true reward falls": lambda view: (
        view.run.ppo.reward[-1] > view.run.ppo.reward[peak(view)]
        and view.run.ppo.true_reward[-1] < view.run.ppo.true_reward[peak(view)]
    ),
    r"the true reward falls, and the score does not rise": lambda view: (
        view.run.ppo.reward[-1] <= view.run.ppo.reward[peak(view)]
    ),
    r"of what PPO had gained is lost again": lambda view: 0 < peak(view) < view.timeline.n_steps,
    r"PPO has gained nothing": lambda view: peak(view) == 0,
    r"gone further than that price is worth": lambda view: view.run.ppo.kl[-1] > view.run.optimum.kl,
    r"PPO heads there": lambda view: view.run.ppo.kl[-1] <= view.run.optimum.kl,
    r"a single batch, written by the SFT policy itself|Raise PPO steps to see": lambda view: view.timeline.n_steps == 1,
    # Presets and tour
    r"goes on to .* nothing in it tells you": lambda view: view.run.ppo.reward[-1] > view.run.ppo.reward[peak(view)],
    r"stops the push, it does not hold": lambda view: (
        view.run.ppo.rollouts[0].ratio.max() > 1 + view.run.settings.clip_range
    ),
    r"this time none has passed": lambda view: view.run.ppo.rollouts[0].ratio.max() <= 1 + view.run.settings.clip_range,
    r"That is less than before PPO": lambda view: view.run.ppo.true_reward[-1] < view.run.ppo.true_reward[0],
    r"found some that the reward model overrates|a larger β, or fewer steps|and yet true reward falls": lambda view: (
        view.run.ppo.true_reward[-1] < view.run.ppo.true_reward.max()
    ),
    r"Labellers that never err at random": lambda view: view.run.settings.label_noise == 0,
}
ELSEWHERE = (
    r"(?:un)?healthy|watch|cannot tell",  # tests of the diagnosis
    r"^A careful reader would have|^This is (?:bias|chance)",  # tests of the pair cards
    r"little or nothing|Little or nothing|not far from its peak",  # the threshold of `over_optimised` has its tests
    r"[Tt]he highest|is worth most|highest reward|least good one|fewer than 0\.1%|at its best",  # numbers, read there
    r"^(?:and \d+ more|A held-out pair: it only|Nothing in the model asks|No rollout of the chosen prompt|All start)",
    r"demonstrated (?:once|twice|\d)|never demonstrated",
    r"above (?:all|none|\d+) (?:of )?this prompt’s",
    r"Try another seed|\?$",
    r"^A fit to all your other labels|^These pairs were picked",  # tests of the reader's labels
    r"^With a value table in your run|^DPO raises the margin|^What pairs lose",  # tests of the Lab's answers
    r"^The old policy writes|^The spread (?:is|goes)|^It was drawn all the same|of the token gradients were cut",
)
"""Conditional sentences whose conditions are tested where they are written."""
CLAIMS = re.compile(
    r"\b(?:ris(?:e|es|en|ing)|rose|fall(?:s|en|ing)?|fell|gr[oe]w\w*|drop\w*|climb\w*|highe[rs]t?|lowe[rs]t?|more|less|"
    r"fewer|better|worse|dearer|cheaper|gain\w*|los(?:es?|t|ing)|raise[sd]?|most|never|always|all|every|none|nothing|"
    r"still|furthe(?:r|st)|keeps?)\b",
    re.IGNORECASE,
)


STEPS = re.compile(r"\b(\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|sixty) (?:PPO )?steps\b(?!’)")
BETA = re.compile(r"β = (\d+(?:\.\d+)?)")
OF_ANY_BETA = r"Of all the optima|^β = |optimum for"
OF_ANY_STEPS = r"With your settings, but"
WORDS = {word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)}
WORDS |= {"twelve": 12, "sixty": 60}


def of_other_settings(said: Said) -> list[str]:
    """Numbers of steps and prices that are not those of the run."""
    settings = said.view.run.settings
    steps = [] if re.search(OF_ANY_STEPS, said.text) else [int(WORDS.get(n, n)) for n in STEPS.findall(said.text)]
    betas = [] if re.search(OF_ANY_BETA, said.text) else [float(found) for found in BETA.findall(said.text)]
    return [f"{n} steps" for n in steps if n != settings.ppo_steps] + [f"β = {b}" for b in betas if b != settings.beta]


@cache
def claimed(text: str) -> list[str]:
    return [words for words in TRUE_WHEN if re.search(words, text)]


def contradicted(said: Said) -> list[str]:
    return [words for words in claimed(said.text) if not TRUE_WHEN[words](said.view)]


# ------------------------------------------------------------------ the tests


@pytest.mark.parametrize("chunk", range(N_CHUNKS))
def test_every_sentence_is_true_of_the_run_beside_it(chunk: int) -> None:
    wrong = set()
    for n in range(CHUNK * chunk, CHUNK * (chunk + 1)):
        one = look(n)
        for said in sentences(one):
            complaints = [*faults(said.text), *contradicted(said), *of_other_settings(said)]
            complaints += ["wrong way"] if wrong_way(said.text) else []
            wrong |= {f"{complaint}: {said.source}: {said.text} ({one})" for complaint in complaints}
    assert not wrong, "\n".join(sorted(wrong))


def test_what_is_claimed_only_sometimes_has_its_condition_tested() -> None:
    spoken, heard = defaultdict(set), defaultdict(set)
    for n in range(N_COMPARED):
        for said in sentences(look(n)):
            spoken[said.source].add(n)
            heard[said.source, template(said.text)].add(n)
    untested = {
        f"{source}: {words}"
        for (source, words), where in heard.items()
        if where != spoken[source] and CLAIMS.search(words) and not covered(words)
    }
    assert not untested, "\n".join(sorted(untested))


def template(text: str) -> str:
    """A sentence without its numbers, and without what it quotes."""
    numberless = re.sub(r"[+−]?\d[\d,]*(?:\.\d+)?%?", "0", re.sub(r"“[^”]*”", "“…”", text))
    return re.sub(rf"\b0 ({NOUNS})s?\b", r"0 \1", numberless)


def covered(words: str) -> bool:
    patterns = [*TRUE_WHEN, *ELSEWHERE, UP.pattern, DOWN.pattern]
    return any(re.search(pattern.replace(r"\d+", "0"), words) for pattern in patterns)


def test_the_reader_of_sentences_finds_what_is_wrong() -> None:
    bad = {
        "one of many": "It takes 1 updates.", "many of one": "After 8 step it ends.", "1 times": "Written 1 times.",
        "hyphen for minus": "It is -0.3 now.", "signed zero": "The penalty is −0.00.", "± 0": "in 100% (± 0)",
        "nonsense": "It is nan.",
    }  # fmt: skip
    assert all(name in faults(text) for name, text in bad.items())
    good = "In step 1 answers gain 0.5 nats, 1 of 12 prompts does not; −0.01 and 1 update, 2,000 comparisons, 8 steps."
    assert not faults(good)
    assert wrong_way("J rises from 0.30 to 0.10") and wrong_way("It falls from 1 to 1")
    assert not wrong_way("J rises from −0.30 to −0.10; it falls from 3.1% to 2.0%")
