"""One script and its answer over one channel: what the protocol's questions are made of.

A script of known length goes to the other side's standard input. What comes back stands behind
a marker with a random number, so that nothing a login shell prints can be taken for an answer.
"""

from __future__ import annotations

import secrets
import shlex
import time
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from jetbench.domain.errors import BoardAnswerError, LinkLostError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_NOISE_BYTES = 256 * 1024
_MAX_ANSWER_BYTES = 4096
_KILLED = 128
"""What a shell adds to the number of the signal that has ended a program."""
_GATHER_S = 0.03
"""A board writes its journal in small pieces, each of which would wake two threads here and
cost a write: so much time they have to gather."""


class Channel(Protocol):
    """A command at the other end: `jetbench.remote.link.ExecChannel`, or a stand-in."""

    @property
    def stderr_tail(self) -> bytes:
        """The last of what it has printed on standard error."""

    def send(self, data: bytes) -> None:
        """Write all of `data` to its standard input."""

    def recv(self, timeout_s: float) -> bytes | None:
        """Some of its output; b"" at the end, None where nothing came in time."""

    def exit_status(self, timeout_s: float) -> int | None:
        """How it ended; negative for a signal, None where it has not."""


class Exchange:
    """One script and its answer."""

    def __init__(
        self,
        channel: Channel,
        scripts: Sequence[str],
        variables: Mapping[str, str],
        timeout_s: float,
    ) -> None:
        nonce = secrets.token_hex(8)
        text = assignments({"NONCE": nonce, **variables}).encode("utf-8", "surrogateescape")
        text += b"".join(script_text(name) for name in scripts)
        # Sixteen random digits: wherever they stand, what follows is ours.
        self._marker = b"#" + nonce.encode() + b" "
        self._pending = b""
        self._deadline = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self.detail = ""
        self._channel = channel
        self.send(b"%d\n" % len(text) + text)

    def send(self, data: bytes) -> None:
        """Write to the script's standard input."""
        # Each question has its own time for the answer.
        self._deadline = time.monotonic() + self._timeout_s
        self._channel.send(data)

    def be_patient(self) -> None:
        """Give the answer its whole time once more: the other side has said that it lives."""
        self._deadline = time.monotonic() + self._timeout_s

    def next_line(self) -> tuple[str, str]:
        """The next line of ours: its first word, and the rest."""
        self._skip_to_marker()
        while b"\n" not in self._pending:
            if len(self._pending) > _MAX_ANSWER_BYTES:
                self._misunderstood()
            self._pending += self._receive()
        line, _, self._pending = self._pending.partition(b"\n")
        word, _, detail = line.decode("utf-8", "replace").partition(" ")
        self.detail = detail
        return word, detail

    def expect(self, wanted: str) -> None:
        """Take the next line of ours, which must begin with this word."""
        word, _ = self.next_line()
        if word != wanted:
            self._misunderstood()

    def until(self, word: str, limit: int) -> bytes:
        """All bytes before the line of ours that begins with `word`."""
        said = bytearray()
        # A board that says a word now and then is never silent, and never done.
        give_up_s = time.monotonic() + self._timeout_s
        for data in self.stream(word, self._timeout_s):
            said += data
            if not data or len(said) > limit or time.monotonic() > give_up_s:
                self._misunderstood()
        return bytes(said)

    def stream(self, word: str, wakeup_s: float) -> Iterator[bytes]:
        """The bytes before the line of ours that begins with `word`; b"" at each wake-up."""
        marker = self._marker + word.encode()
        while True:
            found = self._pending.find(marker)
            end = found if found >= 0 else len(self._pending) - _overlap(self._pending, marker)
            out, self._pending = self._pending[:end], self._pending[end:]
            if out:
                yield out
            if found >= 0:
                self._deadline = time.monotonic() + self._timeout_s
                self.next_line()
                return
            data = self._channel.recv(wakeup_s)
            if data is None:
                yield b""
            elif data:
                time.sleep(_GATHER_S)
                self._pending += data + (self._channel.recv(0) or b"")
            else:
                self._ended()

    def _skip_to_marker(self) -> None:
        skipped = 0
        while (found := self._pending.find(self._marker)) < 0:
            keep = _overlap(self._pending, self._marker)
            skipped += len(self._pending) - keep
            if skipped > MAX_NOISE_BYTES:
                self._misunderstood()
            self._pending = self._pending[len(self._pending) - keep :] + self._receive()
        self._pending = self._pending[found + len(self._marker) :]

    def _receive(self) -> bytes:
        left = self._deadline - time.monotonic()
        data = self._channel.recv(left) if left > 0 else None
        if data is None:
            message = f"it did not answer within {self._timeout_s:.0f} s"
            raise LinkLostError(message)
        if not data:
            self._ended()
        return data

    def _ended(self) -> None:
        """The script's output has ended too early: say why, as far as it is known."""
        status = self._channel.exit_status(5.0)
        if status is None or status < 0:
            message = "the connection broke"
            raise LinkLostError(message)
        if status > _KILLED:
            # As when a board goes down: its sessions are ended before its network is.
            message = f"its shell was ended by signal {status - _KILLED}"
            raise LinkLostError(message)
        noise = printable(self._channel.stderr_tail.decode("utf-8", "replace").strip(), 300)
        message = f"its shell ended with status {status} instead of an answer"
        if noise:
            message += f" ({noise})"
        hint = "log in by hand and try: /bin/sh -c 'head -c 1 /dev/null; id'"
        raise BoardAnswerError(message, hint=hint)

    def _misunderstood(self) -> None:
        message = "its answer cannot be understood"
        hint = "does its login shell print something without end? log in by hand and look"
        raise BoardAnswerError(message, hint=hint)


def assignments(variables: Mapping[str, str]) -> str:
    """Shell assignments, each value quoted so that it can be nothing but a value."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def _overlap(data: bytes, marker: bytes) -> int:
    """How many bytes at the end of `data` could be the beginning of `marker`."""
    start = data.rfind(marker[:1], max(len(data) - len(marker) + 1, 0))
    while start >= 0:
        if marker.startswith(data[start:]):
            return len(data) - start
        start = data.rfind(marker[:1], max(len(data) - len(marker) + 1, 0), start)
    return 0


@cache
def script_text(name: str) -> bytes:
    """A script for boards, by its file name."""
    return (files("jetbench.remote") / "scripts" / name).read_bytes()
