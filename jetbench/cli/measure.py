"""Carry out a plan from the command line: progress, signals, and the exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jetbench.cli import exit_codes
from jetbench.cli.watch import watching
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    from jetbench.bench import carrying_out
    from jetbench.bench.errand import Errand
    from jetbench.cli.secrets import Secrets

    errand = errand or Errand()
    stop = threading.Event()
    with (
        watching(plan, quiet=quiet, verbose=verbose) as watch,
        _signals(plan, stop, watch, ends=errand.measure),
    ):
        secrets = Secrets(aside=watch.paused, cancelled=stop.is_set)
        carrying_out.carry_out(plan, recorder, errand, secrets=secrets, watch=watch, stop=stop)
    return stop.is_set()


def exit_code(result: SweepResult) -> int:
    """The contract's code for a result."""
    if result.interrupted:
        return exit_codes.INTERRUPTED
    if not result.measured:
        return exit_codes.NOTHING
    return exit_codes.OK if result.complete else exit_codes.FAILED


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
