"""What is to be measured: options, cases, trials, and the plan that holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jetbench.domain.board import Board, Gpu

Phase = Literal["TEST", "TRAIN"]
Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Inputs, each with its shape, outermost axis first."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is the same for every case of a sweep. The defaults are the contract's."""

    batches: tuple[int, ...] = (1,)
    """Empty: as `shapes` say."""
    shapes: tuple[Shapes, ...] = ()
    """Whole shapes of inputs, a set for each step of a sweep; empty: as the files have them."""
    data_layers: bool = False
    """Whether the batch of layers that read a data set is set, too."""
    iterations: int = 50
    repeats: int = 3
    """Processes a case: the sample is the process, not the iteration."""
    phase: Phase = "TEST"
    stages: tuple[str, ...] = ()
    gpu: Gpu | None = None
    """None: what the inventory says, else 0."""
    power_modes: tuple[str, ...] = ("0",)
    """Each an id, a name, or ``keep``, in the order in which they are measured."""
    clocks: bool = True
    warm_ups: int = 1
    """Processes before the first that counts, in each power mode."""
    cooldown_c: float | None = 60.0
    """The GPU is to be no warmer when a trial begins; None: whatever it is."""
    cooldown_wait_s: int = 300
    """The longest wait for that before one trial."""
    telemetry: bool = True
    """Whether the board's sensors are read while it measures."""
    precision: float | None = None
    """Repeat until the 95 % interval of a mean is no wider than this to each side, as a part of
    the mean (0.01 is 1 %); None: `repeats` processes, whatever comes out."""
    max_repeats: int = 30
    """Where `precision` asks for more processes: never more than these."""
    timeout_s: int = 900
    """For one trial."""
    deadline_s: int | None = None
    """For the whole sweep of a board."""
    seed: int = 0
    """Decides the order of the cases in each round."""

    def gpu_on(self, board: Board) -> Gpu:
        """The device a board measures on: the option, the inventory, or 0."""
        if self.gpu is not None:
            return self.gpu
        return board.gpu if board.gpu is not None else 0

    @property
    def needs_guard(self) -> bool:
        """Whether anything on the board is changed, so that root has to put it back."""
        return self.clocks or self.power_modes != ("keep",)

    @property
    def rounds(self) -> int:
        """How often each case is measured at most."""
        return self.repeats if self.precision is None else max(self.repeats, self.max_repeats)


@dataclass(frozen=True, slots=True)
class Prototxt:
    """A net as it will be run: patched, with its hash and what it should cost."""

    text: str
    """Surrogate escapes stand for bytes that are not UTF-8."""
    sha256: str
    batch: int
    input_shapes: Shapes
    bound_ms: tuple[tuple[int, float], ...]
    """The forward time that a TX2's peaks allow, by power mode; empty where not known."""
    floor_ms: tuple[tuple[int, float], ...] = ()
    """The forward time that no algorithm gets below, by power mode: a measured one that does
    is wrong. Also of a net of which only a part is known."""
    layer_types: tuple[tuple[str, str], ...] = ()
    """By layer: a log of a long net is cut before it has named them all."""
    notes: tuple[str, ...] = ()

    def data(self) -> bytes:
        """The file's bytes."""
        return self.text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class KeptPrototxt:
    """What a kept plan says of a net whose text lies elsewhere."""

    sha256: str
    batch: int
    input_shapes: Shapes
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One model at one batch size in one power mode."""

    model: str
    """The name it is shown under."""
    source: str
    """Where it came from: a file here, ``board:PATH``, or a model that comes along."""
    batch: int
    prototxt: Prototxt | None
    """None for a file of the board until the board has sent it."""
    board_path: str | None = None
    shapes: Shapes = ()
    """Whole shapes that were asked for."""
    power_mode: str = "0"
    """As it was asked for: an id, a name, or ``keep``."""

    def filled(self, prototxt: Prototxt) -> Case:
        """The same case with the net that the board has sent."""
        return replace(self, prototxt=prototxt)


@dataclass(frozen=True, slots=True)
class Trial:
    """One process of ``caffe time``."""

    id: int
    """From 1, in the order in which they run."""
    case: int
    """Index into the plan's cases."""
    repeat: int
    """From 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before the first connection."""

    sweep_id: str
    """What the sweep is called: when it was planned (UTC), and a random number."""
    created_utc: str
    command: tuple[str, ...]
    """The command line that asked for it; never holds a secret."""
    options: Options
    boards: tuple[Board, ...]
    cases: tuple[Case, ...]
    trials: tuple[Trial, ...]
    """The same for every board."""
    second_look_of: str | None = None
    """The sweep that this one is to confirm, where it is for that only."""
