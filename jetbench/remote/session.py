"""What is said over one connection: the probe, the sweep's start, its journal, its end.

One channel runs ``/bin/sh`` for the whole conversation, whatever the login shell is (bash,
fish, csh). It reads scripts of a known length from standard input: nothing of ours is ever in
an argument list, and a script and its payload are one round trip. What comes back stands
behind a marker with a random number, so that nothing a login shell prints can be taken for an
answer.
"""

from __future__ import annotations

import io
import secrets
import shlex
import tarfile
import time
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from jetbench.domain.errors import BoardAnswerError, BusyError, LinkLostError, NotReadyError
from jetbench.formats.probe import MAX_FILE_BYTES, parse_probe
from jetbench.formats.words import pairs, printable, unwrapped, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from jetbench.domain.facts import BoardFacts

PROBE_TIMEOUT_S = 60.0
START_TIMEOUT_S = 60.0
_MAX_NOISE_BYTES = 256 * 1024
_MAX_PROBE_BYTES = 64 * 2**20
_MAX_ANSWER_BYTES = 4096
_GATHER_S = 0.03
"""A board writes its journal in small pieces, each of which would wake two threads here and
cost a write: so much time they have to gather."""
_SHELL = "exec /bin/sh -c 'while read -r n; do ( eval \"$(head -c $n)\" ); done'"
"""Runs one script after the other. Single quotes mean the same to every login shell."""


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


class Cable(Protocol):
    """What opens channels: `jetbench.remote.link.Link`, or a stand-in."""

    def open_exec(self, command: str, *, timeout_s: float) -> Channel:
        """Start a command through the login shell."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a board needs for a sweep."""

    sweep_id: str
    holder: str
    """Who measures and since when, for others who find the board busy."""
    settings: Mapping[str, str]
    """Shell variables of the runner, and the environment of ``caffe``."""
    environment: tuple[tuple[str, str], ...]
    trials: tuple[tuple[int, str, int], ...]
    """(trial id, file name below models/, iterations)."""
    models: tuple[tuple[str, bytes], ...]
    """(file name, content)."""

    def tar(self) -> bytes:
        """The archive that ``start.sh`` unpacks; the same for all boards of a sweep."""
        return _tar(self.trials, self.models)

    def shell(self) -> str:
        """``settings.sh``: what differs from board to board."""
        exports = (f"export {name}={shlex.quote(value)}\n" for name, value in self.environment)
        return assignments(self.settings) + "".join(exports)


@lru_cache(maxsize=4)
def _tar(trials: tuple[tuple[int, str, int], ...], models: tuple[tuple[str, bytes], ...]) -> bytes:
    rows = "".join(f"{number} {name} {iterations}\n" for number, name, iterations in trials)
    scripts = ("common.sh", "runner.sh", "guard.sh")
    contents = [
        *((name, _script(name)) for name in scripts),
        ("trials", rows.encode()),
        *((f"models/{name}", data) for name, data in models),
    ]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in contents:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o600
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


class Session:
    """The protocol of jetbench over one link. Not for use by several threads at once."""

    def __init__(self, link: Cable) -> None:
        self._link = link
        self._shell: Channel | None = None

    def _ask(
        self, scripts: Sequence[str], variables: Mapping[str, str], timeout_s: float
    ) -> _Exchange:
        """Send scripts; the answer is still to come."""
        if self._shell is None:
            self._shell = self._link.open_exec(_SHELL, timeout_s=timeout_s)
        return _Exchange(self._shell, scripts, variables, timeout_s)

    def probe(
        self,
        *,
        caffe: str | None,
        caffe_root: str | None,
        gpu: str,
        paths: Sequence[str] = (),
        timeout_s: float = PROBE_TIMEOUT_S,
    ) -> tuple[BoardFacts, bytes]:
        """Find out what the board is, and fetch the files `paths`, in one round trip.

        Returns:
            The facts, and the answer they were read from.
        """
        variables = {
            "CAFFE": caffe or "",
            "CAFFE_ROOT": caffe_root or "",
            "GPU": gpu,
            "FILES": "\n".join(paths),
            "MAX_FILE_BYTES": str(MAX_FILE_BYTES),
        }
        asked_utc_s = time.time()
        exchange = self._ask(("common.sh", "probe.sh"), variables, timeout_s)
        exchange.expect("begin")
        answer = exchange.until("end", _MAX_PROBE_BYTES)
        midpoint = (asked_utc_s + time.time()) / 2
        return parse_probe(answer, files=paths, midpoint_utc_s=midpoint), answer

    def start(self, parcel: Parcel, *, password: str | None) -> Follower:
        """Send a sweep and start it; the answer is its journal from the beginning.

        A sweep that has been started before is only followed.

        Raises:
            BusyError: Somebody else holds the board's lock.
            NotReadyError: The board has no room, or no safe place, for the sweep.
        """
        tar = parcel.tar()
        variables = {
            "SWEEP": parcel.sweep_id,
            "HOLDER": parcel.holder,
            "SETTINGS": parcel.shell(),
            "TAR_BYTES": str(len(tar)),
            "PASSWORD": "0" if password is None else "1",
            "OFFSET": "0",
        }
        exchange = self._ask(("common.sh", "start.sh", "follow.sh"), variables, START_TIMEOUT_S)
        secret = b"" if password is None else password.encode() + b"\n"
        exchange.send(secret + tar)
        word, detail = exchange.next_line()
        if word == "refused":
            raise _refusal(pairs(detail))
        return _follower(exchange, word, 0)

    def follow(self, sweep_id: str, offset: int) -> Follower | None:
        """The journal of a sweep from a byte offset on; None where there is no such sweep."""
        variables = {"SWEEP": sweep_id, "OFFSET": str(offset)}
        exchange = self._ask(("common.sh", "follow.sh"), variables, START_TIMEOUT_S)
        word, _ = exchange.next_line()
        return None if word == "none" else _follower(exchange, word, offset)

    def stop(self, sweep_id: str) -> None:
        """Ask the runner to end its trial and the sweep. Its journal tells the rest.

        For a session of its own: the one that follows the journal is busy.
        """
        scripts = ("common.sh", "stop.sh")
        self._ask(scripts, {"SWEEP": sweep_id}, START_TIMEOUT_S).next_line()


