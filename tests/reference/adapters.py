"""Reference cases to `rlhf_core`: one thin call per kind of case, returning the expected keys.

No adapter holds mathematics of its own. `OMITTED` names what the product has no use for, and why.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from rlhf_core import advantages, distributions, optimum, policy, ppo, preferences, reward_model, sft
from rlhf_core.distributions import expectation, log_softmax
from rlhf_core.lab import gao as forms
from rlhf_core.lab import grpo
from rlhf_core.lab.best_of_n import best_of_n, kl_bound, win_rate
from rlhf_core.lab.dpo import dpo_loss, implicit_reward, prompt_loss

OMITTED: dict[str, dict[str, str]] = {
    "adaptive_kl": {"*": "the app does not use it: beta is fixed, so that the optimum stays where it is"},
    "whiten": {"*": "the app does not use it: whitening would remove the reward's scale, to which beta is relative"},
    "bt_mle": dict.fromkeys(
        ("mle_exists", "mle_theta_centered", "mle_nll"),
        "the app does not use it: the reward model is always fitted with a ridge, which exists for any pairs",
    ),
    "objective_grad": {"nat_grad": "the app does not use it: PPO follows the plain gradient in the logits"},
    "ppo_loss": dict.fromkeys(
        ("vf_loss", "total_loss", "grad_vpreds", "vf_clipfrac"),
        "the app does not use it: its values are a table that moves to mean returns, not a network with a loss",
    ),
    "gae": {"advantages_whitened_bessel": "the app does not use it: advantages keep the reward's scale"},
    "group_advantages": dict.fromkeys(
        ("grpo_batch", "rloo_normalized"), "the app does not use it: no estimator normalises over the whole batch"
    ),
}


def array(values: Any) -> distributions.Array:
    return np.array(values, dtype=np.float64)


def bt_loss(case: dict[str, Any]) -> dict[str, Any]:
    chosen, rejected = array(case["r_w"]), array(case["r_l"])
    margin = 0.0 if case.get("margin") is None else array(case["margin"])
    pairwise, _, _ = reward_model.bradley_terry_loss(chosen, rejected, margin=margin)
    loss, grad_chosen, grad_rejected = reward_model.bradley_terry_loss(
        chosen, rejected, margin=margin, center_coef=case.get("center_coef") or 0.0
    )
    return {
        "loss": np.average(loss),
        "per_pair_loss": pairwise,
        "grad_rw": grad_chosen / len(chosen),
        "grad_rl": grad_rejected / len(chosen),
        "prob_w": np.exp(-pairwise),
        "accuracy": np.average(chosen > rejected),
    }


def bt_mle(case: dict[str, Any]) -> dict[str, Any]:
    """Items are one-hot features; the core's loss is a mean over pairs, so its ridge is `alpha / N`."""
    wins = np.array(case["C"])
    winner, loser = np.repeat(np.argwhere(wins >= 0), wins.reshape(-1), axis=0).T
    items = np.eye(len(wins))
    differences = items[winner] - items[loser]

    def ridge(alpha: float) -> dict[str, Any]:
        l2 = alpha / len(differences)
        theta = reward_model.fit(differences, n_epochs=3000, learning_rate=1.5, l2=l2)[-1]
        loss, _ = reward_model.ridge_loss(theta, differences, l2=l2)
        p_win = preferences.preference_probability(theta[:, None], theta[None, :], label_noise=1.0)
        return {"alpha": alpha, "theta": theta, "objective": loss * len(differences), "P_win": p_win}

    return {"ridge": [ridge(alpha) for alpha in case["alphas"]]}


