"""Is somebody's training log healthy? The checks of `diagnosis` that a log can answer, and those that logs need."""

from rlhf_core.yours import log_symptoms
from rlhf_core.yours.diagnosis import SYMPTOMS, Finding, Symptom, judged
from rlhf_core.yours.logs import Log
from rlhf_core.yours.record import Record
from rlhf_core.yours.trainers import Trainer, record_of

OR = "|"
"""Between names of which one is enough."""
SHARED = ("The score rises", "It is worth its penalty", "Steps are small", "Clipping is rare", "Sampled answers differ",
          "Answers keep their length")  # fmt: skip
"""Checks of `diagnosis` whose series logs have."""
LOG_SYMPTOMS = (
    Symptom(
        "Something moves", ("reward", "reward_spread|advantage_spread"), log_symptoms.something_moves,
        "all rewards the same: no advantage, no gradient",
        "Look at what the reward function returns for ten answers; often it cannot parse them.",
        "advantages are differences of rewards",
    ),
    Symptom(
        "Scores keep their spread", ("reward_spread",), log_symptoms.scores_keep_their_spread,
        f"below {log_symptoms.HARDLY_ANY:.0%} of the first: score up while its spread goes to 0",
        "Stop, raise β, or add prompts that are not solved yet: advantages are made of this spread.",
        "rule of thumb; advantages are differences of rewards",
    ),
    Symptom(
        "The penalty leaves room", ("reward", "penalised_reward"), log_symptoms.penalty_leaves_room,
        "no fault as such; near one half of the gain, β alone decides how high the score can go",
        "More steps bring nothing. Lower β in steps if people like the new answers better, and ask them at each.",
        "the optimum of the objective, to first order: gain Var(r)/β, penalty Var(r)/2β",
    ),
    Symptom(
        "The KL starts at 0", ("kl|token_kl",), log_symptoms.kl_starts_at_zero,
        "policy and reference differ before anything is learnt",
        "Load both from the same checkpoint in the same precision, without dropout, and score with the same "
        "temperature.",
        "π = π_ref at the start, so KL = 0",
    ),
    Symptom(
        "The KL is not negative", ("kl|token_kl",), log_symptoms.kl_is_not_negative,
        "below 0 for more than noise: the answers do not come from the policy that is scored",
        "Score with the temperature, top-k and top-p that you sample with, and mask padding.",
        "k1 estimates the KL only under samples of π: joschu.net/blog/kl-approx.html",
    ),
    Symptom(
        "The KL stays bounded", ("kl|token_kl",), log_symptoms.kl_stays_bounded,
        f"grown {log_symptoms.TIMES:g} times since the second quarter, and large",
        "Raise β or lower the learning rate; have people read the newest answers before you go on.",
        "rule of thumb; Ziegler et al. 2019 (arXiv:1909.08593) aimed at 6 nats for sentiment and descriptiveness",
    ),
    Symptom(
        "Tokens stay undecided", ("token_entropy", "reward"), log_symptoms.tokens_stay_undecided,
        "a tenth of the first entropy with nothing gained, or rising with nothing gained",
        "Collapse: raise β, raise the temperature, or stop. Rising: lower the learning rate.",
        "rule of thumb; entropy traded for reward: Cui et al. 2025, arXiv:2505.22617",
    ),
    Symptom(
        "The critic learns", ("critic_loss",), log_symptoms.critic_learns,
        "its loss grows",
        "Give the critic its own, larger learning rate or a warm start from the reward model; or use RLOO, which has "
        "none.",
        "rule of thumb; returns have a spread that no critic foresees",
    ),
    Symptom(
        "DPO starts at log 2", ("pair_loss", "pair_accuracy"), log_symptoms.pair_loss_starts_at_log_two,
        "a first loss above log 2: policy and reference are not the same model",
        "Start DPO from the very checkpoint that is the reference, with the same template and precision.",
        "−log σ(0) = log 2: Rafailov et al. 2023, arXiv:2305.18290, equation 7",
    ),
    Symptom(
        "DPO leaves log 2", ("pair_loss", "pair_accuracy"), log_symptoms.pair_loss_moves,
        "still at log 2: nothing is learnt",
        "Raise the learning rate, and check that gradients reach the weights and that pairs differ.",
        "rule of thumb",
    ),
    Symptom(
        "Chosen answers keep their probability", ("chosen_log_prob",), log_symptoms.chosen_keep_their_probability,
        "no fault as such; far below the start, answers that nobody compared gain",
        "Sample, and read. If the answers are odd: add an SFT term, raise β, or stop earlier.",
        "Rafailov et al. 2024, arXiv:2404.12358; Razin et al. 2024, arXiv:2410.08847",
    ),
    Symptom(
        "The margin stays believable", ("margin",), log_symptoms.margin_stays_believable,
        f"above {log_symptoms.HUGE_MARGIN:g} log-odds: a detail tells the sides apart",
        "Look for what only one side has (template, length, an end token), raise β, or use IPO.",
        "IPO against it: Azar et al. 2023, arXiv:2310.12036",
    ),
    Symptom(
        "The held-out loss keeps falling", ("heldout_loss",), log_symptoms.heldout_loss_keeps_falling,
        f"more than {log_symptoms.TURNED_FAR:.0%} above its lowest: it memorises",
        "Take the checkpoint of the lowest held-out loss, and fewer epochs.",
        "rule of thumb",
    ),
    Symptom(
        "Pairs are told apart", ("pair_accuracy",), log_symptoms.pairs_are_told_apart,
        "no better than a coin",
        "Check that chosen and rejected are not swapped; then more or clearer labels.",
        "a coin has one half; 60 to 75% is usual on people's preferences",
    ),
)  # fmt: skip
"""What only logs show: sampled KLs, losses, critics, pairs."""


def symptoms_of_logs() -> tuple[Symptom, ...]:
    """All checks on a log, those of our own runs first."""
    return (*(symptom for symptom in SYMPTOMS if symptom.name in SHARED), *LOG_SYMPTOMS)


def diagnose_log(log: Log, trainer: Trainer | None = None, chosen: dict[str, str] | None = None) -> tuple[Finding, ...]:
    """All checks on a log; "unknown" where it lacks what a check needs. The truth is in no log.

    Parameters
    ----------
    log : Log
    trainer, chosen
        As for `trainers.record_of`.
    """
    record = record_of(log, trainer, chosen)
    return tuple(_examine(symptom, record) for symptom in symptoms_of_logs())


def _examine(symptom: Symptom, record: Record) -> Finding:
    """One check, where one of several names may be enough."""
    for need in symptom.needs:
        if not any(record.has(name) for name in need.split(OR)):
            lacking = " or ".join(need.split(OR))
            return Finding(symptom.name, "unknown", f"not in this log: {lacking}", "", symptom.source)
    return judged(symptom, record)