class Follower:
    """A journal that is being sent."""

    def __init__(self, exchange: _Exchange, offset: int) -> None:
        self._exchange = exchange
        self.offset = offset
        """How much of the journal has been received."""
        self.size: int | None = None
        """The journal's size, once nobody on the board writes to it any more."""

    def chunks(
        self, *, patience_s: float, wakeup_s: float, wakeup: Callable[[], None]
    ) -> Iterator[bytes]:
        """The journal's bytes as they come, until its end.

        Args:
            patience_s: The longest silence that is normal: a trial's limit and some more.
            wakeup_s: How often to call `wakeup` while nothing comes.
            wakeup: Called in this thread; may stop the sweep over the same link.

        Raises:
            LinkLostError: The connection broke, or the silence lasted too long.
        """
        silent_since = time.monotonic()
        for data in self._exchange.stream("eof", wakeup_s):
            if data:
                silent_since = time.monotonic()
                self.offset += len(data)
                yield data
            elif time.monotonic() - silent_since > patience_s:
                message = f"it has said nothing for {patience_s:.0f} s"
                raise LinkLostError(message)
            wakeup()
        self.size = whole(pairs(self._exchange.detail).get("size"))
        if self.size is None:
            message = "the end of its journal cannot be understood"
            raise BoardAnswerError(message)

    def forget(self) -> None:
        """Have the board delete the sweep's folder: the journal is safe here."""
        self._exchange.send(b"forget\n")
        self._exchange.expect("forgotten")

    def leave(self) -> None:
        """Leave the journal where it is."""
        self._exchange.send(b"keep\n")


class _Exchange:
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
        text += b"".join(_script(name) for name in scripts)
        # Sixteen random digits: wherever they stand, what follows is ours.
        self._marker = b"#" + nonce.encode() + b" "
        self._pending = b""
        self._deadline = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self.detail = ""
        self._channel = channel
        self.send(b"%d\n" % len(text) + text)

    def send(self, data: bytes) -> None:
        # Each question has its own time for the answer.
        self._deadline = time.monotonic() + self._timeout_s
        self._channel.send(data)

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
        word, _ = self.next_line()
        if word != wanted:
            self._misunderstood()

    def until(self, word: str, limit: int) -> bytes:
        """All bytes before the line of ours that begins with `word`."""
        parts: list[bytes] = []
        for data in self.stream(word, self._timeout_s):
            parts.append(data)
            if not data or sum(map(len, parts)) > limit:
                self._misunderstood()
        return b"".join(parts)

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
            if skipped > _MAX_NOISE_BYTES:
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


def _follower(exchange: _Exchange, word: str, offset: int) -> Follower:
    if word != "journal":
        message = "its answer cannot be understood"
        raise BoardAnswerError(message)
    return Follower(exchange, offset)


def _refusal(fields: Mapping[str, str]) -> BusyError | NotReadyError:
    detail = printable(unwrapped(fields.get("detail", "")).strip())
    kind = fields.get("kind")
    if kind == "busy":
        holder = pairs(detail)
        who = holder.get("who", "somebody")
        since = f" since {holder['since']}" if "since" in holder else ""
        sweep = f" (sweep {holder['sweep']})" if "sweep" in holder else ""
        message = f"busy: {who} measures there{since}{sweep}"
        return BusyError(message, hint="try again when that sweep is over")
    if kind == "space":
        message = f"the sweep does not fit on its disk ({detail})"
        return NotReadyError(message, hint="free some space in the home of its user")
    return NotReadyError(detail or "it refused to start the sweep")


def _overlap(data: bytes, marker: bytes) -> int:
    """How many bytes at the end of `data` could be the beginning of `marker`."""
    start = data.rfind(marker[:1], max(len(data) - len(marker) + 1, 0))
    while start >= 0:
        if marker.startswith(data[start:]):
            return len(data) - start
        start = data.rfind(marker[:1], max(len(data) - len(marker) + 1, 0), start)
    return 0


@cache
def _script(name: str) -> bytes:
    return (files("jetbench.remote") / "scripts" / name).read_bytes()
