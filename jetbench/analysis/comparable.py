"""What must be equal for two numbers to be compared, and what may explain that they differ.

The key of a record is everything that changes the meaning of its time: the board, the net (by
the hash of the file that was run, which holds the batch and every shape, too), the engine, the
batch, the phase, the stages, the device, the power mode, whether the clocks were locked, the
iterations, and whether it was simulated. Two records whose keys differ are not compared. What
is not known on both sides is equal; what is known on one side only differs.

Provenance (Caffe's build, L4T, CUDA, the board's serial number, …) and the conditions of the
measurement (clocks, temperature) explain a difference. They are never part of the key: to see
what a new JetPack changes is what a comparison is for.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.facts import PowerMode
    from jetbench.domain.record import Record

ENGINE = "caffe"
"""The only one that records have so far."""
CLOCK_TOLERANCE = 0.02
"""As a part: what two readings of one clock may differ by."""
TEMPERATURE_TOLERANCE_C = 10.0
"""What the temperature of a GPU may differ by before it explains anything."""

_HASH_SHOWN = 12
_TEXT_SHOWN = 60
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Key:
    """What must be equal; the order of the fields is the order in which differences are told."""

    board: str
    model_sha256: str | None
    engine: str
    batch: int
    phase: str
    stages: tuple[str, ...]
    device: int | None
    """The CUDA device; None on the CPU."""
    power_mode: PowerMode | None
    clocks_locked: bool | None
    iterations: int
    simulated: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same for two records, in words that are safe for a terminal."""

    name: str
    """What is not the same."""
    a: str
    """What it was before."""
    b: str
    """What it is now."""
    unit: str = ""
    """Of both; may be empty."""

    @property
    def text(self) -> str:
        """``GPU clock 1300 → 1122 MHz``."""
        return f"{self.name} {self.a} → {self.b}" + (f" {self.unit}" if self.unit else "")


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Something that may explain why a time is another one; None where it is not known."""

    name: str
    value: str | float | None
    unit: str = ""
    tolerance: float = 0.0
    """What two numbers may differ by, in their unit, or as a part where `relative`."""
    relative: bool = False

    @property
    def text(self) -> str:
        """The value without its unit."""
        if isinstance(self.value, float):
            return f"{self.value:.0f}"
        return _UNKNOWN if self.value is None else printable(self.value, _TEXT_SHOWN)

    def differs(self, other: Circumstance) -> bool:
        """Whether both are known, and more than the tolerance apart."""
        if isinstance(self.value, float) and isinstance(other.value, float):
            most = max(abs(self.value), abs(other.value)) if self.relative else 1.0
            return abs(self.value - other.value) > self.tolerance * most
        return None not in {self.value, other.value} and self.value != other.value


def case_digest(record: Record) -> str:
    """What tells a case from all others, wherever it is written: its model and its key."""
    text = json.dumps([record.model, asdict(key_of(record))])
    return hashlib.sha256(text.encode()).hexdigest()


def case_id(record: Record) -> str:
    """The beginning of it, for links."""
    return case_digest(record)[:12]


def key_of(record: Record) -> Key:
    """The comparability key of a record."""
    return Key(
        board=record.board,
        model_sha256=record.prototxt_sha256,
        engine=ENGINE,
        batch=record.batch,
        phase=record.phase,
        stages=record.stages,
        device=record.gpu,
        power_mode=record.power_mode,
        clocks_locked=record.clocks_locked,
        iterations=record.iterations,
        simulated=record.simulated,
    )


def differences(a: Record, b: Record) -> tuple[Difference, ...]:
    """Every part of the key that forbids to compare two records; none: they are comparable."""
    one, other = key_of(a), key_of(b)
    return tuple(
        Difference(_KEY_NAMES[name], _shown(name, one), _shown(name, other))
        for name in (field.name for field in fields(Key))
        if getattr(one, name) != getattr(other, name)
    )


def changed_provenance(a: Record, b: Record) -> tuple[Difference, ...]:
    """What is known of both records, is not the same, and may explain that their times differ.

    The clocks and the temperature come first, then the software, then the hardware.
    """
    found = [
        Difference(one.name, one.text, other.text, one.unit)
        for one, other in zip(circumstances([a]), circumstances([b]), strict=True)
        if one.differs(other)
    ]
    # A GPU that was locked lower was lower all the time: once is enough.
    return tuple(_without_repeats(found))


def circumstances(records: Sequence[Record]) -> tuple[Circumstance, ...]:
    """What may explain the times of one or several records of a board, always the same list.

    Of several records it is the median of the numbers, and the text that they all share.
    """
    conditions = [record.conditions for record in records]
    origins = [record.provenance for record in records]

    def clock(name: str, values: list[float | None]) -> Circumstance:
        return Circumstance(name, _middle(values), "MHz", CLOCK_TOLERANCE, relative=True)

    locked = {True: "locked", False: "free", None: None}
    return (
        clock("GPU clock", [one.gpu_mhz_max for one in conditions]),
        clock("lowest GPU clock", [one.gpu_mhz_min for one in conditions]),
        clock("memory clock", [one.emc_mhz_max for one in conditions]),
        Circumstance("clocks", _shared([locked[record.clocks_locked] for record in records])),
        Circumstance(
            "GPU temperature",
            _middle([one.gpu_temp_c_max for one in conditions]),
            "°C",
            TEMPERATURE_TOLERANCE_C,
        ),
        Circumstance("caffe build", _shared([one.caffe_build for one in origins])),
        Circumstance("caffe version", _shared([one.caffe_version for one in origins])),
        Circumstance("caffe fork", _shared([one.caffe_fork for one in origins])),
        Circumstance("caffe path", _shared([one.caffe_path for one in origins])),
        Circumstance("L4T", _shared([one.l4t for one in origins])),
        Circumstance("CUDA", _shared([one.cuda for one in origins])),
        Circumstance("cuDNN", _shared([one.cudnn for one in origins])),
        Circumstance("hardware", _shared([one.hardware for one in origins])),
        Circumstance("serial number", _shared([one.serial for one in origins])),
    )


_KEY_NAMES = {
    "board": "board",
    "model_sha256": "model hash",
    "engine": "engine",
    "batch": "batch",
    "phase": "phase",
    "stages": "stages",
    "device": "device",
    "power_mode": "power mode",
    "clocks_locked": "clocks",
    "iterations": "iterations",
    "simulated": "simulated",
}


def _shown(name: str, key: Key) -> str:
    """A value of a key in words; one that is not known says so."""
    match name:
        case "device":
            return "CPU" if key.device is None else f"GPU {key.device}"
        case "power_mode":
            mode = key.power_mode
            text = _UNKNOWN if mode is None else mode.name or f"mode {mode.id}"
        case "clocks_locked":
            return {True: "locked", False: "free", None: _UNKNOWN}[key.clocks_locked]
        case "simulated":
            return "yes" if key.simulated else "no"
        case "stages":
            text = ",".join(key.stages) or "none"
        case "model_sha256":
            text = (key.model_sha256 or _UNKNOWN)[:_HASH_SHOWN]
        case _:
            text = str(getattr(key, name))
    return printable(text, _TEXT_SHOWN)


def _without_repeats(found: list[Difference]) -> Iterator[Difference]:
    names = {difference.name for difference in found}
    for difference in found:
        if difference.name != "lowest GPU clock" or "GPU clock" not in names:
            yield difference


def _middle(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None


def _shared(values: list[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else None
