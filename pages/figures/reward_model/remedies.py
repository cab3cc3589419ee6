"""What helps against a reward model that errs where the policy goes, each with numbers of this run."""

import numpy as np

from pages.drawing.view import View
from pages.drawing.wording import minus, number
from rlhf_core.calibration import better_of_two, score_errors


def fresh(view: View) -> str:
    """Fresh comparisons, with how often the reward names the better of two answers, then and now."""
    return (
        "**Fresh comparisons.** A reward model knows the answers that were compared. Of two answers of the SFT policy "
        f"it gives the truly better one more reward in {_right(view, 0)}; of two of the policy’s at the end of this "
        f"run in {_right(view, -1)}. So one asks people again, about what the policy writes *now*, and fits once more. "
        "Llama 2’s authors did so week by week ([Touvron et al. 2023](https://arxiv.org/abs/2307.09288))."
    )


def _right(view: View, step: int) -> str:
    shares = better_of_two(view.run.ppo.log_probs[step], view.run.reward.scores, view.run.scenario.true_reward)
    known = shares[np.isfinite(shares)]
    return f"{known.mean():.0%} of cases" if len(known) else "no case, as all are alike"


def errors(view: View) -> np.ndarray:
    """How far other labels of the same pairs would move the reward of each of the prompt's responses, (R,)."""
    reward, pairs = view.run.reward, view.run.reward.pairs
    features = reward.features[pairs.prompt, pairs.chosen] - reward.features[pairs.prompt, pairs.rejected]
    asked = reward.features[view.prompt] - reward.usual_features[view.prompt]
    found = score_errors(asked, features[~pairs.heldout], reward.weights[-1], l2=view.run.settings.rm_l2)
    return found / reward.scale


def ensembles(view: View) -> str:
    """Ensembles, with the error bars of an average SFT answer and of the policy's favourite."""
    error, top = errors(view), int(np.argmax(view.run.ppo.log_probs[-1, view.prompt]))
    usual = float(np.exp(view.run.sft.log_probs[-1, view.prompt]) @ error)
    return (
        "**Several reward models.** Fits to other labels of the same pairs would agree where there were many and "
        "differ where there were few. By the curvature of the loss, the reward of one of this prompt’s SFT answers is "
        f"uncertain by ± {number(usual)} on average, that of the policy’s favourite at the end of this run "
        f"({minus(view.run.reward.scores[view.prompt, top], '+.2f')}) by ± {number(error[top])}. Optimising the lowest "
        "of several, or their mean less their spread, makes uncertain answers less attractive "
        "([Coste et al. 2023](https://arxiv.org/abs/2310.02743)). It does not help against a mistake that all share, "
        "such as the labellers’ own ([Eisenstein et al. 2023](https://arxiv.org/abs/2312.09244))."
    )
