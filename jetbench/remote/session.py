"""What is said over one connection: the probe, the sweep's start, its journal, its end.

One channel runs ``/bin/sh`` for the whole conversation, whatever the login shell is (bash,
fish, csh). It reads scripts of a known length from standard input: nothing of ours is ever in
an argument list, and a script and its payload are one round trip. What comes back stands
behind a marker with a random number, so that nothing a login shell prints can be taken for an
answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from jetbench.domain.errors import BoardAnswerError, BusyError, LinkLostError, NotReadyError
from jetbench.formats.journal import EventReader
from jetbench.formats.on_board import parse_described, parse_status
from jetbench.formats.probe import MAX_FILE_BYTES, parse_probe
from jetbench.formats.words import pairs, printable, unwrapped, whole
from jetbench.remote import installed
from jetbench.remote.exchange import MAX_NOISE_BYTES, Exchange, script_text
from jetbench.remote.parcel import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.part import BoardStatus
    from jetbench.formats.on_board import Described
    from jetbench.remote.exchange import Channel
    from jetbench.remote.parcel import Parcel

PROBE_TIMEOUT_S = 60.0
START_TIMEOUT_S = 60.0
RESTORE_TIMEOUT_S = 180.0
"""NVIDIA's tools may want the board to have been up for 90 s."""
_RESTORE_ENDS = {"recovered", "not-restored", "nothing", "failed"}
_MAX_PROBE_BYTES = 64 * 2**20
_MAX_STATUS_BYTES = 4 * 2**20
_SHELL = "exec /bin/sh -c 'while read -r n; do ( eval \"$(head -c $n)\" ); done'"
"""Runs one script after the other. Single quotes mean the same to every login shell."""


class Cable(Protocol):
    """What opens channels: `jetbench.remote.link.Link`, or a stand-in."""

    def open_exec(self, command: str, *, timeout_s: float) -> Channel:
        """Start a command through the login shell."""


