"""Demonstrations of the SFT page in words and live numbers: one taken apart, all as cards, and what the run shows."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from html import escape

import numpy as np

from pages.figures.chart import Array
from pages.figures.live import Live
from pages.figures.marks import minus
from pages.figures.sft import kinds, times, worth
from pages.figures.view import View, excerpt
from rlhf_core.policy import prefix_log_probs
from rlhf_core.scenarios import SLOTS
from rlhf_core.sft import WRITER_TEMPERATURE

MOST_CARDS = 6


def examples(view: View) -> list[tuple[int, bool]]:
    """The chosen prompt's demonstrations, each once: (response, trained on), the trained ones first."""
    trained = dict.fromkeys(view.run.sft.demonstrations[view.prompt].tolist(), True)
    heldout = dict.fromkeys(view.run.sft.heldout_demonstrations[view.prompt].tolist(), False)
    return list({**trained, **heldout, **trained}.items())


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
    cells = "".join(
        f'<div class="sr-cell"><small>{slot}{" given what stands before" if i else ""}</small><p>{escape(phrase.text)}</p>'
        f'<div class="sr-bar"><i class="policy" data-width="w{i}"></i></div>'
        f'<p class="sr-term">−log <b class="policy" data-slot="p{i}"></b> = <b data-slot="c{i}"></b></p></div>'
        for i, (slot, phrase) in enumerate(zip(SLOTS, view.run.scenario.parts(view.prompt, response), strict=True))
    )
    template = (
        f'<div class="sr-cells">{cells}</div><p class="sr-sum">−log <span class="policy">π(y|x)</span> = '
        '<span data-slot="c0"></span> + <span data-slot="c1"></span> + <span data-slot="c2"></span> = '
        '<b data-slot="total"></b> nats</p>'
        f'<p class="sr-note">Before SFT {before}, after SFT {after} nats; {note}. The whole response now has probability '
        '<b class="policy" data-slot="p"></b>.</p>'
    )
    return Live(template, rows, _cost_values(terms[epochs]))


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
    total = int(np.rint(terms.sum() / unit))
    scaled = terms / unit
    whole = np.floor(scaled).astype(int)
    for i in np.argsort(whole - scaled, kind="stable")[: max(total - int(whole.sum()), 0)]:
        whole[i] += 1
    return [f"{unit * value:.{digits}f}" for value in [*whole.tolist(), total]]


def demonstrations(view: View) -> Live:
    """The demonstrations as cards, each with its probability before SFT and now."""
    sft, epochs = view.run.sft, np.unique(view.timeline.sft_epochs)
    rows = np.searchsorted(epochs, view.timeline.sft_epochs)
    counted = Counter(sft.demonstrations[view.prompt].tolist()).most_common()
    shown = counted[:MOST_CARDS]
    probs = 100 * np.exp(sft.log_probs[:, view.prompt][:, [i for i, _ in shown]])
    scale = 100 / max(probs.max(), 1e-9)
    cards, values = "", {}
    for k, (response, count) in enumerate(shown):
        values |= {
            f"p{k}": [f"{p:.2f}%" for p in probs[epochs, k]],
            f"w{k}": [f"{p * scale:.1f}%" for p in probs[epochs, k]],
        }
        cards += (
            f'<div class="sr-card"><p>{escape(view.responses[response])}</p><div class="sr-foot">'
            f'<div class="sr-bar"><i class="ghost" style="width:{probs[-1, k] * scale:.1f}%"></i>'
            f'<i class="policy" data-width="w{k}"></i></div><span>base {probs[0, k]:.2f}% · now <b class="policy" '
            f'data-slot="p{k}"></b> · after SFT {probs[-1, k]:.2f}%</span><span class="truth">true reward '
            f"{worth(view, response)}{f' · written {times(count)}' if count > 1 else ''}</span></div></div>"
        )
    more = len(counted) - len(shown)
    rest = f'<p class="sr-note">and {more} more</p>' if more else ""
    return Live(f'<div class="sr-cards">{cards}</div>{rest}', rows, values)


class Words:
    """What the page says about the run, in numbers that it computes."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.n = view.run.settings.n_demonstrations
        self.epochs = view.run.settings.sft_epochs
        self.n_responses = len(view.responses)
        self.temperature = WRITER_TEMPERATURE
        self.writer = f"{view.run.sft.writer_true_reward:.2f}"
        self.best = f"{view.run.scenario.true_reward.max(axis=1).mean():.2f}"

    def example(self, number: int) -> str:
        """One demonstration, for a list to choose from."""
        response, trained = examples(self.view)[number]
        return f"{'trained on' if trained else 'held out'} · {kinds(self.view, response)}"

    @property
    def worst_demonstration(self) -> str:
        """What SFT did with the least good of the chosen prompt's demonstrations."""
        sft, truth = self.view.run.sft, self.view.run.scenario.true_reward[self.view.prompt]
        worst = min(sft.demonstrations[self.view.prompt].tolist(), key=lambda response: truth[response])
        before, after = 100 * np.exp(sft.log_probs[[0, -1], self.view.prompt, worst])
        verb = "raised it all the same" if after > before else "did not raise it"
        return (
            f"The least good one above, “{excerpt(self.view.responses[worst])}”, has a true reward of "
            f"{worth(self.view, worst)}, the best possible answer {minus(truth.max(), '+.1f')}; SFT {verb}, from "
            f"{before:.1f}% to {after:.1f}%."
        )

    @property
    def bad_answers(self) -> str:
        """How much probability answers with a negative true reward keep."""
        bad = self.view.run.scenario.true_reward < 0
        before, after = ((np.exp(log_probs) * bad).sum(axis=1).mean() for log_probs in self.view.run.sft.log_probs[[0, -1]])
        return (
            f"Answers whose true reward is below zero had {before:.0%} of the probability and now have {after:.0%}, mean "
            "over all prompts: they lose only what the demonstrations gain."
        )

    @property
    def gap(self) -> str:
        """What a demonstration costs that SFT has never seen."""
        sft = self.view.run.sft
        return (
            f"An unseen demonstration by the same writer costs {sft.heldout_loss[-1]:.2f} nats, a seen one "
            f"{sft.loss[-1]:.2f}: it is {np.exp(sft.heldout_loss[-1] - sft.loss[-1]):.1f} times as unlikely."
        )
