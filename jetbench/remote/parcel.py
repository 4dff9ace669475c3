"""What a board is sent for a part of a sweep: scripts, trials, nets, and the plan."""

from __future__ import annotations

import io
import shlex
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from jetbench.domain.part import part_key
from jetbench.remote.exchange import assignments, script_text

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """A trial as the runner reads it."""

    id: int
    """0: a warm-up, which counts for nothing."""
    model: str
    """File name below ``models/``."""
    iterations: int
    mode: str
    """An id, a name, or ``keep``."""
    case: int
    repeat: int
    """From 1."""

    def line(self) -> str:
        """Its line of the file ``trials``."""
        words = (self.id, self.model, self.iterations, self.mode, self.case, self.repeat)
        return " ".join(map(str, words)) + "\n"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a board needs for a part of a sweep."""

    sweep_id: str
    part: int
    """From 1."""
    board: str
    """What the host that starts it calls the board."""
    holder: str
    """Who measures and since when, for others who find the board busy."""
    settings: Mapping[str, str]
    """Shell variables of the runner, and the environment of ``caffe``."""
    environment: tuple[tuple[str, str], ...]
    trials: tuple[Row, ...]
    models: tuple[tuple[str, bytes], ...]
    """(file name, content)."""
    plan: bytes = b""
    """The plan, for whoever follows without having it."""
    labels: tuple[str, ...] = ()
    """What each case is called, for whoever asks what runs."""
    probe: bytes = b""
    """The board's answer to the probe, for whoever follows."""

    @property
    def key(self) -> str:
        """What it is called on the board."""
        return part_key(self.sweep_id, self.part)

    def tar(self) -> bytes:
        """The archive that ``start.sh`` unpacks; the same for all boards of a sweep."""
        return _tar(self.trials, self.models, self.plan, self.labels)

    def shell(self) -> str:
        """``settings.sh``: what differs from board to board."""
        exports = (f"export {name}={shlex.quote(value)}\n" for name, value in self.environment)
        return assignments(self.settings) + "".join(exports)


def archive(*contents: tuple[str, bytes]) -> bytes:
    """A tar of files that only their owner may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in contents:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o600
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@lru_cache(maxsize=4)
def _tar(
    trials: tuple[Row, ...],
    models: tuple[tuple[str, bytes], ...],
    plan: bytes,
    labels: tuple[str, ...],
) -> bytes:
    scripts = ("common.sh", "runner.sh", "guard.sh", "sampler.sh")
    return archive(
        *((name, script_text(name)) for name in scripts),
        ("trials", "".join(row.line() for row in trials).encode()),
        ("plan.json", plan),
        ("labels", "".join(f"{label}\n" for label in labels).encode("utf-8", "replace")),
        *((f"models/{name}", data) for name, data in models),
    )
