"""Demonstrations of the SFT page in words and live numbers: one taken apart, all as cards, and what the run shows."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from html import escape

import numpy as np

from pages.drawing.chart import Array
from pages.drawing.glossary import term
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import excerpt, kinds, minus, plain, plural, times, worth
from pages.drawing.worth import opened
from rlhf_core.policy import prefix_log_probs
from rlhf_core.scenarios import SLOTS
from rlhf_core.sft import WRITER_TEMPERATURE

MOST_CARDS = 6


def examples(view: View) -> list[tuple[int, bool]]:
    """The chosen prompt's demonstrations, each once: (response, trained on), the trained ones first."""
    trained = dict.fromkeys(view.run.sft.demonstrations[view.prompt].tolist(), True)
    heldout = dict.fromkeys(view.run.sft.heldout_demonstrations[view.prompt].tolist(), False)
    return list({**trained, **heldout}.items())


def example_names(view: View) -> list[str]:
    """The chosen prompt's demonstrations, for a list to choose from."""
    return [f"{'trained on' if trained else 'held out'}: {kinds(view, i)}" for i, trained in examples(view)]


@lru_cache(maxsize=128)
def demonstration_cost(number: int) -> Callable[[View], Live]:
    """The loss of one demonstration, phrase by phrase; the same number gives the same function."""

    def demonstration_cost(view: View) -> Live:
        return _cost(view, *examples(view)[number])

    return demonstration_cost


def _cost(view: View, response: int, trained: bool) -> Live:
    epochs, rows = np.unique(view.timeline.sft_epochs, return_inverse=True)
    terms = phrase_costs(view, response)
    before, after = (adding_up(row)[-1] for row in terms[[0, -1]])
    note = "SFT trains on it" if trained else "it is held out, SFT never trains on it"
    parts = zip(SLOTS, view.run.scenario.parts(view.prompt, response), strict=True)
    cells = "".join(_cell(i, slot, phrase.text) for i, (slot, phrase) in enumerate(parts))
    template = (
        f'<div class="sr-cells">{cells}</div><p class="sr-sum">−log <span class="policy">π(y|x)</span> = '
        '<span data-slot="c0"></span> + <span data-slot="c1"></span> + <span data-slot="c2"></span> '
        f'= <b data-slot="total"></b> {term("nat", "nats")}</p>'
        f'<p class="sr-note">Before SFT {before}, after SFT {after} nats; {note}. At this point of SFT the whole '
        'response has probability <b class="policy" data-slot="p"></b>.</p>'
    )
    return Live(template, rows, _cost_values(terms[epochs]))


def _cell(i: int, slot: str, text: str) -> str:
    """One phrase, its probability as a bar, and its cost."""
    return (
        f'<div class="sr-cell"><small>{slot}{" given what stands before" if i else ""}</small><p>{escape(text)}</p>'
        f'<div class="sr-bar"><i class="policy" data-width="w{i}"></i></div>'
        f'<p class="sr-term">−log <b class="policy" data-slot="p{i}"></b> = <b data-slot="c{i}"></b></p></div>'
    )


def _cost_values(terms: Array) -> dict[str, list[str]]:
    """What fills the slots: costs that add up, and the probabilities that they stand for."""
    written = list(zip(*(adding_up(row) for row in terms), strict=True))
    values = {"total": list(written[-1]), "p": [f"{100 * np.exp(-cost):.2f}%" for cost in terms.sum(axis=1)]}
    for i in range(terms.shape[1]):
        share = [f"{100 * np.exp(-cost):.1f}%" for cost in terms[:, i]]
        values |= {f"c{i}": list(written[i]), f"p{i}": share, f"w{i}": share}
    return values


