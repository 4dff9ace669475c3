"""Nets and logs, with no board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jetbench.bench.models import built_here, patched_here, resolve
from jetbench.formats.caffe_log import parse_blocks, parse_log
from jetbench.formats.caffe_log_scan import BLOCK_BYTES
from jetbench.report.estimate import Estimate as Estimated
from jetbench.report.estimate import estimate_table, estimate_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jetbench.bench.models import ResolvedModel
    from jetbench.domain.plan import Phase
    from jetbench.domain.timing import ParsedLog
    from jetbench.nets.batch import Patched
    from jetbench.nets.net import Net

_NONE: Mapping[str, Sequence[int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """What a net costs. Printed, it is the table of ``jetbench estimate``."""

    estimated: Estimated

    @property
    def model(self) -> str:
        """Its name."""
        return self.estimated.model

    @property
    def batch(self) -> int:
        """The batch that it was built for."""
        return self.estimated.batch

    @property
    def net(self) -> Net:
        """Its layers with shapes, parameters, MACs and bytes."""
        return self.estimated.net

    @property
    def bound_ms(self) -> Mapping[str, float | None]:
        """The least forward time by power mode, FP32, direct arithmetic; None: not known."""
        bounds: dict[str, float | None] = self.to_json()["bound_ms"]
        return bounds

    def to_json(self) -> dict[str, Any]:
        """The document of ``jetbench estimate --format json`` (docs/reference/json.md)."""
        return estimate_to_json(self.estimated)

    def table(self) -> str:
        """The table of ``jetbench estimate``."""
        return estimate_table(self.estimated)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<estimate of {self.model}, batch {self.batch}: {len(self.net.layers)} layers>"


def patch(
    model: Path | str,
    batch: int | None = None,
    *,
    shapes: Mapping[str, Sequence[int]] = _NONE,
    phase: Phase = "TEST",
    stages: Sequence[str] = (),
    data_layers: bool = False,
) -> Patched:
    """Set the batch size of a net: ``jetbench patch``.

    Args:
        model: A prototxt file, a folder with a ``deploy.prototxt``, or a model that comes along.
        batch: 1 or more; None: 1, or as `shapes` say.
        shapes: Whole shapes of inputs, by name.
        phase: ``TEST`` or ``TRAIN``.
        stages: Stages of the net.
        data_layers: Also set ``batch_size`` of layers that read a data set.

    Returns:
        The text, what was changed in it, and what should be known of it. Nothing is written.

    Raises:
        UsageError: There is no such model, or it cannot be patched with certainty.
    """
    found = resolve(str(model))
    return _patched(found, batch, shapes, phase=phase, stages=stages, data_layers=data_layers)


def estimate(
    model: Path | str,
    batch: int | None = None,
    *,
    shapes: Mapping[str, Sequence[int]] = _NONE,
    phase: Phase = "TEST",
    stages: Sequence[str] = (),
    data_layers: bool = False,
    until: str | None = None,
) -> Estimate:
    """What a net costs, and the least time that a TX2's peaks allow: ``jetbench estimate``.

    Args:
        model: As of `patch`, and so are the others.
        batch: As of `patch`.
        shapes: As of `patch`.
        phase: As of `patch`.
        stages: As of `patch`.
        data_layers: As of `patch`.
        until: Only up to this layer or blob.

    Raises:
        UsageError: There is no such model, or it is no net.
    """
    found = resolve(str(model))
    patched = _patched(found, batch, shapes, phase=phase, stages=stages, data_layers=data_layers)
    net = built_here(found, patched.text, phase, stages, until)
    return Estimate(Estimated(found.name, patched.batch, net, until))


def parse(log: Path | str | bytes) -> ParsedLog:
    """Read a log of ``caffe time``, of any fork and size: ``jetbench parse``.

    Args:
        log: A file, or the bytes of a log.

    Returns:
        Its times in ms, its layers, and whether the measurement came to its end; where it did
        not, `failure` says why. Of several runs in one log the last finished one counts.

    Raises:
        OSError: The file cannot be read.
    """
    if isinstance(log, bytes):
        return parse_log(log)
    with Path(log).open("rb") as file:
        return parse_blocks(iter(lambda: file.read(BLOCK_BYTES), b""))[0]


def _patched(
    found: ResolvedModel,
    batch: int | None,
    shapes: Mapping[str, Sequence[int]],
    *,
    phase: Phase,
    stages: Sequence[str],
    data_layers: bool,
) -> Patched:
    return patched_here(
        found,
        1 if batch is None and not shapes else batch,
        phase=phase,
        stages=stages,
        shapes={name: tuple(sizes) for name, sizes in shapes.items()},
        data_layers=data_layers,
    )
