"""Carry out a plan from the command line: sweep, keep, show, and the exit code."""

from __future__ import annotations

import getpass
import os
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

    from jetbench.bench.errand import Errand
    from jetbench.bench.recorder import Recorder
    from jetbench.cli.watch import Watch
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import SweepResult


def say_notes(plan: Plan) -> None:
    """Tell what the user should know of the nets before they are measured."""
    for case in plan.cases:
        for note in case.prototxt.notes if case.prototxt else ():
            print(f"note: {printable(case.model)}: {printable(note)}", file=sys.stderr)


def new_recorder(plan: Plan, results: Path) -> Recorder:
    """What keeps a new sweep.

    Raises:
        UsageError: The results folder cannot be made; no board was touched.
    """
    from jetbench.bench.recorder import Recorder

    try:
        return Recorder.create(plan, results)
    except StoreError as error:
        raise UsageError(error.message, hint=error.hint) from error


def carry_out(
    plan: Plan,
    recorder: Recorder,
    errand: Errand | None = None,
    *,
    quiet: bool,
    verbose: bool = False,
) -> bool:
    """Measure or follow a plan on its boards, showing progress and keeping everything.

    Args:
        plan: What was asked for.
        recorder: What keeps it.
        errand: What is to be done with it; None: measure all of it.
        quiet: Show no progress.
        verbose: Show a line for each event, also on a terminal.

    Returns:
        Whether it was interrupted.

    Raises:
        StoreError: This machine's disk did not take what the boards have sent.
        KeyboardInterrupt: Ctrl-C, twice; once, where boards are only followed.
    """
    from jetbench.bench.errand import Door, Errand
    from jetbench.bench.sweep import run_sweep
    from jetbench.cli.secrets import Secrets
    from jetbench.remote.connection import Connector

    errand = errand or Errand()
    stop = threading.Event()
    full_disk: StoreError | None = None
    kept_there: list[str] = []
    with (
        watching(plan, quiet=quiet, verbose=verbose) as watch,
        _signals(plan, stop, watch, ends=errand.measure),
        # With nothing to close, it is only named here, between what it needs and its user.
        nullcontext(Secrets(aside=watch.paused, cancelled=stop.is_set)) as secrets,
        Connector(ssh_config=None, ask_passphrase=secrets.passphrase) as connector,
    ):
        door = Door(connector.connect, secrets.sudo_password, _holder(plan))
        for event in run_sweep(plan, door, stop, errand):
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
                kept_there.append(event.board)
            watch.take(event)
    if full_disk is not None:
        raise StoreError(full_disk.message, hint=_next_step(plan, kept_there))
    return stop.is_set()


def result_of(plan: Plan, recorder: Recorder, *, interrupted: bool) -> SweepResult:
    """Make the result of a sweep, and keep it.

    Raises:
        StoreError: This machine's disk has no room for it; the journals are here, whole.
    """
    try:
        return recorder.result(interrupted=interrupted)
    except StoreError as error:
        raise StoreError(error.message, hint=_next_step(plan, [])) from error


def _next_step(plan: Plan, kept_there: list[str]) -> str:
    """Where everything is that could not be stored, and how to get it."""
    where = "all journals are here"
    if kept_there:
        where = f"the journals are still on {', '.join(sorted(kept_there))}"
    return f"{where}: free some space, then `{resume_command(plan)}`"


def exit_code(result: SweepResult) -> int:
    """The contract's code for a result."""
    if result.interrupted:
        return exit_codes.INTERRUPTED
    if not result.measured:
        return exit_codes.NOTHING
    return exit_codes.OK if result.complete else exit_codes.FAILED


def resume_command(plan: Plan) -> str:
    """How a sweep is taken up again."""
    return f"jetbench run --resume {plan.sweep_id}"


def _holder(plan: Plan) -> str:
    """Who measures, for those who find a board busy."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    who = f"{user}@{socket.gethostname()}".replace('"', "_")
    return f'who="{who}" since={plan.created_utc} sweep={plan.sweep_id}'


@contextmanager
def _signals(plan: Plan, stop: threading.Event, watch: Watch, *, ends: bool) -> Iterator[None]:
    """The first Ctrl-C (or TERM, or HUP) ends the sweep cleanly, the second leaves at once.

    Where boards are only followed (`ends` is false), the first one leaves, and ends nothing.
    """

    def on_signal(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if stop.is_set() or not ends:
            watch.say(
                f"{name}: left at once; the boards go on alone, and put themselves back at their "
                f"end: jetbench attach {plan.sweep_id}"
            )
            raise KeyboardInterrupt
        stop.set()
        watch.say(
            f"{name}: ending the trials that run and putting the boards back; once more leaves"
            " at once (the boards then go on alone, and put themselves back at their end)"
        )

    wanted = [signal.SIGINT, signal.SIGTERM]
    if os.name == "posix":
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
