"""The gate of a night on the command line: its options, its exit code, what was kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.cli import exit_codes
from jetbench.domain.errors import ResultError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.gate import Gate
    from jetbench.domain.record import SweepResult


def check_gate(baseline: str | None, *, fail: bool, detach: bool) -> None:
    """See that the options of a gate make sense.

    Raises:
        UsageError: They do not.
    """
    if fail and baseline is None:
        raise UsageError(
            "--fail-on-regression needs something to compare with",
            hint="name it with --baseline NAME; `jetbench baseline set NAME SWEEP` makes one",
        )
    if baseline is not None and detach:
        raise UsageError(
            "--baseline waits for the result, and --detach does not",
            hint="leave one out; or `jetbench attach`, then `jetbench compare SWEEP --baseline "
            "NAME`",
        )


def gate_exit_code(
    result: SweepResult, gate: Gate, code: int, *, fail: bool, second: SweepResult | None = None
) -> int:
    """The contract's code for a night.

    Args:
        result: What was measured.
        gate: What it says.
        code: That of the result alone.
        fail: Whether a regression is a failure.
        second: What the second look has brought.
    """
    if second is not None and second.interrupted:
        return exit_codes.INTERRUPTED
    if result.interrupted or not result.measured or not fail:
        return code
    match gate.verdict:
        case "red":
            return exit_codes.REGRESSION
        case "nothing compared":
            return exit_codes.NOTHING
        case "unconfirmed":
            return exit_codes.FAILED
        case "green":
            return code


def read_gate(folder: Path) -> Gate | None:
    """What the gate said of a kept sweep; None where it has passed none.

    Raises:
        ResultError: It was changed by hand.
    """
    from jetbench.formats.gate import parse_gate

    file = folder / "gate.json"
    try:
        return parse_gate(file.read_text(encoding="utf-8"), str(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{file}: cannot be read: {error}") from error
