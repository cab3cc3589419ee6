"""Pipeline runs that tests share: equal settings are computed once per session."""

from functools import cache
from typing import Any

from rlhf_core import PipelineRun, Settings, run_pipeline


@cache
def run(**settings: Any) -> PipelineRun:
    return run_pipeline(Settings(**settings))
