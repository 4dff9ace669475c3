"""The journal of a sweep on one board: bytes in, events and trials out.

Version 1 of the format. One line is one of:

``@KIND key=value …``
    An event. Kinds: ``start`` (version, sweep, boot), ``trial`` (id, up, utc, limit_s,
    sensors), ``done`` (id, exit, up, sha256 of the log, sensors), ``guard`` (state or
    show), ``end`` (reason).
``| TEXT``
    The next piece of the log of the trial that is being written: gzip, then base64.
``~ TEXT``
    Telemetry.
anything else
    What sudo or a tool had to say; kept as noise.

Between ``@trial`` and its ``@done`` stands the whole log. A trial without ``@done``, or whose
log does not have the hash that its ``@done`` says, is not a finished one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.formats.tegra import conditions_from
from jetbench.formats.words import pairs, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jetbench.domain.facts import Conditions

MAX_LINE_BYTES = 64 * 1024
MAX_LOG_BYTES = 64 * 2**20
"""A log that unpacks to more is cut there, and its trial is not believed."""
_MAX_NOISE = 50


@dataclass(frozen=True, slots=True)
class Event:
    """A line ``@KIND key=value …``."""

    kind: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JournalTrial:
    """One trial, as far as the journal knows it."""

    id: int
    started_utc: str | None
    started_up_s: float | None
    ended_up_s: float | None
    exit_status: int | None
    """None: the journal ends before the trial does."""
    stopped: bool
    """It was ended because the sweep was."""
    limit_s: float | None
    log: bytes | None
    """The raw log; None where it is missing or damaged, and `problem` says why."""
    problem: str | None
    before: Conditions
    after: Conditions

    @property
    def wall_s(self) -> float | None:
        """Seconds from start to end, by the board's uptime."""
        if self.started_up_s is None or self.ended_up_s is None:
            return None
        return round(self.ended_up_s - self.started_up_s, 2)


@dataclass(slots=True)
class EventReader:
    """Finds the events in a journal that comes in pieces. Memory is bounded by a line."""

    _rest: bytes = b""
    _skipping: bool = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that are complete with these bytes."""
        events = []
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif line.startswith(b"@"):
                events.append(parse_event(line))
        if len(self._rest) > MAX_LINE_BYTES:
            self._rest, self._skipping = b"", True
        return events


def parse_event(line: bytes) -> Event:
    """One ``@`` line."""
    kind, _, rest = line[1:MAX_LINE_BYTES].decode("utf-8", "replace").partition(" ")
    return Event(kind, pairs(rest))


@dataclass(slots=True)
class JournalReader:
    """Reads a whole journal, one trial in memory at a time."""

    events: list[Event] = field(default_factory=list)
    """All events but those of trials, in order."""
    noise: list[str] = field(default_factory=list)
    """The first lines that are none of ours, safe to print."""

    def trials(self, lines: Iterable[bytes]) -> Iterator[JournalTrial]:
        """Each trial of the journal, in order; `events` and `noise` fill up on the way.

        Args:
            lines: The journal's lines, with or without their line ends.
        """
        current: Event | None = None
        log = _Log()
        for line in lines:
            if line.startswith(b"| "):
                log.add(line[2:])
            elif line.startswith(b"@"):
                event = parse_event(line)
                if event.kind == "trial":
                    if current is not None:
                        yield _trial(current, None, log)
                    current, log = event, _Log()
                elif event.kind == "done" and current is not None:
                    if event.fields.get("id") == current.fields.get("id"):
                        yield _trial(current, event, log)
                        current, log = None, _Log()
                else:
                    self.events.append(event)
            elif line.strip() and not line.startswith(b"~") and len(self.noise) < _MAX_NOISE:
                self.noise.append(printable(line.decode("utf-8", "replace").rstrip()))
        if current is not None:
            yield _trial(current, None, log)


class _Log:
    """A log that is being unpacked as it comes, never beyond its limit."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(wbits=31)
        self._parts: list[bytes] = []
        self._size = 0
        self._damage: str | None = None

    def add(self, piece: bytes) -> None:
        if self._damage is not None:
            return
        try:
            room = MAX_LOG_BYTES - self._size
            part = self._unpack.decompress(base64.b64decode(piece), max(room, 1))
        except (binascii.Error, zlib.error) as error:
            self._damage = f"the log came damaged ({error})"
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size >= MAX_LOG_BYTES or self._unpack.unconsumed_tail:
            self._damage = f"the log is larger than {MAX_LOG_BYTES} bytes"

    def checked(self, done: Event | None) -> tuple[bytes | None, str | None]:
        """The log, or why it is not to be believed."""
        if done is None:
            return None, "the journal ends before the trial does"
        if self._damage is not None:
            return None, self._damage
        data = b"".join(self._parts)
        if hashlib.sha256(data).hexdigest() != done.fields.get("sha256"):
            return None, "the log is not the one that the board has hashed"
        return data, None


def _trial(start: Event, done: Event | None, log: _Log) -> JournalTrial:
    data, problem = log.checked(done)
    end = done.fields if done else {}
    return JournalTrial(
        id=int(_number(start.fields.get("id")) or 0),
        started_utc=start.fields.get("utc"),
        started_up_s=_number(start.fields.get("up")),
        ended_up_s=_number(end.get("up")),
        exit_status=None if (code := _number(end.get("exit"))) is None else int(code),
        stopped="stop" in end,
        limit_s=_number(start.fields.get("limit_s")),
        log=data,
        problem=problem,
        before=conditions_from(start.fields),
        after=conditions_from(end),
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # noqa: PLR2004 - also neither inf nor nan