def phrase_costs(view: View, response: int) -> Array:
    """−log probability of a response's opening, body and closing at every SFT epoch, (E+1, 3), in nats."""
    shape = view.run.scenario.shape
    prefixes = prefix_log_probs(view.run.sft.log_probs[:, view.prompt], shape)
    strides = [int(np.prod(shape[level:])) for level in range(1, len(shape) + 1)]
    reach = np.stack([each[:, response // stride] for each, stride in zip(prefixes, strides, strict=True)], axis=1)
    return -np.diff(reach, axis=1, prepend=0.0)


def adding_up(terms: Array, digits: int = 2) -> list[str]:
    """Terms and their total, written so that the written terms add up to the written total."""
    unit = 10.0**-digits
    scaled = np.maximum(terms, 0.0) / unit
    total, whole = int(np.rint(scaled.sum())), np.floor(scaled).astype(int)
    for i in np.argsort(whole - scaled, kind="stable")[: total - int(whole.sum())]:
        whole[i] += 1
    return [f"{unit * value:.{digits}f}" for value in [*whole.tolist(), total]]


def demonstrations(view: View) -> Live:
    """The demonstrations as cards, each with its probability before SFT, so far, and after it."""
    epochs, rows = np.unique(view.timeline.sft_epochs, return_inverse=True)
    counted = Counter(view.run.sft.demonstrations[view.prompt].tolist()).most_common()
    shown = counted[:MOST_CARDS]
    probs = 100 * np.exp(view.run.sft.log_probs[:, view.prompt][:, [response for response, _ in shown]])
    widths = 100 * probs / max(float(probs.max()), 1e-9)
    cards, values = "", {}
    for k, (response, count) in enumerate(shown):
        cards += _card(view, k, response, count, probs[[0, -1], k], widths[-1, k])
        values |= {
            f"p{k}": [f"{p:.2f}%" for p in probs[epochs, k]],
            f"w{k}": [f"{width:.1f}%" for width in widths[epochs, k]],
        }
    more = len(counted) - len(shown)
    rest = f'<p class="sr-note">and {more} more</p>' if more else ""
    css = "sr-cards sr-four" if len(shown) == 4 else "sr-cards"
    return Live(f'<div class="{css}">{cards}</div>{rest}', rows, values)


def _card(view: View, k: int, response: int, count: int, ends: Array, width: float) -> str:
    """One demonstration with its text, bar and numbers."""
    repeated = f", written {times(count)}" if count > 1 else ""
    return (
        f'<div class="sr-card"><p>{escape(view.responses[response])}</p><div class="sr-foot"><div class="sr-bar">'
        f'<i class="ghost" style="width:{width:.1f}%"></i><i class="policy" data-width="w{k}"></i></div>'
        f'<span>base {ends[0]:.2f}%, SFT so far <b class="policy" data-slot="p{k}"></b>, '
        f"after SFT {ends[1]:.2f}%</span>"
        f'<span class="truth">true reward {worth(view, response)}{repeated}</span>{opened(view, response)}</div></div>'
    )


def introduction(view: View) -> str:
    """What SFT is, and who wrote the demonstrations."""
    shown = plural(view.run.settings.n_demonstrations, "demonstration")
    return f"""
The **base policy** answers as web text would: it has read much, and nobody has told it what an answer is for.
Supervised fine-tuning (SFT) shows it {shown} per prompt and raises their probability.
Nothing else. Here a simulated writer, good but not perfect, has written them; for InstructGPT, people answered about
13,000 prompts."""


FORMULA = """
$D$ are the demonstrations. Read one phrase by phrase, and pay −log of the probability that the policy gave to each.
The prompt costs nothing: only the tokens of the response are trained on. There is no reward in this formula, only
text."""

REFERENCE = """
What SFT ends with is called the **reference policy**, $\\pi_\\mathrm{ref}$, and it is frozen. The pairs of answers that
labellers compare are drawn from it, so the reward model learns to judge *its* kind of answer. PPO starts from a copy
of it, and pays β · KL(policy ‖ reference) for moving that copy away."""


def all_answers(view: View) -> str:
    """What the two trees show."""
    return f"""
All {len(view.responses)} answers to “{plain(view.question)}” at once. In PPO “The policy now” moves on, while “After
SFT” stays: it is the reference that PPO is held to."""


def limits(view: View) -> str:
    """What imitation cannot do, in this run's numbers."""
    run = view.run
    best = run.scenario.true_reward.max(axis=1).mean()
    return f"""
- **It has no notion of better or worse.** Every demonstration weighs the same. {_worst_demonstration(view)}
- **It is never told what to avoid.** {_bad_answers(view)}
- **It knows what it was shown.** {_gap(view)}
- **It ends at the writer.** With endless demonstrations it would answer just as the writer does, for a true reward of
  {minus(run.sft.writer_true_reward)} on average, where always giving the best answer earns {minus(best)}.

Saying which of two answers is better is easier than writing the best one. That is the idea of the next stage."""


def _worst_demonstration(view: View) -> str:
    """What SFT did with the least good of the chosen prompt's demonstrations."""
    sft, truth = view.run.sft, view.run.scenario.true_reward[view.prompt]
    worst = min(sft.demonstrations[view.prompt].tolist(), key=lambda response: truth[response])
    before, after = 100 * np.exp(sft.log_probs[[0, -1], view.prompt, worst])
    verb = "raises it all the same" if round(after, 1) > round(before, 1) else "does not raise it"
    text = plain(excerpt(view.responses[worst], 75))
    return (
        f"The least good one above, “{text}”, has a true reward of {worth(view, worst)}, the best possible answer "
        f"{minus(truth.max(), '+.1f')}; SFT {verb}, from {before:.1f}% to {after:.1f}%."
    )


def _bad_answers(view: View) -> str:
    """How much probability answers with a negative true reward keep."""
    bad = view.run.scenario.true_reward < 0
    before, after = (np.exp(view.run.sft.log_probs[[0, -1]]) * bad).sum(axis=2).mean(axis=1)
    lesson = ": what they lose, they lose because others gain" if after < before else ""
    return (
        f"Answers whose true reward is below zero have {before:.0%} of the probability before SFT and {after:.0%} "
        f"after it, mean over all prompts{lesson}."
    )


def _gap(view: View) -> str:
    """What a held-out demonstration costs."""
    sft = view.run.sft
    known, new = sft.loss[-1], sft.heldout_loss[-1]
    lesson = "More demonstrations narrow that gap; more epochs on the same ones widen it."
    return (
        f"After SFT a demonstration that it was trained on costs {known:.2f} nats, another answer by the same writer, "
        f"which it was never shown, {new:.2f}. {lesson if known < new else 'It has not yet learnt them.'}"
    )


def reality(view: View) -> str:
    """Toy against real."""
    steps = plural(view.run.settings.sft_epochs, "full-batch gradient step")
    return f"""
- A token is a piece of a word, and at each position there are some 100,000 of them; here it is a phrase, one of 4 or
  5. The sum over tokens is the same, only longer. Most logs show it *per token*, this page per response.
- One network answers all prompts and generalises between them. Here each prompt has its own table: a demonstration
  teaches something about its own prompt and nothing about others.
- The writer is a person, or often a stronger model. Ours draws an answer with probability ∝ exp(true reward /
  {WRITER_TEMPERATURE:g}), so it writes middling answers too.
- Minibatches and Adam over millions of tokens; here {steps}."""
