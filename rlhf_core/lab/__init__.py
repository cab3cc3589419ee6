"""The Lab: what one run cannot tell. Experiments over many runs, and methods beside PPO.

>>> from rlhf_core import Settings
>>> from rlhf_core.lab import beta_sweep
>>> sweep = beta_sweep(Settings(ppo_steps=60), seeds=range(3))  # doctest: +SKIP
>>> sweep.true_reward.mean(axis=1)  # doctest: +SKIP
"""

from rlhf_core.lab.best_of_n import best_of_n
from rlhf_core.lab.convergence import arrival
from rlhf_core.lab.dpo import dpo
from rlhf_core.lab.estimators import estimates
from rlhf_core.lab.influence import influence
from rlhf_core.lab.labels import label_grid
from rlhf_core.lab.methods import compare_methods
from rlhf_core.lab.overoptimisation import overoptimise
from rlhf_core.lab.rounds import rounds
from rlhf_core.lab.stopping import stopping
from rlhf_core.lab.sweeps import beta_sweep

__all__ = [
    "arrival",
    "best_of_n",
    "beta_sweep",
    "compare_methods",
    "dpo",
    "estimates",
    "influence",
    "label_grid",
    "overoptimise",
    "rounds",
    "stopping",
]
