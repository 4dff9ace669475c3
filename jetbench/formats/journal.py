"""The journal of a sweep on one board: bytes in, events and trials out.

Version 1 of the format. One line is one of:

``@KIND key=value …``
    An event. Kinds: ``start`` (version, sweep, boot), ``trial`` and ``done`` (see below),
    ``skip`` (id, and the reason why that trial is not run, such as ``precise``), ``rest``
    (mode, as it was asked for: the sensors are read with nothing running), ``cooling`` (a wait
    for a cooler GPU begins), ``guard`` (state or show), ``end`` (reason).
``| TEXT``
    The next piece of the log of the trial that is being written: gzip, then base64.
``~ UP TEXT``
    Telemetry: the uptime in seconds, and a line that `formats.telemetry` reads. It is of the
    trial, or of the rest, that was announced last.
anything else
    What sudo or a tool had to say; kept as noise.

Between ``@trial`` and its ``@done`` stand the whole log and the telemetry of the trial. A trial
without ``@done``, or whose log does not have the hash that its ``@done`` says, is not a finished
one.

==================  ============================================================================
of both             ``id``; ``up``, the uptime; ``clock``, the board's clock in seconds since
                    1970; sensors (`formats.tegra.conditions_from`);
                    ``busy_cs``, CPU time of everything since the board was booted, centiseconds;
                    ``cores``, those it is of; ``swap_pages``, pages swapped in and out since then
of ``trial``        ``utc``; ``limit_s``, its time limit; ``local``, the local time as glog
                    writes it (``"1126 00:30:12.123456"``), read together with ``up``;
                    ``warm_up=1``, where it does not count; after a wait for a cooler GPU
                    ``cool_limit_mc``, what was waited for, ``cool_waited_s``, how long, and
                    ``cool_reached``, 1 or 0
of ``done``         ``exit``, the status; ``stop``, where the sweep was stopped; ``sha256`` of
                    the log; ``own_cs``, CPU time of the trial
==================  ============================================================================

Fields may be added to a version; a field that is missing or mangled is not known: None.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jetbench.domain.evidence import Cooling, Usage
from jetbench.formats.glog import glog_time
from jetbench.formats.tegra import conditions_from
from jetbench.formats.telemetry import MAX_LINE_CHARS, parse_sample
from jetbench.formats.words import pairs, printable, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from jetbench.domain.facts import Conditions
    from jetbench.domain.telemetry import Sample

MAX_LINE_BYTES = 64 * 1024
MAX_LOG_BYTES = 64 * 2**20
"""A log that unpacks to more is cut there, and its trial is not believed."""
MAX_SAMPLES = 20_000
"""Of one trial. Of more, so many are kept at even distances."""
MAX_UNPACKED_BYTES = 4 * 2**30
"""Of all logs of a journal together; those after that are not unpacked. A journal of gzip bombs
would keep this machine busy for hours."""
_MAX_EVENT_BYTES = 2 * 2**20
"""Of all events that are kept, as they came. A sweep of a thousand trials in five power modes
has a tenth of it."""
_MAX_REST_SAMPLES = 1000
_MAX_NOISE = 50
_MAX_CORES = 1024
_MAX_MODES = 64
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TELEMETRY = "~ line"
"""The kind of an event that is a line of telemetry. A kind that a board writes has no blank."""
_SAMPLE = re.compile(rb"~ ([0-9]{1,9}(?:\.[0-9]{1,9})?) (.{1,%d})" % MAX_LINE_CHARS)


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
    clock_step_s: float | None = None
    """How much more the board's clock went on from start to end than its uptime."""
    started_local: str | None = None
    """The board's local time at `started_up_s`, as `glog_time` reads it."""
    warm_up: bool = False
    """It was run to warm the board up, and is none of the plan's."""
    samples: tuple[Sample, ...] = ()
    """Telemetry, in the order of the journal; up to `MAX_SAMPLES`."""
    usage: Usage | None = None
    cooling: Cooling | None = None

    @property
    def wall_s(self) -> float | None:
        """Seconds from start to end, by the board's uptime; None where that runs backwards."""
        if self.started_up_s is None or self.ended_up_s is None:
            return None
        if self.ended_up_s < self.started_up_s:
            return None
        return round(self.ended_up_s - self.started_up_s, 2)

    @property
    def settled(self) -> bool:
        """Whether it need not be run again: it was neither cut off nor lost on the way."""
        return self.log is not None and not self.stopped


