"""The timeline: a run as the sequence of frames that a player shows, with the metrics of each.

Idle, then SFT and the reward model at about a dozen even epochs each and wherever their curves bend, then PPO step by
step. Each PPO step has five lines, one frame each: the first four look at the step's rollouts, the last updates. When
it is played, a run spends its time where it changes: a frame that brings little is there to step to, and passed over;
a PPO step, after which the answers are others, stays longer than an epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

import numpy as np

from rlhf_core.distributions import Array, entropy
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Indices

Phase: TypeAlias = Literal["idle", "sft", "rm", "ppo", "done"]
PHASES: dict[Phase, str] = {"idle": "Idle", "sft": "SFT", "rm": "Reward model", "ppo": "PPO", "done": "Done"}
LINES = ("sample", "score", "kl", "advantage", "update")
FRAMES_PER_STAGE = 12
PLAYED = {"sft": 6, "rm": 6, "ppo": 32}
"""Frames of a stage that are played, at most."""
PPO_BEATS, STEP_BEATS = 18, 3
"""How long PPO takes at least, and one of its steps at most; an epoch takes one beat."""
MISSING = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Metrics:
    """The six figures of one frame; None until their phase has produced them."""

    phase: str
    ppo_step: int | None = None
    reward: float | None = None
    kl: float | None = None
    rm_accuracy: float | None = None
    entropy: float | None = None


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """How one metric is called, written and explained."""

    key: str
    label: str
    unit: str
    definition: str
    trl_name: str
    """What TRL's PPOTrainer, or for accuracy its RewardTrainer, logs it as."""
    grpo_name: str
    """What TRL's GRPOTrainer logs it as."""
    write: Callable[[Metrics, int], str]


def _written(key: str, pattern: str) -> Callable[[Metrics, int], str]:
    def write(metrics: Metrics, n_steps: int) -> str:
        value = getattr(metrics, key)
        return MISSING if value is None else pattern.format(value)

    return write


