"""Every error that jetbench raises on purpose.

::

    JetbenchError               a message for people, and what to do next
    ├── UsageError              wrong flags, inventory or model; nothing was started
    │   ├── InventoryError      … in an inventory: file, line
    │   ├── ModelError          … in a prototxt: file, line, column
    │   ├── ResultError         … in a kept result: file, place in the JSON
    │   └── ChoiceError         … that fit several things: they are told
    ├── BoardError              one board cannot go on; the others do
    │   ├── UnreachableError    off, no such name, connection refused, timed out
    │   ├── HostKeyError        the board is not known, or not the one we knew
    │   │   ├── UnknownHostKeyError
    │   │   └── ChangedHostKeyError
    │   ├── LoginError          no key or password that the board takes
    │   ├── LinkLostError       was connected, is no more; worth trying again
    │   ├── BusyError           somebody else measures there
    │   ├── NotReadyError       reached, but it cannot measure as asked
    │   └── BoardAnswerError    it answered what we cannot understand
    └── StoreError              results cannot be written or read here

Foreign exceptions (paramiko's, OSError, YAML's) are translated into these at the door
of the room that owns the library. Inside a board's session they are raised; at the
fleet's border they become values (`BoardOutcome.error`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.timing import FailureKind


class JetbenchError(Exception):
    """Something a person can act on.

    Args:
        message: What is wrong, naming the file, the line or the board. One sentence.
        hint: What to do about it; None where the message says it all.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(JetbenchError):
    """Wrong flags, inventory or model: exit code 2, nothing was started."""


class InventoryError(UsageError):
    """An inventory that cannot be used; `message` starts with ``FILE:LINE:``."""


class ModelError(UsageError):
    """A prototxt that cannot be read, or not be patched with certainty.

    Args:
        message: What is wrong, without the place.
        hint: What to do about it.
        source: The name of the file, as the user wrote it.
        line: From 1; None where no line is to blame.
        column: From 1, in characters; None where no column is to blame.
        kind: A failure kind of the contract, as it stands in a record.
    """

    def __init__(  # noqa: PLR0913 - all but the message by name
        self,
        message: str,
        *,
        hint: str | None = None,
        source: str | None = None,
        line: int | None = None,
        column: int | None = None,
        kind: FailureKind = "bad_model",
    ) -> None:
        place = ":".join(str(part) for part in (source, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.bare = message
        self.source = source
        self.line = line
        self.column = column
        self.kind = kind

    def at(self, source: str) -> ModelError:
        """The same error, naming the file it was found in."""
        return ModelError(
            self.bare,
            hint=self.hint,
            source=source,
            line=self.line,
            column=self.column,
            kind=self.kind,
        )


class ResultError(UsageError):
    """A kept result that is not there, or cannot be read; the message names the file."""


class ChoiceError(UsageError):
    """Not exactly one thing is meant.

    Args:
        message: What was asked for.
        choices: What there is, one line each, safe for a terminal.
    """

    def __init__(self, message: str, choices: Sequence[str]) -> None:
        super().__init__(message, hint=None if choices else "there is nothing to choose from")
        self.choices = tuple(choices)


class BoardError(JetbenchError):
    """One board cannot go on; the message does not repeat the board's name."""


class UnreachableError(BoardError):
    """No connection: the board is off, unknown by name, refuses, or does not answer."""


class HostKeyError(BoardError):
    """The board's host key does not vouch for it."""


class UnknownHostKeyError(HostKeyError):
    """The board has never been enrolled; the message holds the key's fingerprint."""


class ChangedHostKeyError(HostKeyError):
    """The board shows another key than the one that was enrolled."""


class LoginError(BoardError):
    """The board takes none of our keys."""


class LinkLostError(BoardError):
    """The connection broke. The board goes on by itself: connect again and follow."""


class BusyError(BoardError):
    """Another sweep holds the board's lock; the message says whose and since when."""


class NotReadyError(BoardError):
    """The board was reached, but cannot measure as asked (no Caffe, no sudo, no space)."""


class BoardAnswerError(BoardError):
    """The board answered something that is not of our protocol."""


class StoreError(JetbenchError):
    """Results cannot be written here, or not be read."""