@dataclass(slots=True)
class EventReader:
    """Finds the events in a journal that comes in pieces. Memory is bounded by a line."""

    telemetry: bool = False
    """Whether telemetry becomes events, too; see `sample_of`."""
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
            elif self.telemetry and (found := _SAMPLE.match(line)):
                said = {"up": _text(found[1]), "text": _text(found[2])}
                events.append(Event(_TELEMETRY, said))
        if len(self._rest) > MAX_LINE_BYTES:
            self._rest, self._skipping = b"", True
        return events


def parse_event(line: bytes) -> Event:
    """One ``@`` line."""
    kind, _, rest = line[1:MAX_LINE_BYTES].decode("utf-8", "replace").partition(" ")
    return Event(kind, pairs(rest))


def sample_of(event: Event) -> Sample | None:
    """What an event says, if it is telemetry that says anything."""
    if event.kind != _TELEMETRY:
        return None
    return parse_sample(event.fields["text"], float(event.fields["up"]))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a journal, none longer than `MAX_LINE_BYTES`: the rest of one is left out."""
    begins = True
    while line := file.readline(MAX_LINE_BYTES):
        if begins:
            yield line
        begins = line.endswith(b"\n")


@dataclass(slots=True)
class JournalReader:
    """Reads a whole journal, or those of several parts, one trial in memory at a time."""

    events: list[Event] = field(default_factory=list)
    """All events but those of trials, in order, as long as there is room."""
    noise: list[str] = field(default_factory=list)
    """The first lines that are none of ours, safe to print."""
    rests: dict[str, list[Sample]] = field(default_factory=dict)
    """Telemetry of the board at rest, by power mode; a bounded number each."""
    overflow: str | None = None
    """What of the journal was not read, where it says more than any sweep can."""
    _event_room: int = 0
    _log_room: int = 0

    def trials(self, lines: Iterable[bytes]) -> Iterator[JournalTrial]:
        """Each trial of the journal, in order; `events`, `noise`, `rests` fill up on the way.

        Args:
            lines: The journal's lines, with or without their line ends.
        """
        current: Event | None = None
        log, samples = _Log(), _Samples([])
        self._log_room, self._event_room = MAX_UNPACKED_BYTES, _MAX_EVENT_BYTES
        for line in lines:
            if line.startswith(b"| "):
                log.add(line[2:])
            elif line.startswith(b"@"):
                event = parse_event(line)
                if current is not None and _ends(current, event):
                    yield _trial(current, event if event.kind == "done" else None, log, samples)
                    current, log, samples = None, self._next(log), _Samples([])
                if event.kind == "trial":
                    current, log, samples = event, self._next(log), _Samples([])
                elif event.kind != "done":
                    samples = self._note(event, len(line)) or samples
            elif line.startswith(b"~"):
                samples.add(line)
            else:
                self._hear(line)
        if current is not None:
            yield _trial(current, None, log, samples)

    def _next(self, log: _Log) -> _Log:
        """The log after this one."""
        self._log_room -= log.size
        return _Log(self._log_room)

    def _note(self, event: Event, size: int) -> _Samples | None:
        """Keep an event; where a rest begins, also what its telemetry goes to."""
        self._event_room -= size
        if self._event_room < 0:
            self.overflow = f"its journal has more than {_MAX_EVENT_BYTES} bytes of events"
            return None
        self.events.append(event)
        if event.kind != "rest":
            return None
        mode = event.fields.get("mode", "")
        # That of the last part counts: between two rests of a mode, the board was at work.
        kept: list[Sample] = []
        if mode in self.rests or len(self.rests) < _MAX_MODES:
            self.rests[mode] = kept
        return _Samples(kept, _MAX_REST_SAMPLES)

    def _hear(self, line: bytes) -> None:
        """Keep a line that is none of ours."""
        if line.strip() and len(self.noise) < _MAX_NOISE:
            self.noise.append(printable(line.decode("utf-8", "replace").rstrip()))


def _ends(trial: Event, event: Event) -> bool:
    """Whether a trial is over with an event: its own end, the next trial, or the next part."""
    if event.kind == "done":
        return event.fields.get("id") == trial.fields.get("id")
    return event.kind in {"trial", "start"}


class _Samples:
    """Keeps samples; when there are too many, every second, then every fourth, and so on."""

    def __init__(self, kept: list[Sample], most: int | None = None) -> None:
        self.kept = kept
        self._most = MAX_SAMPLES if most is None else min(most, MAX_SAMPLES)
        self._every = 1
        self._lines = 0

    def add(self, line: bytes) -> None:
        self._lines += 1
        if self._lines % self._every or (found := _SAMPLE.match(line)) is None:
            return
        sample = parse_sample(_text(found[2]), float(found[1]))
        if sample is None:
            return
        self.kept.append(sample)
        if len(self.kept) > self._most:
            del self.kept[::2]
            self._every *= 2


class _Log:
    """A log that is being unpacked as it comes, never beyond its limit."""

    def __init__(self, room: int = MAX_UNPACKED_BYTES) -> None:
        self._unpack = zlib.decompressobj(wbits=31)
        self._data = bytearray()
        self._damage = None if room > 0 else "the logs before it unpack to more than any sweep's"
        self.size = 0
        """What was unpacked of it, bytes."""

    def add(self, piece: bytes) -> None:
        if self._damage is not None:
            return
        if self._unpack.eof:
            self._drop("the log goes on after its end")
            return
        try:
            # One byte more than may be: a log that the board has cut there is whole still.
            room = MAX_LOG_BYTES - self.size + 1
            part = self._unpack.decompress(base64.b64decode(piece), room)
        except (binascii.Error, zlib.error) as error:
            self._drop(f"the log came damaged ({error})")
            return
        self._data += part
        self.size += len(part)
        if self.size > MAX_LOG_BYTES:
            self._drop(f"the log is larger than {MAX_LOG_BYTES} bytes")

    def _drop(self, damage: str) -> None:
        self._damage = damage
        self._data = bytearray()

    def checked(self, done: Event | None) -> tuple[bytes | None, str | None]:
        """The log, or why it is not to be believed."""
        if done is None:
            return None, "the journal ends before the trial does"
        if self._damage is not None:
            return None, self._damage
        data, self._data = bytes(self._data), bytearray()
        if hashlib.sha256(data).hexdigest() != done.fields.get("sha256"):
            return None, "the log is not the one that the board has hashed"
        return data, None


def _trial(start: Event, done: Event | None, log: _Log, samples: _Samples) -> JournalTrial:
    data, problem = log.checked(done)
    begin, end = start.fields, done.fields if done else {}
    local = begin.get("local")
    trial = JournalTrial(
        id=whole(begin.get("id")) or 0,
        started_utc=utc if _UTC.fullmatch(utc := begin.get("utc", "")) else None,
        started_up_s=_number(begin.get("up")),
        ended_up_s=_number(end.get("up")),
        exit_status=whole(end.get("exit")),
        stopped="stop" in end,
        limit_s=_number(begin.get("limit_s")),
        log=data,
        problem=problem,
        before=conditions_from(begin),
        after=conditions_from(end),
        started_local=local if local and glog_time(local) is not None else None,
        clock_step_s=_clock_step(begin, end),
        warm_up=begin.get("warm_up") == "1",
        samples=tuple(samples.kept),
    )
    return replace(trial, usage=_usage(trial.wall_s, begin, end), cooling=_cooling(trial, begin))


def _clock_step(begin: Mapping[str, str], end: Mapping[str, str]) -> float | None:
    went_on = []
    for key in ("clock", "up"):
        first, last = _number(begin.get(key)), _number(end.get(key))
        if first is None or last is None:
            return None
        went_on.append(last - first)
    return round(went_on[0] - went_on[1], 3)


def _usage(wall_s: float | None, begin: Mapping[str, str], end: Mapping[str, str]) -> Usage | None:
    cores = whole(end.get("cores"))
    if wall_s is None or cores is None or not 0 < cores <= _MAX_CORES:
        return None

    def grown(key: str) -> int | None:
        first, last = whole(begin.get(key)), whole(end.get(key))
        return None if first is None or last is None or last < first else last - first

    busy_cs, own_cs = grown("busy_cs"), whole(end.get("own_cs"))
    return Usage(
        wall_s=wall_s,
        cores=cores,
        busy_s=None if busy_cs is None else busy_cs / 100,
        own_s=None if own_cs is None or own_cs < 0 else own_cs / 100,
        swapped_pages=grown("swap_pages"),
    )


def _cooling(trial: JournalTrial, begin: Mapping[str, str]) -> Cooling | None:
    limit_mc, waited_s = whole(begin.get("cool_limit_mc")), _number(begin.get("cool_waited_s"))
    reached = {"1": True, "0": False}.get(begin.get("cool_reached", ""))
    if limit_mc is None or waited_s is None or waited_s < 0 or reached is None:
        return None
    return Cooling(limit_mc / 1000, waited_s, reached, trial.before.gpu_temp_c)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # noqa: PLR2004 - also neither inf nor nan
