"""RLHF in a world small enough to know the truth: SFT, a Bradley–Terry reward model, PPO with a KL penalty.

>>> from rlhf_core import Settings, run_pipeline
>>> run = run_pipeline(Settings(beta=0.1))
>>> run.ppo.reward, run.ppo.kl  # doctest: +SKIP
"""

from rlhf_core.pipeline import PipelineRun, run_pipeline
from rlhf_core.scenarios import Scenario, load_scenario
from rlhf_core.settings import Settings

__all__ = ["PipelineRun", "Scenario", "Settings", "load_scenario", "run_pipeline"]
