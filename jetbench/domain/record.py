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
    """How many processes there are."""
    median: float
    """Of the processes' means."""
    mean: float
    """Of the processes' means."""
    min: float
    """Of the fastest process."""
    max: float
    """Of the slowest process."""
    stdev: float | None
    """Of the sample (n - 1); None for a single process."""
    ci95: tuple[float, float] | None
    """95 % confidence interval of the mean, by Student's t; None for a single process."""
    values: tuple[float, ...]
    """The mean of each process, in the order in which they ran."""

    @property
    def spread(self) -> float | None:
        """The standard deviation as a fraction of the mean."""
        return None if self.stdev is None or self.mean <= 0 else self.stdev / self.mean


@dataclass(frozen=True, slots=True)
class LayerTime:
    """The mean time of one layer over the processes of a case."""

    name: str
    """As the net has it."""
    type: str | None
    """As the printed net has it; None where the log does not hold the net."""
    forward_ms: float | None
    """Of one forward pass."""
    backward_ms: float | None
    """Of one backward pass."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One process of ``caffe time``."""

    id: int
    """From 1, in the order in which the board's trials ran."""
    repeat: int
    """The number of the process in its case, from 1."""
    started_utc: str | None
    """By the board's clock, which may be wrong."""
    wall_s: float | None
    """From its start to its end."""
    exit_status: int | None
    """Of the process; None where its end is not known."""
    forward_ms: float | None
    """The mean over its iterations."""
    backward_ms: float | None
    """The mean over its iterations."""
    forward_backward_ms: float | None
    """The mean over its iterations."""
    total_ms: float | None
    """All iterations, and the logging of the table."""
    failure: Failure | None
    """Why it brought no number; None where it did."""
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
    """The lowest clock of the GPU while it iterated."""
    gpu_mhz_max: float | None = None
    """The highest clock of the GPU while it iterated."""
    emc_mhz_min: float | None = None
    """The lowest clock of the memory."""
    emc_mhz_max: float | None = None
    """The highest clock of the memory."""
    gpu_load_mean: float | None = None
    """The mean load of the GPU, 0 to 1."""
    gpu_temp_c_max: float | None = None
    """The highest temperature of the GPU."""
    power_w_mean: float | None = None
    """Of the whole board, while it iterated: forward and backward."""
    power_w_max: float | None = None
    """The highest sample of the whole board's power."""
    power_w_idle: float | None = None
    """Of the whole board before the first trial, its clocks set, nothing running."""
    energy_j_iteration: float | None = None
    """Of the whole board, for one iteration: one forward and one backward pass of the batch."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a number came from: it explains a difference, and never forbids a comparison."""

    hardware: str | None = None
    """The model of the board, by its device tree."""
    serial: str | None = None
    """The board's serial number."""
    l4t: str | None = None
    """NVIDIA's Linux for Tegra, such as ``28.2.1``."""
    cuda: str | None = None
    """The version of CUDA."""
    cudnn: str | None = None
    """The version of cuDNN."""
    caffe_path: str | None = None
    """Of the program that was run."""
    caffe_version: str | None = None
    """As the program says it."""
    caffe_fork: str | None = None
    """``bvlc``, ``ssd`` or ``nvidia``, where it can be told."""
    caffe_build: str | None = None
    """Size and modification time of the library, to tell two builds apart."""
    uptime_s: float | None = None
    """Of the board when the sweep reached it."""
    gpu_temp_c_start: float | None = None
    """When the first of the trials began."""


@dataclass(frozen=True, slots=True)
class Record:
    """All trials of one case on one board."""

    board: str
    """Its name in the inventory."""
    model: str
    """The name that the model is shown under."""
    source: str
    """Where the model came from: a file, ``board:PATH``, or a model that comes along."""
    batch: int
    """The batch size that was set."""
    phase: Phase
    """The phase that it was run in."""
    stages: tuple[str, ...]
    """The net's stages, as for caffe."""
    iterations: int
    """Of each process."""
    gpu: int | None
    """The CUDA device; None on the CPU."""
    power_mode: PowerMode | None
    """As read back from the board."""
    clocks_locked: bool | None
    """As read back from the board."""
    simulated: bool
    """Whether the board is a virtual one: its times are computed, not measured."""
    status: Status
    """``failed``: the program on the board did; ``lost``: the board or the link did;
    ``suspect``: there is a number, and a reason to doubt it."""
    reasons: tuple[str, ...]
    """Why it is not ``ok``, a sentence each."""
    input_shapes: tuple[tuple[str, tuple[int, ...]], ...]
    prototxt_sha256: str | None
    """Of the file that was run."""
    forward_ms: Summary | None
    """One forward pass of the whole batch; None where there is no number."""
    backward_ms: Summary | None
    """One backward pass of the whole batch."""
    forward_backward_ms: Summary | None
    """One iteration: a forward and a backward pass."""
    layers: tuple[LayerTime, ...]
    """The mean time of each layer, in the net's order."""
    conditions: RecordConditions
    """Under which conditions its trials ran."""
    bound_ms: float | None
    """The least forward time that the board's peaks allow in this power mode."""
    trials: tuple[TrialResult, ...]
    """Each process, those that failed included."""
    findings: tuple[Finding, ...] = ()
    """Every reason to doubt the number."""
    provenance: Provenance = Provenance()
    """What the numbers came from."""


@dataclass(frozen=True, slots=True)
class BoardResult:
    """One board's part in a sweep."""

    name: str
    facts: BoardFacts | None
    """None: it was not reached."""
    error: str | None
    """Why it measured nothing, or not all; None where nothing went wrong."""
    hint: str | None
    """What to do about it."""
    power_before: PowerMode | None
    """The power mode that the sweep found."""
    clocks_before: bool | None
    """Whether the sweep found the clocks locked."""
    changed: bool
    """Whether power mode or clocks were touched."""
    restored: bool | None
    """Whether they were put back; None where it is not known."""
    notes: tuple[str, ...]
    """What else a user should know of it, a sentence each."""


@dataclass(frozen=True, slots=True)
class FleetOutlier:
    """A board that differs from the others of its sweep by more than noise."""

    board: str
    """Its name in the inventory."""
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
    """When it began."""
    finished_utc: str
    """When it ended."""
    jetbench: str
    """The version of the program."""
    boards: tuple[BoardResult, ...]
    records: tuple[Record, ...]
    interrupted: bool = False
    """Whether it was ended before all was measured."""
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
