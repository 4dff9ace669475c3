"""Carry out a plan from the command line: sweep, keep, show, and the exit code."""

from __future__ import annotations

import getpass
import signal
import socket
import sys
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from jetbench.cli import exit_codes
from jetbench.cli.watch import watching
from jetbench.domain.errors import StoreError, UsageError
from jetbench.domain.events import JournalComplete
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from jetbench.cli.watch import Watch
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import SweepResult


def say_notes(plan: Plan) -> None:
    """Tell what the user should know of the nets before they are measured."""
    for case in plan.cases:
        for note in case.prototxt.notes if case.prototxt else ():
            print(f"note: {printable(case.model)}: {printable(note)}", file=sys.stderr)


def carry_out(plan: Plan, results: Path, *, quiet: bool, verbose: bool = False) -> SweepResult:
    """Measure a plan on its boards, showing progress and keeping everything.

    Raises:
        UsageError: The results folder cannot be made; no board was touched.
        StoreError: This machine's disk did not take what the boards have sent.
        KeyboardInterrupt: Ctrl-C, twice.
    """
    from jetbench.bench.recorder import Recorder
    from jetbench.bench.sweep import Door, run_sweep
    from jetbench.cli.secrets import Secrets
    from jetbench.remote.connection import Connector

    try:
        recorder = Recorder(plan, results)
    except StoreError as error:
        raise UsageError(error.message, hint=error.hint) from error
    stop = threading.Event()
    full_disk: StoreError | None = None
    with (
        watching(plan, quiet=quiet, verbose=verbose) as watch,
        _stopping(stop, watch),
        # With nothing to close, it is only named here, between what it needs and its user.
        nullcontext(Secrets(aside=watch.paused, cancelled=stop.is_set)) as secrets,
        Connector(ssh_config=None, ask_passphrase=secrets.passphrase) as connector,
    ):
        door = Door(connector.connect, secrets.sudo_password, _holder(plan))
        for event in run_sweep(plan, door, stop):
            try:
                if full_disk is None:
                    recorder.take(event)
            except StoreError as error:
                # What cannot be kept is not worth measuring: end the boards' work, leave
                # their journals with them, and report what is here.
                full_disk = error
                watch.say(f"error: {printable(error.message)}")
                stop.set()
            if full_disk is not None and isinstance(event, JournalComplete):
                event.receipt.decline()
            watch.take(event)
    if full_disk is not None:
        raise full_disk
    return recorder.result(interrupted=stop.is_set())


def exit_code(result: SweepResult) -> int:
    """The contract's code for a result."""
    if result.interrupted:
        return exit_codes.INTERRUPTED
    if not result.measured:
        return exit_codes.NOTHING
    return exit_codes.OK if result.complete else exit_codes.FAILED


def _holder(plan: Plan) -> str:
    """Who measures, for those who find a board busy."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    who = f"{user}@{socket.gethostname()}".replace('"', "_")
    return f'who="{who}" since={plan.created_utc} sweep={plan.sweep_id}'


@contextmanager
def _stopping(stop: threading.Event, watch: Watch) -> Iterator[None]:
    """The first Ctrl-C (or TERM, or HUP) ends the sweep cleanly, the second at once."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        name = signal.Signals(number).name
        watch.say(
            f"{name}: ending the trials that run and putting the boards back; once more leaves"
            " at once (the boards then go on alone, and put themselves back at their end)"
        )

    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
