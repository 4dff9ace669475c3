"""``jetbench notify``: how a night went, for people, CI servers, Prometheus and chats."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import RESULTS, DatabaseOption, ResultsOption
from jetbench.domain.errors import LinkLostError, UsageError

if TYPE_CHECKING:
    from jetbench.domain.gate import Gate
    from jetbench.domain.kept import KeptSweep


class ChatService(str, Enum):
    """Whose form a message has."""

    JSON = "json"
    SLACK = "slack"
    MATTERMOST = "mattermost"
    TEAMS = "teams"
    DISCORD = "discord"


class When(str, Enum):
    """On which nights a message is sent."""

    REGRESSION = "regression"
    PROBLEM = "problem"
    ALWAYS = "always"


def notify(
    sweep: Annotated[
        str | None,
        typer.Argument(
            metavar="[SWEEP]",
            autocompletion=complete.sweeps,
            help="An id, latest, a file of `run --format json`.",
        ),
    ] = None,
    error: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Instead of a sweep: why there is none.")
    ] = None,
    exit_code: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=255, help="Of the night, to be told.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML, for a CI server.")
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write metrics, for node_exporter.")
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            metavar="env:VAR|file:PATH", help="Send a message; where its URL, a secret, is kept."
        ),
    ] = None,
    chat: Annotated[
        ChatService, typer.Option(help="Whose form the message has.")
    ] = ChatService.JSON,
    when: Annotated[
        When, typer.Option(help="Send it on a regression, on any problem, or always.")
    ] = When.PROBLEM,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
) -> None:
    """Say in a line how a night went, and tell CI servers, Prometheus and chats.

    The line is on standard output: the gate's verdict, what is slower where, how many cases are
    ok, suspect, failed, lost. Files are written whole; a message that cannot be sent is an error,
    and changes nothing else. A problem is everything but a green gate and exit code 0.

    \b
    Examples:
      jetbench notify latest
      jetbench notify latest --junit jetbench.xml --prometheus /var/lib/node_exporter/jetbench.prom
      jetbench notify night.json --exit-code 4 --webhook env:SLACK_URL --chat slack
      jetbench notify --error "the plan cannot be read" --exit-code 2 --webhook file:/etc/hook

    \b
    Exit codes:
      0 told     1 a file or the message could not be written     2 no such sweep, wrong usage
    """
    from jetbench.cli.gate import read_gate
    from jetbench.formats.words import escaped
    from jetbench.report.junit import junit_xml
    from jetbench.report.message import payload, summary_line
    from jetbench.report.prometheus import prometheus_text
    from jetbench.store.opening import opened

    if (sweep is None) == (error is None):
        raise UsageError("name a sweep, or say with --error why there is none")
    url = None if webhook is None else _secret_url(webhook)
    kept = None if sweep is None else opened(sweep, results, db)
    gate = None if kept is None else read_gate(results / kept.id)
    line = f"jetbench: {error}" if kept is None else summary_line(kept, gate, exit_code)
    typer.echo(escaped(line))
    written = True
    if junit is not None and kept is not None:
        written &= _write(junit, junit_xml(kept, gate))
    if prometheus is not None:
        written &= _write(prometheus, prometheus_text(kept, gate, exit_code))
    if url is not None and _is_due(when, kept, gate, exit_code):
        from jetbench.cli.main import complain
        from jetbench.remote.webhook import post

        try:
            post(url, payload(chat.value, kept, gate, exit_code, error))
        except LinkLostError as problem:
            complain(problem)
            written = False
    if not written:
        raise typer.Exit(exit_codes.FAILED)


def _secret_url(place: str) -> str:
    """The URL from where it is kept.

    Raises:
        UsageError: It is not there, or none.
    """
    from jetbench.remote.webhook import check_url

    kind, _, name = place.partition(":")
    if kind == "env" and name:
        url = os.environ.get(name)
        if url is None:
            raise UsageError(f"--webhook: there is no variable {name}")
        return check_url(url)
    if kind == "file" and name:
        try:
            return check_url(Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"--webhook: {name} cannot be read: {reason}") from error
    # Not repeated: it may be the URL itself.
    raise UsageError(
        "--webhook names a variable or a file that holds the URL, not the URL: everybody on this "
        "machine could read it",
        hint="--webhook env:VARIABLE or --webhook file:PATH",
    )


def _is_due(when: When, kept: KeptSweep | None, gate: Gate | None, exit_code: int | None) -> bool:
    red = gate is not None and gate.verdict == "red"
    if when is When.REGRESSION:
        return red
    bad = kept is None or bool(exit_code) or (gate is not None and gate.verdict != "green")
    return when is When.ALWAYS or bad


def _write(file: Path, text: str) -> bool:
    """Whole, and for everybody to read: another program's user will."""
    from jetbench.cli.output import replace_file

    try:
        there = file.exists()
        replace_file(file, text.encode("utf-8", "replace"))
        if not there:
            file.chmod(0o644)
    except OSError as error:
        from jetbench.formats.words import escaped

        print(f"error: {escaped(str(file))} cannot be written: {error.strerror}", file=sys.stderr)
        return False
    return True
