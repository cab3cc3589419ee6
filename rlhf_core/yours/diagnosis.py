"""Is a training run healthy? All checks, what each needs, how it is judged, and what a practitioner would do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rlhf_core.yours import symptoms
from rlhf_core.yours.record import Record
from rlhf_core.yours.symptoms import Judgement, Verdict


class Finding(NamedTuple):
    """What one check says about one run."""

    name: str
    verdict: Verdict
    evidence: str
    advice: str
    """What a practitioner would do; empty where there is nothing to do."""
    source: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing to look at, and how to judge it."""

    name: str
    """What is so in a healthy run."""
    needs: tuple[str, ...]
    """Series and facts without which there is no judgement."""
    judge: Callable[[Record], Judgement]
    unhealthy: str
    """What an unhealthy run looks like."""
    advice: str
    source: str


SYMPTOMS = (
    Symptom(
        "The score rises", ("reward",), symptoms.score_rises,
        f"flat (less than {symptoms.SMALL_GAIN:g} spreads gained and no longer rising), or falling back",
        "Flat: lower β, raise the learning rate, or take more steps. Falling back: lower the learning rate.",
        "rule of thumb, in spreads of the SFT policy's own answers",
    ),
    Symptom(
        "It is worth its penalty", ("penalised_reward",), symptoms.worth_its_penalty,
        "below where it began: β times KL eats the score",
        "Lower the learning rate or sample more answers per step: steps this noisy pay for distance that buys nothing.",
        "the objective itself: Ziegler et al. 2019, arXiv:1909.08593",
    ),
    Symptom(
        "The policy moves", ("kl", "entropy"), symptoms.policy_moves,
        f"KL settled below {symptoms.STUCK:.0%} of the way to a single answer",
        "Lower β, or raise the learning rate, watching what people say.",
        "derived from the reference policy's entropy",
    ),
    Symptom(
        "The policy stays near", ("kl", "entropy"), symptoms.policy_stays_near,
        f"more than {symptoms.TOO_FAR:.0%} of the way to a single answer, or further than β pays for",
        "Raise β or stop earlier, and have people compare answers of the new policy.",
        "derived from the reference policy's entropy; why distance matters: Gao et al. 2022, arXiv:2210.10760",
    ),
    Symptom(
        "Steps are small", ("step_kl",), symptoms.steps_are_small,
        f"above {symptoms.TOO_LARGE_STEP:g} nats per token from one policy to the next",
        "Lower the learning rate, take fewer epochs per batch, or sample more answers.",
        "0.01 to 0.05 is usual: target_kl in OpenAI's Spinning Up",
    ),
    Symptom(
        "Clipping is rare", ("clip_fraction",), symptoms.clipping_is_rare,
        f"above {symptoms.CLIP_TOO_OFTEN:.0%}; but 0% with one gradient step per batch proves nothing",
        "Lower the learning rate or take fewer epochs per batch: clipping stops the push, it does not bound the ratio.",
        "rule of thumb; what clipping does: Schulman et al. 2017, arXiv:1707.06347",
    ),
    Symptom(
        "Answers stay varied", ("entropy", "reward", "reward_spread"), symptoms.answers_stay_varied,
        "fewer than two answers' worth and scores without spread; or rising while the score does not",
        "Collapse: raise β, which also pays for spread, or stop earlier. Rising: lower the learning rate.",
        "rule of thumb; entropy traded for reward: Cui et al. 2025, arXiv:2505.22617",
    ),
    Symptom(
        "Sampled answers differ", ("equal_groups",), symptoms.groups_differ,
        f"more than {symptoms.MOSTLY_EQUAL:.0%} of prompts without an advantage to learn from",
        "Sample more answers per prompt, drop prompts that teach nothing, or stop.",
        "dynamic sampling in DAPO: Yu et al. 2025, arXiv:2503.14476",
    ),
    Symptom(
        "Answers keep their length", ("length",), symptoms.answers_keep_their_length,
        f"more than {symptoms.MUCH_LONGER:g} times as long as at first",
        "Read the long ones; compare at equal length, or take length out of the reward.",
        "rule of thumb; length as what RLHF optimises: Singhal et al. 2023, arXiv:2310.03716",
    ),
    Symptom(
        "Labellers agree", ("agreement",), symptoms.labellers_agree,
        f"below {symptoms.HARDLY_AGREE:.0%}: the labels are mostly noise",
        "Write clearer guidelines, train the labellers, or collect several labels per pair.",
        "about 63% in Anthropic's HH (arXiv:2204.05862), 73% and 77% in InstructGPT (arXiv:2203.02155)",
    ),
    Symptom(
        "The reward model beats a coin", ("heldout_accuracy", "heldout_pairs"), symptoms.reward_model_beats_a_coin,
        f"certainly below {symptoms.POOR_ACCURACY:.0%}, or too few pairs to tell",
        "Hold out more pairs before you trust the figure; then better or more labels.",
        "Wilson's interval for a share",
    ),
    Symptom(
        "Labellers are not fooled", ("labeller_reward", "true_reward", "truth_spread"),
        symptoms.labellers_are_not_fooled,
        "their judgement rises far more than the truth",
        "Give labellers time and the means to check; more labels of the same kind do not help.",
        "no log has it. Wen et al. 2024, arXiv:2409.12822",
    ),
    Symptom(
        "The truth follows", ("true_reward", "truth_spread"), symptoms.truth_follows,
        f"fallen from its peak by {symptoms.LOST:g} spreads and {symptoms.LOST_SHARE:.0%} of the gain, or never risen",
        "Raise β, stop earlier, or label fresh answers of the new policy; trust careful readers, not the score.",
        "no log has it. Gao et al. 2022, arXiv:2210.10760",
    ),
)  # fmt: skip
"""In the order in which a practitioner looks: the score, the distance, the updates, the answers, the labels, people."""


def diagnose(record: Record) -> tuple[Finding, ...]:
    """All checks, in the order of `SYMPTOMS`; "unknown" where the record lacks what a check needs."""
    return tuple(examine(symptom, record) for symptom in SYMPTOMS)


def examine(symptom: Symptom, record: Record) -> Finding:
    """One check on one record."""
    missing = [name for name in symptom.needs if not record.has(name)]
    if missing:
        return Finding(symptom.name, "unknown", f"not in this record: {', '.join(missing)}", "", symptom.source)
    return judged(symptom, record)


def judged(symptom: Symptom, record: Record) -> Finding:
    """What a check finds in a record that has what the check needs."""
    with np.errstate(all="ignore"):  # a log may hold any number
        verdict, evidence = symptom.judge(record)
    advice = symptom.advice if verdict in ("watch", "unhealthy") else ""
    return Finding(symptom.name, verdict, evidence, advice, symptom.source)