def softmax_metrics(case: dict[str, Any]) -> dict[str, Any]:
    log_probs, ref_log_probs = log_softmax(array(case["logits"])), log_softmax(array(case["ref_logits"]))
    rewards = array(case["rewards"])
    mean = expectation(log_probs, rewards)
    estimates = distributions.kl_estimators(log_probs, ref_log_probs)
    # Where e^-k1 is too large for a float, pi * k3 is not: it is pi * (k1 - 1), and ref on top.
    huge = -estimates.k1 > distributions.LARGEST_EXPONENT
    k3 = np.where(huge, estimates.k1 - 1, estimates.k3)
    return {
        "probs": np.exp(log_probs),
        "log_probs": log_probs,
        "entropy": distributions.entropy(log_probs),
        "kl_pi_ref": distributions.kl_divergence(log_probs, ref_log_probs),
        "kl_ref_pi": distributions.kl_divergence(ref_log_probs, log_probs),
        "expected_reward": mean,
        "var_reward": expectation(log_probs, (rewards - mean) ** 2),
        "E_k1": expectation(log_probs, estimates.k1),
        "E_k2": expectation(log_probs, estimates.k2),
        "E_k3": expectation(log_probs, k3) + expectation(ref_log_probs, huge),
    }


def kl_probs(case: dict[str, Any]) -> dict[str, Any]:
    with np.errstate(divide="ignore"):  # the case gives probabilities: log 0 = -inf is meant
        log_p, log_q = np.log(array(case["p"])), np.log(array(case["q"]))
    return {"kl": distributions.kl_divergence(log_p, log_q), "entropy_p": distributions.entropy(log_p)}


def kl_estimators(case: dict[str, Any]) -> dict[str, Any]:
    return distributions.kl_estimators(array(case["logp"]), array(case["logp_ref"]))._asdict()


def objective_grad(case: dict[str, Any]) -> dict[str, Any]:
    log_probs, ref_log_probs = log_softmax(array(case["theta"])), log_softmax(array(case["ref_logits"]))
    rewards = array(case["rewards"])

    def gradient(beta: float) -> distributions.Array:
        signal = optimum.penalised_reward(rewards, log_probs - ref_log_probs, beta=beta)
        return policy.softmax_gradient(log_probs, np.exp(log_probs) * signal) / len(rewards)

    return {
        "J": [np.average(optimum.objective(log_probs, ref_log_probs, rewards, beta=beta)) for beta in case["betas"]],
        "grad": [gradient(beta) for beta in case["betas"]],
    }


def optimum_case(case: dict[str, Any]) -> dict[str, Any]:
    ref_log_probs, rewards, beta = log_softmax(array(case["ref_logits"])), array(case["rewards"]), case["beta"]
    best, log_z = optimum.optimal_log_probs(ref_log_probs, rewards, beta=beta)
    figures = {
        "pi_star": np.exp(best),
        "log_pi_star": best,
        "J_star": optimum.objective(best, ref_log_probs, rewards, beta=beta),
        "kl_star": distributions.kl_divergence(best, ref_log_probs),
        "expected_reward_star": expectation(best, rewards),
        "entropy_star": distributions.entropy(best),
        "log_Z": log_z,
    }
    if case.get("other_logits") is not None:
        other = log_softmax(array(case["other_logits"]))
        figures["J_other"] = optimum.objective(other, ref_log_probs, rewards, beta=beta)
        figures["gap_other"] = beta * distributions.kl_divergence(other, best)
    return figures


def walk(case: dict[str, Any]) -> Iterator[distributions.Array]:
    """Log-probabilities after each exact step.

    A step of the natural gradient is the optimum where leaving the policy costs `1/lr` a nat; a proximal step pays
    beta besides; the harmonic walk has the optima of falling penalties.
    """
    ref, rewards, beta, rate = log_softmax(array(case["ref_logits"])), array(case["rewards"]), case["beta"], case["lr"]
    if case["mode"] == "harmonic":
        for step in range(1, case["steps"] + 1):
            yield optimum.optimal_log_probs(ref, rewards, beta=beta * case["steps"] / step)[0]
    elif case["mode"] == "pg":
        plain = grpo.GRPO(beta=beta, rollouts=0, learning_rate=rate, divide_by_spread=False, divide_by_length=False,
                          kl="reward_k1")  # fmt: skip
        for (table,) in islice(grpo.steps((ref[None],), rewards[None], plain, np.empty), case["steps"]):
            yield log_softmax(table[0])
    else:
        price, log_probs = 1 / rate + {"npg": 0.0, "md_prox": beta}[case["mode"]], ref
        for _ in range(case["steps"]):
            signal = optimum.penalised_reward(rewards, log_probs - ref, beta=beta)
            log_probs, _ = optimum.optimal_log_probs(log_probs, signal, beta=price)
            yield log_probs


