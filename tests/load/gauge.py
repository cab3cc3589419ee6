"""What readers have met, and what they cost the servers."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Report:
    """What some readers have met, and what it cost the server."""

    n_readers: int
    waits: tuple[float, ...]
    errors: tuple[str, ...]
    kilobytes: float
    """Per rerun."""
    cpu: float
    """Milliseconds of the server's processor time per rerun."""
    memory: tuple[float, float]
    """Resident MB of the server with its first reader, and with all of them."""
    load: float
    """Load average of the machine: above the number of its cores, the waits say little about the app."""

    @property
    def p95(self) -> float:
        return percentile(self.waits, 0.95)

    @property
    def per_session(self) -> float:
        return (self.memory[1] - self.memory[0]) / max(1, self.n_readers - 1)

    def __str__(self) -> str:
        p50 = statistics.median(self.waits) if self.waits else math.nan
        return (
            f"{self.n_readers} readers, {len(self.waits)} reruns: p50 {p50:.0f} ms, p95 {self.p95:.0f} ms, "
            f"{len(self.errors)} errors, {self.kilobytes:.0f} kB and {self.cpu:.0f} ms CPU per rerun\n"
            f"memory: {self.memory[0]:.0f} MB with the first reader, {self.memory[1]:.0f} MB with all, "
            f"{self.per_session:.2f} MB per session; load average {self.load:.1f}"
        )


@dataclass(frozen=True, slots=True)
class Gauge:
    """Processor time and memory of the servers, by their process ids."""

    pids: tuple[int, ...]

    def cpu(self) -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in self.pids)

    def memory(self) -> float:
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids) / 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all is not above; NaN of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan
