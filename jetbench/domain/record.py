"""What was measured: trials, records, boards, and the result of a whole sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jetbench.domain.facts import BoardFacts, PowerMode
    from jetbench.domain.finding import Finding
    from jetbench.domain.plan import Phase, Plan
    from jetbench.domain.telemetry import Telemetry
    from jetbench.domain.timing import Failure

Status = Literal["ok", "suspect", "failed", "lost"]
"""``failed``: the program on the board did; ``lost``: the board or the link did;
``suspect``: there is a number, and a reason to doubt it."""

SCHEMA = 1
"""Version of the JSON form of these values."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics over the processes of one case, milliseconds."""

    n: int
    median: float
    mean: float
    min: float
    max: float
    stdev: float | None
    """Of the sample (n - 1); None for a single process."""
    ci95: tuple[float, float] | None
    """95 % confidence interval of the mean, by Student's t; None for a single process."""
    values: tuple[float, ...]

    @property
    def spread(self) -> float | None:
        """The standard deviation as a fraction of the mean."""
        return None if self.stdev is None or self.mean <= 0 else self.stdev / self.mean


@dataclass(frozen=True, slots=True)
class LayerTime:
    """The mean time of one layer over the processes of a case."""

    name: str
    type: str | None
    forward_ms: float | None
    backward_ms: float | None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One process of ``caffe time``."""

    id: int
    repeat: int
    started_utc: str | None
    """By the board's clock, which may be wrong."""
    wall_s: float | None
    exit_status: int | None
    forward_ms: float | None
    backward_ms: float | None
    forward_backward_ms: float | None
    total_ms: float | None
    failure: Failure | None
    lost: bool
    """The board or the link failed, not the program."""
    log: bytes | None
    """The raw log, as the board wrote it."""
    telemetry: Telemetry | None = None
    """Between ``Benchmark begins`` and ``ends``."""


@dataclass(frozen=True, slots=True)
class RecordConditions:
    """Under which conditions a record's trials ran; None where the board did not say."""

    gpu_mhz_min: float | None = None
    gpu_mhz_max: float | None = None
    emc_mhz_min: float | None = None
    emc_mhz_max: float | None = None
    gpu_load_mean: float | None = None
    """0 to 1."""
    gpu_temp_c_max: float | None = None
    power_w_mean: float | None = None
    """Of the whole board, while it iterated: forward and backward."""
    power_w_max: float | None = None
    power_w_idle: float | None = None
    """Of the whole board before the first trial, its clocks set, nothing running."""
    energy_j_iteration: float | None = None
    """Of the whole board, for one iteration: one forward and one backward pass of the batch."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a number came from: it explains a difference, and never forbids a comparison."""

    hardware: str | None = None
    serial: str | None = None
    l4t: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    caffe_path: str | None = None
    caffe_version: str | None = None
    caffe_fork: str | None = None
    caffe_build: str | None = None
    uptime_s: float | None = None
    """Of the board when the sweep reached it."""
    gpu_temp_c_start: float | None = None
    """When the first of the trials began."""


@dataclass(frozen=True, slots=True)
class Record:
    """All trials of one case on one board."""

    board: str
    model: str
    source: str
    batch: int
    phase: Phase
    stages: tuple[str, ...]
    iterations: int
    gpu: int | None
    """The CUDA device; None on the CPU."""
    power_mode: PowerMode | None
    """As read back from the board."""
    clocks_locked: bool | None
    simulated: bool
    status: Status
    reasons: tuple[str, ...]
    input_shapes: tuple[tuple[str, tuple[int, ...]], ...]
    prototxt_sha256: str | None
    forward_ms: Summary | None
    backward_ms: Summary | None
    forward_backward_ms: Summary | None
    layers: tuple[LayerTime, ...]
    conditions: RecordConditions
    bound_ms: float | None
    trials: tuple[TrialResult, ...]
    findings: tuple[Finding, ...] = ()
    """Every reason to doubt the number."""
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True)
class BoardResult:
    """One board's part in a sweep."""

    name: str
    facts: BoardFacts | None
    """None: it was not reached."""
    error: str | None
    hint: str | None
    power_before: PowerMode | None
    clocks_before: bool | None
    changed: bool
    """Whether power mode or clocks were touched."""
    restored: bool | None
    """Whether they were put back; None where it is not known."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetOutlier:
    """A board that differs from the others of its sweep by more than noise."""

    board: str
    ratio: float
    """Of its times to the middle ones of its peers: the geometric mean over the cases."""
    cases: int
    """Over how many that is."""
    peers: int
    """How many other boards it was held against."""
    evidence: str
    """What was seen, and what is different on it; no full stop, safe for a terminal."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Everything that a sweep has brought."""

    plan: Plan
    started_utc: str
    finished_utc: str
    jetbench: str
    """The version of the program."""
    boards: tuple[BoardResult, ...]
    records: tuple[Record, ...]
    interrupted: bool = False
    fleet: tuple[FleetOutlier, ...] = ()
    """The boards that differ from the others by more than noise."""

    @property
    def simulated(self) -> bool:
        """Whether any board of it was a virtual one."""
        return any(board.facts is not None and board.facts.simulated for board in self.boards)

    @property
    def complete(self) -> bool:
        """Whether every trial that was asked for has a number."""
        return all(
            record.status in {"ok", "suspect"} and all(t.failure is None for t in record.trials)
            for record in self.records
        )

    @property
    def measured(self) -> bool:
        """Whether there is any number at all."""
        return any(record.forward_ms is not None for record in self.records)