class Session:
    """The protocol of jetbench over one link. Not for use by several threads at once."""

    def __init__(self, link: Cable) -> None:
        self._link = link
        self._shell: Channel | None = None

    def _ask(
        self, scripts: Sequence[str], variables: Mapping[str, str], timeout_s: float
    ) -> Exchange:
        """Send scripts; the answer is still to come."""
        if self._shell is None:
            self._shell = self._link.open_exec(_SHELL, timeout_s=timeout_s)
        return Exchange(self._shell, scripts, variables, timeout_s)

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
            "LOOK": script_text("look.sh").decode(),
            "GUARD_SUM": installed.checksum(),
        }
        asked_utc_s = time.time()
        exchange = self._ask(("common.sh", "probe.sh"), variables, timeout_s)
        exchange.expect("begin")
        answer = exchange.until("end", _MAX_PROBE_BYTES)
        midpoint = (asked_utc_s + time.time()) / 2
        return parse_probe(answer, files=paths, midpoint_utc_s=midpoint), answer

    def start(
        self,
        parcel: Parcel,
        *,
        password: str | None,
        wait_s: int = 0,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> Follower:
        """Send a part and start it; the answer is its journal from the beginning.

        A part that has been started before is only followed.

        Args:
            parcel: What to run.
            password: For sudo, where it wants one.
            wait_s: How long to wait in line for a board that is in use, seconds.
            waiting: Called every few seconds of that, with who is there; may raise.

        Raises:
            BusyError: Somebody else holds the board's lock.
            NotReadyError: The board has no room, or no safe place, for the sweep.
        """
        tar = parcel.tar()
        variables = {
            "SWEEP": parcel.key,
            "BOARD": parcel.board,
            "HOLDER": parcel.holder,
            "SETTINGS": parcel.shell(),
            "PROBE": parcel.probe.decode("utf-8", "replace"),
            "TAR_BYTES": str(len(tar)),
            "WAIT_S": str(wait_s),
            "PASSWORD": "0" if password is None else "1",
            "OFFSET": "0",
        }
        exchange = self._ask(("common.sh", "start.sh", "follow.sh"), variables, START_TIMEOUT_S)
        exchange.send(_secret(password) + tar)
        word, detail = exchange.next_line()
        while word == "waiting":
            waiting(_holder_text(printable(unwrapped(detail).strip())))
            exchange.be_patient()
            word, detail = exchange.next_line()
        if word == "refused":
            raise _refusal(pairs(detail))
        return _follower(exchange, word, 0)

    def follow(self, key: str, offset: int) -> Follower | None:
        """The journal of a part from a byte offset on; None where there is no such part."""
        variables = {"SWEEP": key, "OFFSET": str(offset)}
        exchange = self._ask(("common.sh", "follow.sh"), variables, START_TIMEOUT_S)
        word, _ = exchange.next_line()
        return None if word == "none" else _follower(exchange, word, offset)

    def forget(self, key: str, size: int) -> None:
        """Have the board delete a part whose journal of that size is safe here, if it is there."""
        follower = self.follow(key, size)
        if follower is None:
            return
        for _ in follower.chunks(patience_s=START_TIMEOUT_S, wakeup_s=1.0, wakeup=lambda: None):
            break
        else:
            follower.forget()
            return
        message = "its journal goes on after its end"
        raise BoardAnswerError(message)

    def status(self) -> BoardStatus:
        """What runs on the board, and whose journals it keeps."""
        exchange = self._ask(("common.sh", "status.sh"), {}, PROBE_TIMEOUT_S)
        exchange.expect("begin")
        return parse_status(exchange.until("end", _MAX_STATUS_BYTES))

    def describe(self, key: str) -> Described | None:
        """What somebody needs who follows a part without having started it; None if not there."""
        exchange = self._ask(("common.sh", "describe.sh"), {"SWEEP": key}, PROBE_TIMEOUT_S)
        word, _ = exchange.next_line()
        if word == "none":
            return None
        return parse_described(exchange.until("end", _MAX_PROBE_BYTES))

    def restore(self, *, password: str | None) -> bytes:
        """Put back the power state that an earlier guard could not.

        Returns:
            What the guard said, as journal lines; whether it could do it is one of them.

        Raises:
            BusyError: A sweep runs there, and will do it itself.
            NotReadyError: The board has no room or no safe place for the script, or sudo
                does not let it run.
            LinkLostError: It was ended before it had an answer; worth trying again.
        """
        tar = archive(*((name, script_text(name)) for name in ("common.sh", "guard.sh")))
        variables = {
            "TAR_BYTES": str(len(tar)),
            "PASSWORD": "0" if password is None else "1",
            "GUARD_SUM": installed.checksum(),
        }
        exchange = self._ask(("common.sh", "restore.sh"), variables, RESTORE_TIMEOUT_S)
        exchange.send(_secret(password) + tar)
        word, detail = exchange.next_line()
        if word == "refused":
            raise _refusal(pairs(detail))
        said = exchange.until("end", MAX_NOISE_BYTES)
        _check_restored(said)
        return said

    def stop(self, sweep_id: str) -> bool:
        """Ask the runner to end its trial and the sweep. Its journal tells the rest.

        For a session of its own: the one that follows the journal is busy.

        Returns:
            Whether any part of it was running.
        """
        scripts = ("common.sh", "stop.sh")
        word, _ = self._ask(scripts, {"SWEEP": sweep_id}, START_TIMEOUT_S).next_line()
        return word == "stopping"

    def unlock(self, *, force: bool, password: str | None) -> bool:
        """Break the lock of a sweep whose runner is gone.

        Args:
            force: Whether to end a sweep that is alive, too.
            password: For sudo, where it wants one.

        Returns:
            Whether there was a lock to break.

        Raises:
            BusyError: The sweep is alive, or something else holds the lock.
        """
        variables = {
            "FORCE": "1" if force else "0",
            "PASSWORD": "0" if password is None else "1",
        }
        exchange = self._ask(("common.sh", "unlock.sh"), variables, RESTORE_TIMEOUT_S)
        exchange.send(_secret(password))
        word, detail = exchange.next_line()
        holder = printable(unwrapped(detail).strip())
        if word == "alive":
            sweep = pairs(holder).get("sweep", "SWEEP").partition("~")[0]
            hint = f"it is alive: end it with `jetbench stop {sweep}`, or break it with --force"
            raise BusyError(_holder_text(holder), hint=hint)
        if word == "held":
            message = f"the lock could not be broken: {holder}"
            raise BusyError(message, hint="end what holds it by hand, or reboot the board")
        return word == "broken"


class Follower:
    """A journal that is being sent."""

    def __init__(self, exchange: Exchange, offset: int) -> None:
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


def _check_restored(said: bytes) -> None:
    """Raise where the guard has not said what became of the power state."""
    if any(
        event.kind == "guard" and event.fields.get("state") in _RESTORE_ENDS
        for event in EventReader().feed(said)
    ):
        return
    noise = [line for line in said.decode("utf-8", "replace").splitlines() if line[:1] != "@"]
    if noise:
        message = f"the power state could not be put back: {printable(' '.join(noise), 300)}"
        raise NotReadyError(message, hint="mend sudo there, or `sudo:` in the inventory")
    message = "it was ended before it could put the power state back"
    raise LinkLostError(message)


def _secret(password: str | None) -> bytes:
    """The line before the tar."""
    # As it came: a variable, or the output of a command, need not be UTF-8.
    return b"" if password is None else password.encode("utf-8", "surrogateescape") + b"\n"


def _follower(exchange: Exchange, word: str, offset: int) -> Follower:
    if word != "journal":
        message = "its answer cannot be understood"
        raise BoardAnswerError(message)
    return Follower(exchange, offset)


def _refusal(fields: Mapping[str, str]) -> BusyError | NotReadyError:
    detail = printable(unwrapped(fields.get("detail", "")).strip())
    kind = fields.get("kind")
    if kind == "busy":
        hint = "wait in line with --wait-for-board SECONDS, or see `jetbench status`"
        return BusyError(_holder_text(detail), hint=hint)
    if kind == "space":
        message = f"the sweep does not fit on its disk ({detail})"
        return NotReadyError(message, hint="free some space in the home of its user")
    return NotReadyError(detail or "it refused to start the sweep")


def _holder_text(line: str) -> str:
    """Who has a board, in words."""
    holder = pairs(line)
    who = holder.get("who", "somebody")
    since = f" since {holder['since']}" if "since" in holder else ""
    sweep = f" (sweep {holder['sweep'].partition('~')[0]})" if "sweep" in holder else ""
    return f"busy: {who} measures there{since}{sweep}"