def trajectory(case: dict[str, Any]) -> dict[str, Any]:
    ref, rewards, beta = log_softmax(array(case["ref_logits"])), array(case["rewards"]), case["beta"]
    each = np.stack([ref, *walk(case)])
    best, _ = optimum.optimal_log_probs(ref, rewards, beta=beta)
    return {
        "J": optimum.objective(each, ref, rewards, beta=beta),
        "expected_reward": expectation(each, rewards),
        "kl": distributions.kl_divergence(each, ref),
        "entropy": distributions.entropy(each),
        "probs": np.exp(each),
        "pi_star": np.exp(best),
        "J_star": optimum.objective(best, ref, rewards, beta=beta),
    }


def ppo_loss(case: dict[str, Any]) -> dict[str, Any]:
    """Each position of the batch is one table of the policy, with a row per sequence."""
    log_probs, mask = log_softmax(array(case["logits"])), array(case["mask"])
    n_sequences, n_positions, n_tokens = log_probs.shape
    tables = tuple(log_probs[:, t] for t in range(n_positions))
    positions = tuple((np.array(case["actions"]) + n_tokens * np.arange(n_sequences)[:, None]).T)
    new, old = policy.token_log_probs(tables, positions), array(case["old_logprobs"])
    surrogate = ppo.clipped_surrogate(
        new, old, array(case["advantages"]), clip_range=case["cliprange"], weights=mask / mask.sum()
    )
    gradient = policy.logits_gradient(tables, positions, surrogate.gradient)
    estimates = distributions.kl_estimators(old, new)
    return {
        "logprobs": new,
        "pg_loss": -surrogate.objective,
        "grad_logits": -np.stack(gradient, axis=1),
        "approxkl_k2": np.average(estimates.k2, weights=mask),
        "policykl_k1": np.average(estimates.k1, weights=mask),
        "approxkl_k3": np.average(estimates.k3, weights=mask),
        "entropy": np.average(distributions.entropy(log_probs), weights=mask),
        "pg_clipfrac": np.average(surrogate.clipped, weights=mask),
    }


def ppo_bandit(case: dict[str, Any]) -> dict[str, Any]:
    log_probs, old_log_probs = log_softmax(array(case["theta"])), log_softmax(array(case["theta_old"]))
    surrogate = ppo.clipped_surrogate(
        log_probs, old_log_probs, array(case["advantages"]), clip_range=case["eps"], weights=np.exp(old_log_probs)
    )
    return {
        "loss": -surrogate.objective,
        "grad": -policy.softmax_gradient(log_probs, surrogate.gradient),
        "ratio": surrogate.ratio,
        "clip_active": surrogate.clipped,
    }


def gae(case: dict[str, Any]) -> dict[str, Any]:
    mask = array(case["mask"])
    values, rewards = array(case["values"]) * mask, array(case["rewards"]) * mask
    if case.get("whiten_rewards"):
        # A switch of TRL's that changes the INPUT of GAE. The app has no such switch, so the case's
        # rewards are prepared here as TRL's masked_whiten(shift_mean=False) does; GAE itself is the core's.
        mean, n = np.average(rewards, weights=mask), mask.sum()
        variance = np.average((rewards - mean) ** 2, weights=mask) * n / (n - 1)
        rewards = (rewards - mean) / np.sqrt(variance + 1e-8) + mean
    advantage = advantages.gae(rewards, values, gamma=case["gamma"], lam=case["lam"])
    return {"advantages_raw": advantage, "returns": advantage + values}


def group_advantages(case: dict[str, Any]) -> dict[str, Any]:
    groups = array(case["rewards"]).reshape(-1, case["num_generations"])
    return {
        "mean_baseline": advantages.group_mean(groups).reshape(-1),
        "grpo_group": advantages.group_normalised(groups).reshape(-1),
        "rloo": advantages.leave_one_out(groups).reshape(-1),
    }


