"""``jetbench virtual``: boards without hardware."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.virtual.faults import fault_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.virtual.fleet import VirtualFleet
    from jetbench.virtual.options import BoardOptions

MAX_BOARDS = 256


class ReleaseName(str, Enum):
    """The releases of L4T that a virtual board can have."""

    R27 = "r27"
    R28 = "r28"
    R32 = "r32"


_FAULT_HELP = (
    "Something that is wrong with every board, or with one: NAME[=NUMBER][@BOARD], such as "
    f"throttles-at=3@2. May be given again. There are {', '.join(fault_names())} (each number "
    "is the one that is taken where none is given)."
)


def up(
    boards: Annotated[
        int, typer.Option("--boards", min=1, max=MAX_BOARDS, help="How many boards.")
    ] = 3,
    inventory: Annotated[
        Path, typer.Option("-i", "--inventory", help="Where to write the inventory.")
    ] = Path("virtual-inventory.yaml"),
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Keep keys, ports and the boards' state here, for the next time."
        ),
    ] = None,
    release: Annotated[
        ReleaseName | None,
        typer.Option(help="What every board runs; without it, r28 and r32 in turn."),
    ] = None,
    fault: Annotated[list[str] | None, typer.Option(help=_FAULT_HELP)] = None,
    real_time: Annotated[
        bool,
        typer.Option(
            "--real-time",
            help="Take the time that a board takes: its sensors can be read meanwhile, which is "
            "how a clock that falls is seen.",
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite an inventory that is not of virtual boards."),
    ] = False,
) -> None:
    """Serve virtual boards until Ctrl-C, and write an inventory for them.

    Each board is an SSH server of 127.0.0.1 with a folder of its own and stand-ins for
    NVIDIA's tools. Its Caffe computes times instead of measuring them, and everything that
    comes from it is marked as simulated.

    \b
    Examples:
      jetbench virtual up
      jetbench virtual up --boards 64 --inventory shelf.yaml
      jetbench virtual up --release r27 --fault gpu-neighbour --fault clock-cap=1122@2
      jetbench virtual up --real-time --fault throttles-at=3@1
      jetbench run -i virtual-inventory.yaml bvlc_alexnet    (in another terminal)
    """
    import tempfile

    from jetbench.virtual.fleet import VirtualFleet, missing_tools

    _check_inventory(inventory, force=force)
    options = _options(boards, release, fault or [])
    if real_time:
        options = [replace(one, time_scale=1.0) for one in options]
    with (
        _interrupt() as interrupted,
        tempfile.TemporaryDirectory(prefix="jetbench-virtual-") as temporary,
    ):
        with VirtualFleet(boards, directory or Path(temporary), options) as fleet:
            _write_inventory(fleet, inventory)
            missing = missing_tools()
            if missing:
                typer.echo(
                    f"warning: this machine has no {', '.join(missing)}: the boards answer, but "
                    "cannot run a sweep",
                    err=True,
                )
            _announce(fleet, inventory)
            interrupted.wait()
        typer.echo("The boards are off.", err=True)


def _options(boards: int, release: ReleaseName | None, faults: list[str]) -> list[BoardOptions]:
    from jetbench.domain.errors import UsageError
    from jetbench.virtual.options import RELEASES, BoardOptions, Faults

    hint = "`jetbench virtual up --help` names the faults; boards are counted from 1"
    named: dict[int, list[str]] = {number: [] for number in range(1, boards + 1)}
    for fault in faults:
        name, at, board = fault.partition("@")
        if at and not (board.isdecimal() and int(board) in named):
            raise UsageError(f"--fault: {board!r} is none of {boards} boards", hint=hint)
        for number in (int(board),) if at else named:
            named[number].append(name)
    try:
        made = [
            BoardOptions(faults=Faults.named(names)).numbered(number)
            for number, names in named.items()
        ]
    except ValueError as error:
        raise UsageError(f"--fault: {error}", hint=hint) from error
    releases = [name for name in RELEASES if release is not None and name == release.value]
    return [replace(one, release=name) for one in made for name in releases] or made


def _check_inventory(file: Path, *, force: bool) -> None:
    from jetbench.domain.errors import UsageError
    from jetbench.virtual.fleet import INVENTORY_MARK

    try:
        if force or not file.exists():
            return
        ours = file.read_text(encoding="utf-8", errors="replace").startswith(INVENTORY_MARK)
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise UsageError(message, hint="name another file with --inventory") from error
    if not ours:
        message = f"{file} exists, and is not an inventory of virtual boards"
        raise UsageError(message, hint="name another file with --inventory, or pass --force")


def _write_inventory(fleet: VirtualFleet, file: Path) -> None:
    from jetbench.domain.errors import UsageError

    try:
        file.write_text(fleet.inventory_text(), encoding="utf-8")
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise UsageError(message, hint="name another file with --inventory") from error


def _announce(fleet: VirtualFleet, inventory: Path) -> None:
    import shlex

    name = shlex.quote(str(inventory))
    first = fleet.boards[0]
    key, known_hosts = shlex.quote(str(fleet.key)), shlex.quote(f"{fleet.known_hosts}")
    count = len(fleet.boards)
    typer.echo(f"{count} virtual board{'s' if count > 1 else ''} on 127.0.0.1, in {name}:")
    for board in fleet.boards:
        typer.echo(f"  {board.name}  port {board.port}  {board.options.release.upper()}")
    typer.echo("Now, in another terminal:")
    typer.echo(f"  jetbench boards check -i {name}")
    typer.echo(f"  jetbench run -i {name} bvlc_alexnet bvlc_googlenet vgg16 resnet50")
    typer.echo(
        f"  ssh -i {key} -o UserKnownHostsFile={known_hosts} -p {first.port} "
        "nvidia@127.0.0.1 nvpmodel -q"
    )
    typer.echo("Ctrl-C switches them off.")


@contextmanager
def _interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or TERM) sets, instead of ending the program."""
    import signal

    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
