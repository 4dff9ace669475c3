"""What the verdict on a case rests on: everything that is known of its trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.domain.facts import Conditions
    from jetbench.domain.plan import Case, Options
    from jetbench.domain.record import TrialResult
    from jetbench.domain.telemetry import Telemetry
    from jetbench.domain.timing import ParsedLog


@dataclass(frozen=True, slots=True)
class Usage:
    """Who used the board while a trial ran."""

    wall_s: float
    cores: int
    """CPU cores that were online."""
    busy_s: float | None = None
    """CPU time of everything on the board."""
    own_s: float | None = None
    """CPU time of the trial itself."""
    swapped_pages: int | None = None
    """Pages of memory that went to or came from the swap."""

    @property
    def others_share(self) -> float | None:
        """What others took of all cores, 0 to 1."""
        if self.busy_s is None or self.own_s is None or self.wall_s <= 0 or self.cores <= 0:
            return None
        return max(0.0, self.busy_s - self.own_s) / (self.wall_s * self.cores)


@dataclass(frozen=True, slots=True)
class Cooling:
    """The wait for a cooler GPU before a trial."""

    limit_c: float
    waited_s: float
    reached: bool
    """Whether the GPU was at or below the limit when the trial began."""
    gpu_temp_c: float | None
    """When the wait was over."""


@dataclass(frozen=True, slots=True)
class TrialEvidence:
    """One process of a case."""

    result: TrialResult
    log: ParsedLog | None
    """Only where it came to a good end."""
    before: Conditions
    after: Conditions
    telemetry: Telemetry | None = None
    """Between ``Benchmark begins`` and ``ends``."""
    usage: Usage | None = None
    cooling: Cooling | None = None
    clock_step_s: float | None = None
    """How much more the board's clock went on meanwhile than the time since its boot."""


@dataclass(frozen=True, slots=True)
class CaseEvidence:
    """All that a verdict may look at."""

    options: Options
    case: Case
    gpu: int | None
    """The CUDA device; None on the CPU."""
    locked: bool | None
    """Whether the clocks were read back as locked."""
    trials: tuple[TrialEvidence, ...]
    """In the order in which they ran."""
    floor_ms: float | None = None
    """The forward time that no algorithm gets below in this power mode; None where not known."""
    mode_name: str | None = None
    """Of the power mode, as the board says it."""
    idle: Telemetry | None = None
    """Of the board before the first trial, with nothing of ours running."""
    simulated: bool = False
    """Its times are computed: the board does not take as long as it says."""
    gpu_users: tuple[str, ...] = ()
    """``PID:NAME`` of processes that had the GPU open before the sweep."""