def rloo_kl(case: dict[str, Any]) -> dict[str, Any]:
    kl = (array(case["logprobs"]) - array(case["ref_logprobs"])).sum(axis=-1)
    shaped = optimum.penalised_reward(array(case["rewards"]), kl, beta=case["beta"])
    groups = shaped.reshape(-1, case["num_generations"])
    return {"kl_seq": kl, "shaped_rewards": shaped, "rloo": advantages.leave_one_out(groups).reshape(-1)}


def reward_shaping(case: dict[str, Any]) -> dict[str, Any]:
    """The core's responses have no padding: a padded row gets its score as a row of its own, cut to its length."""
    scores, mask, beta = array(case["scores"]), array(case["mask"]), case["beta"]
    estimates = distributions.kl_estimators(array(case["logprobs"]), array(case["ref_logprobs"]))
    kl = {"kl": estimates.k1, "abs": np.abs(estimates.k1), "mse": estimates.k2}[case["kl_penalty"]]
    penalties = advantages.token_rewards(np.zeros_like(scores), kl, beta=beta)
    rewards = penalties.copy()
    for row, length in enumerate(np.max(mask * np.arange(1, mask.shape[1] + 1), axis=1).astype(int)):
        rewards[row, :length] = advantages.token_rewards(scores[row], kl[row, :length], beta=beta)
    return {
        "rewards": rewards,
        "non_score_reward": penalties,
        "kl_per_token": kl,
        "sequence_total": optimum.penalised_reward(scores, (kl * mask).sum(axis=-1), beta=beta),
    }


def sft_case(case: dict[str, Any]) -> dict[str, Any]:
    logits, targets = array(case["theta"]), np.array(case["targets"])
    loss, (gradient,) = sft.sft_loss((logits[None],), targets[None])
    _, counts = np.unique(targets, return_counts=True)
    return {
        "loss": loss[0],
        "grad": gradient[0],
        "perplexity": np.exp(loss[0]),
        "min_loss_empirical_entropy": distributions.entropy(np.log(counts / len(targets))),
        "accuracy_top1": np.average(targets == logits.argmax()),
    }


def sequence_policy(case: dict[str, Any]) -> dict[str, Any]:
    """Prefix tables, sorted by length and token, are the policy's tables of one prompt."""
    n_tokens, keys, beta = case["V"], case["prefix_keys"], case["beta"]
    order = sorted(range(len(keys)), key=lambda i: (len(keys[i]), keys[i]))
    levels = [[i for i in order if len(keys[i]) == length] for length in range(case["L"])]

    def log_tables(logits: Any) -> policy.Tables:
        return policy.log_tables(
            tuple(array(logits)[rows].reshape(1, *(n_tokens,) * (length + 1)) for length, rows in enumerate(levels))
        )

    tables, ref_tables = log_tables(case["logits"]), log_tables(case["ref_logits"])
    responses = np.array([[int(text, n_tokens) if n_tokens > 1 else 0 for text in case["sequences"]]])
    log_probs, ref_log_probs = (policy.response_log_probs(t)[0, responses[0]] for t in (tables, ref_tables))
    rewards = array(case["rewards"])
    signal = np.exp(log_probs) * optimum.penalised_reward(rewards, log_probs - ref_log_probs, beta=beta)
    gradient = policy.logits_gradient(
        tables, policy.prefixes(responses, tables), np.repeat(signal[None, :, None], case["L"], axis=-1)
    )
    rows = np.concatenate([table.reshape(-1, n_tokens) for table in gradient])
    return {
        "seq_probs": np.exp(log_probs),
        "seq_kl": distributions.kl_divergence(log_probs, ref_log_probs),
        "kl_per_position": policy.kl_per_position(tables, ref_tables)[0],
        "seq_entropy": distributions.entropy(log_probs),
        "expected_reward": expectation(log_probs, rewards),
        "J": optimum.objective(log_probs, ref_log_probs, rewards, beta=beta),
        "grad_logits": rows[np.argsort(order)],
    }


def dpo_case(case: dict[str, Any]) -> dict[str, Any]:
    chosen, rejected, ref_chosen, ref_rejected = (
        array(case[key]) for key in ("logp_w", "logp_l", "ref_logp_w", "ref_logp_l")
    )
    beta = case["beta"]
    each = dpo_loss(
        chosen, rejected, ref_chosen, ref_rejected,
        beta=beta, label_smoothing=case["label_smoothing"], form=case["loss_type"],
    )  # fmt: skip
    chosen_reward = implicit_reward(chosen, ref_chosen, beta=beta)
    rejected_reward = implicit_reward(rejected, ref_rejected, beta=beta)
    return {
        "losses": each.loss,
        "loss": np.average(each.loss),
        "grad_logp_w": each.grad_chosen / len(chosen),
        "grad_logp_l": each.grad_rejected / len(chosen),
        "implicit_reward_w": chosen_reward,
        "implicit_reward_l": rejected_reward,
        "accuracy": np.average(chosen_reward > rejected_reward),
        "margin_mean": np.average(chosen_reward - rejected_reward),
    }


def dpo_bandit(case: dict[str, Any]) -> dict[str, Any]:
    """A softmax policy is a table of one position; the pairs are those of its one prompt."""
    logits, reference = array(case["theta"]), log_softmax(array(case["ref_logits"]))
    log_probs, ends = log_softmax(logits), np.array(case["pairs"])
    loss, slope = prompt_loss(
        log_probs[None], reference[None], np.zeros(len(ends), dtype=int), ends, beta=case["beta"]
    )
    implicit = implicit_reward(log_probs, reference, beta=case["beta"])
    return {
        "loss": np.average(loss),
        "grad_theta": policy.softmax_gradient(log_probs, slope[0]),
        "implicit_reward": implicit,
        "implicit_reward_centered": implicit - np.average(implicit),
    }


def best_of_n_case(case: dict[str, Any]) -> dict[str, Any]:
    with np.errstate(divide="ignore"):
        ref_log_probs = np.log(array(case["probs"]))
    rewards, counts = array(case["rewards"]), case["ns"]
    each = [best_of_n(ref_log_probs, rewards, n) for n in counts]
    return {
        "dist": np.exp(each),
        "kl": [distributions.kl_divergence(log_probs, ref_log_probs) for log_probs in each],
        "kl_bound": kl_bound(np.array(counts)),
        "expected_reward": [expectation(log_probs, rewards) for log_probs in each],
        "win_rate": [win_rate(log_probs, ref_log_probs, rewards) for log_probs in each],
    }


def gao(case: dict[str, Any]) -> dict[str, Any]:
    alpha, beta, distance = case["alpha"], case["beta"], array(case["d"])
    best, learned = forms.best_of_n_peak(alpha, beta), forms.rl_peak(alpha, beta)
    return {
        "bon": forms.best_of_n_form(distance, alpha, beta),
        "rl": forms.rl_form(distance, alpha, beta),
        "bon_peak_d": best.distance,
        "bon_peak_value": best.value,
        "rl_peak_d": learned.distance,
        "rl_peak_value": learned.value,
    }


ADAPT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "bt_loss": bt_loss,
    "bt_mle": bt_mle,
    "softmax_metrics": softmax_metrics,
    "kl_probs": kl_probs,
    "kl_estimators": kl_estimators,
    "objective_grad": objective_grad,
    "optimum": optimum_case,
    "trajectory": trajectory,
    "ppo_loss": ppo_loss,
    "ppo_bandit": ppo_bandit,
    "gae": gae,
    "group_advantages": group_advantages,
    "rloo_kl": rloo_kl,
    "reward_shaping": reward_shaping,
    "sft": sft_case,
    "sequence_policy": sequence_policy,
    "dpo": dpo_case,
    "dpo_bandit": dpo_bandit,
    "best_of_n": best_of_n_case,
    "gao": gao,
}