METRICS = (
    MetricSpec(
        "phase", "Phase", "", "The stage of the pipeline that is running.", "", "",
        lambda metrics, n_steps: metrics.phase,
    ),
    MetricSpec(
        "ppo_step",
        "PPO step",
        "",
        "Steps of sampling and updating done, of all that will be.",
        "episode",
        "step",
        lambda metrics, n_steps: f"{MISSING if metrics.ppo_step is None else metrics.ppo_step} / {n_steps}",
    ),
    MetricSpec(
        "reward",
        "Avg reward",
        "reward units",
        "Expected reward-model score of the policy, without the KL penalty, mean over prompts. "
        "0 is what the SFT policy earns, 1 the spread of its answers.",
        "objective/scores",
        "reward",
        _written("reward", "{:z.2f}"),
    ),
    MetricSpec(
        "kl",
        "KL divergence",
        "nats",
        "KL(policy ‖ reference) of whole responses, exact, mean over prompts: how far PPO has moved from "
        "the SFT policy.",
        "objective/kl",
        "kl",
        _written("kl", "{:z.2f}"),
    ),
    MetricSpec(
        "rm_accuracy",
        "RM accuracy",
        "held-out pairs",
        "Share of pairs on held-out prompts whose chosen response the reward model scores strictly higher.",
        "eval_accuracy",
        "",
        _written("rm_accuracy", "{:.0%}"),
    ),
    MetricSpec(
        "entropy",
        "Policy entropy",
        "nats",
        "Entropy of the policy over whole responses, exact, mean over prompts; log 80 = 4.38 would be pure chance.",
        "policy/entropy_avg",
        "entropy",
        _written("entropy", "{:z.2f}"),
    ),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment: its name in links, its phase, and how far each stage has come."""

    name: str
    phase: Phase
    line: str | None
    """Line of the PPO loop that runs, if any."""
    sft_epoch: int
    rm_epoch: int
    ppo_step: int
    """Updates done; during a step's first four lines its own update is still to come."""
    metrics: Metrics
    beats: float = 1.0
    """How long it stays while the run plays; 0 if it is passed over."""

    @property
    def played(self) -> bool:
        """Whether it is shown while the run plays, or passed over."""
        return self.beats > 0


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Timeline:
    """All frames of a run in order."""

    frames: tuple[Frame, ...]
    n_steps: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all frames."""
        return tuple(frame.name for frame in self.frames)

    @property
    def stops(self) -> tuple[int, ...]:
        """Frames at which a phase is complete: Idle, SFT, reward model, each PPO step, Done."""
        last: dict[tuple[Phase, int], int] = {}
        for i, frame in enumerate(self.frames):
            if frame.line in (None, "update"):
                last[frame.phase, frame.ppo_step] = i
        return tuple(last.values())

    @property
    def sft_epochs(self) -> Indices:
        """Row of the SFT trace that each frame shows."""
        return np.array([frame.sft_epoch for frame in self.frames])

    @property
    def rm_epochs(self) -> Indices:
        """Row of the reward-model trace that each frame shows."""
        return np.array([frame.rm_epoch for frame in self.frames])

    @property
    def ppo_steps(self) -> Indices:
        """Row of the PPO trace that each frame shows."""
        return np.array([frame.ppo_step for frame in self.frames])

    def find(self, name: str) -> Frame:
        """The frame of that name, or the nearest one of the same phase.

        Raises
        ------
        ValueError
            If the name belongs to no phase.
        """
        if name in self.names:
            return self.frames[self.names.index(name)]
        phase, _, rest = name.partition("-")
        number, _, line = rest.partition("-")
        if phase not in ("sft", "rm", "ppo") or not number.isdecimal() or len(number) > 9 or line not in ("", *LINES):
            allowed = "idle, sft-EPOCH, rm-EPOCH, ppo-STEP, ppo-STEP-LINE or done"
            raise ValueError(f"at must be {allowed}, got {name[:40]!r}")
        return self.frames[nearest(self.names, name)]


def nearest(names: Sequence[str], name: str) -> int:
    """Index of the frame of that name, or of the nearest one of the same phase; 0 if there is none.

    `ppo-12` of 8 steps is `ppo-8`, and so is `ppo-12-kl`; `sft-7` between `sft-6` and `sft-9` is `sft-6`.
    """
    if name in names:
        return list(names).index(name)
    phase, wanted = _place(name)
    whole = [(i, *_place(other)) for i, other in enumerate(names) if other.count("-") < 2]
    alike = [(abs(number - wanted), i) for i, other, number in whole if other == phase]
    return min(alike, default=(0, 0))[1]


def _place(name: str) -> tuple[str, int]:
    phase, number = (*name.split("-"), "")[:2]
    return phase, int(number) if number.isdecimal() and len(number) < 10 else 0


def build(run: PipelineRun) -> Timeline:
    """The frames of a run."""
    n_sft, n_rm, n_steps = run.settings.sft_epochs, run.settings.rm_epochs, run.settings.ppo_steps
    sft_entropy = entropy(run.sft.log_probs).mean(axis=1)
    accuracy = run.reward.heldout_accuracy

    def ppo_metrics(phase: Phase, shown_step: int, row: int) -> Metrics:
        return Metrics(
            PHASES[phase],
            ppo_step=shown_step,
            reward=float(run.ppo.reward[row]),
            kl=max(float(run.ppo.kl[row]), 0.0),
            rm_accuracy=float(accuracy[-1]),
            entropy=float(run.ppo.entropy[row]),
        )

    frames = [Frame("idle", "idle", None, 0, 0, 0, Metrics(PHASES["idle"]))]
    truth = run.course.true_reward[: n_sft + 1].mean(axis=1)
    bends = _bends((run.sft.loss, run.sft.heldout_loss, sft_entropy, truth), PLAYED["sft"])
    for epoch in sorted({*_spaced(n_sft), *bends}):
        metrics = Metrics(PHASES["sft"], entropy=float(sft_entropy[epoch]))
        frames.append(Frame(f"sft-{epoch}", "sft", None, epoch, 0, 0, metrics, float(epoch in bends)))
    bends = _bends((run.reward.loss, run.reward.heldout_loss, accuracy), PLAYED["rm"])
    for epoch in sorted({*_spaced(n_rm), *bends}):
        metrics = Metrics(PHASES["rm"], rm_accuracy=float(accuracy[epoch]), entropy=float(sft_entropy[-1]))
        frames.append(Frame(f"rm-{epoch}", "rm", None, n_sft, epoch, 0, metrics, float(epoch in bends)))
    bends = _bends((run.ppo.reward, run.ppo.kl, run.ppo.true_reward), PLAYED["ppo"])
    shown = set(range(1, n_steps + 1)) if n_steps <= PLAYED["ppo"] else bends
    beats = min(max(round(PPO_BEATS / len(shown), 2), 1.0), STEP_BEATS)
    for step in range(1, n_steps + 1):
        for line in LINES:
            row = step if line == "update" else step - 1
            name = f"ppo-{step}" if line == "update" else f"ppo-{step}-{line}"
            metrics = ppo_metrics("ppo", step, row)
            frames.append(Frame(name, "ppo", line, n_sft, n_rm, row, metrics, beats * (step in shown)))
    frames.append(Frame("done", "done", None, n_sft, n_rm, n_steps, ppo_metrics("done", n_steps, n_steps)))
    return Timeline(tuple(frames), n_steps)


def tabulated(timeline: Timeline) -> list[Frame]:
    """Frames for a table: Idle, even epochs, every PPO step, Done; the same for all runs of these settings."""
    last = timeline.frames[-1]
    even = {f"sft-{epoch}" for epoch in _spaced(last.sft_epoch)} | {f"rm-{epoch}" for epoch in _spaced(last.rm_epoch)}
    steps = [frame for frame in timeline.frames if frame.line in (None, "update")]
    return [frame for frame in steps if frame.phase not in ("sft", "rm") or frame.name in even]


def rows(timeline: Timeline) -> list[dict[str, object]]:
    """One record per frame of `tabulated`: its name and the six metrics, None where not yet produced."""
    shown = tabulated(timeline)
    return [{"frame": frame.name, **asdict(frame.metrics)} for frame in shown]


def _spaced(n_epochs: int) -> list[int]:
    """At most a dozen epochs, evenly spaced, ending with the last."""
    stride = -(-n_epochs // FRAMES_PER_STAGE)
    return sorted({*range(stride, n_epochs, stride), n_epochs})


def _bends(curves: Sequence[Array], n_frames: int) -> set[int]:
    """At most so many epochs or steps, the last among them, between which the curves change by about equal parts.

    Change is length along each curve, as a share of its whole length, so that none of them counts by its unit.
    """
    lengths = [np.abs(np.diff(curve)) for curve in curves]
    shares = [length / length.sum() for length in lengths if length.sum() > 0]
    last = len(lengths[0])
    come = np.cumsum(np.mean(shares, axis=0)) if shares else np.zeros(last)
    parts = np.searchsorted(come, np.arange(1, n_frames) / n_frames) + 1
    return {*parts.clip(1, last).tolist(), last}
