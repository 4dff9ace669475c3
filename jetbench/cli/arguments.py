"""Words of the command line that typer does not check, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import UsageError

if TYPE_CHECKING:
    from jetbench.domain.board import Gpu
    from jetbench.domain.plan import Phase

MAX_BATCH = 100_000


def batches_of(text: str) -> tuple[int, ...]:
    """``1,2,4`` as (1, 2, 4)."""
    try:
        batches = tuple(int(part) for part in text.split(","))
    except ValueError:
        batches = (0,)
    if any(not 0 < batch <= MAX_BATCH for batch in batches):
        message = f"--batch {text} is no batch size"
        raise UsageError(message, hint="pass one or several whole numbers from 1: --batch 1,4,8")
    return tuple(dict.fromkeys(batches))


def phase_of(text: str) -> Phase:
    """TEST or TRAIN, however it is written."""
    word = text.upper()
    if word == "TEST":
        return "TEST"
    if word == "TRAIN":
        return "TRAIN"
    message = f"--phase {text} is neither TEST nor TRAIN"
    raise UsageError(message)


def gpu_of(text: str | None) -> Gpu | None:
    """A device number, ``none`` for the CPU, or None where the option is not given."""
    if text is None or text == "none":
        return "none" if text else None
    if text.isascii() and text.isdigit():
        return int(text)
    message = f"--gpu {text} is neither a device number nor none"
    raise UsageError(message)
