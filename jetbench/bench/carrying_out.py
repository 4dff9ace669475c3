"""Carry out a plan on its boards: sweep, keep, and what came of it."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Protocol

from jetbench.bench.errand import Door
from jetbench.bench.recorder import Recorder
from jetbench.bench.sweep import run_sweep
from jetbench.domain.errors import StoreError, UsageError
from jetbench.domain.events import JournalComplete
from jetbench.formats.words import printable
from jetbench.remote.connection import Connector

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from jetbench.bench.errand import Errand
    from jetbench.bench.secrets import Secrets
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import SweepResult


class Watch(Protocol):
    """Who looks on while a sweep runs."""

    def take(self, event: SweepEvent) -> None:
        """Something happened."""

    def say(self, line: str) -> None:
        """Something is to be told that is no event."""


def new_recorder(plan: Plan, results: Path) -> Recorder:
    """What keeps a new sweep.

    Raises:
        UsageError: The results folder cannot be made; no board was touched.
    """
    try:
        return Recorder.create(plan, results)
    except StoreError as error:
        raise UsageError(error.message, hint=error.hint) from error


def carry_out(  # noqa: PLR0913 - all but the first three by name
    plan: Plan,
    recorder: Recorder,
    errand: Errand,
    *,
    secrets: Secrets,
    watch: Watch,
    stop: threading.Event,
) -> None:
    """Measure or follow a plan on its boards, and keep everything.

    Args:
        plan: What was asked for.
        recorder: What keeps it.
        errand: What is to be done with it.
        secrets: Where passwords and passphrases come from.
        watch: Who looks on.
        stop: Set, from anywhere: the trials that run are ended, and the boards put back.

    Raises:
        StoreError: This machine's disk did not take what the boards have sent.
    """
    full_disk: StoreError | None = None
    kept_there: list[str] = []
    with Connector(ssh_config=None, ask_passphrase=secrets.passphrase) as connector:
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
