"""``jetbench report --svg`` and ``--png``: one picture of one sweep."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jetbench.analysis.chosen import WantedCase
    from jetbench.domain.kept import KeptSweep
    from jetbench.report.pictures import PictureFormat


def write_pictures(
    sweeps: Sequence[str],
    svg: Path | None,
    png: Path | None,
    boards: Sequence[str],
    models: Sequence[str],
    case: WantedCase,
    results: Path,
    db: str | None,
) -> None:
    """Draw the times of a sweep, or the layers of the one case that is meant.

    Raises:
        UsageError: Several sweeps or models are named, a file cannot be written, or matplotlib
            is not installed.
        ResultError: There is no such sweep, or nothing of it was measured.
        ChoiceError: Not exactly one case is meant.
    """
    from jetbench.cli.output import check_output, replace_file
    from jetbench.store.opening import opened

    files: list[tuple[PictureFormat, Path | None]] = [("svg", svg), ("png", png)]
    if len(sweeps) > 1:
        raise UsageError(
            f"a picture is of one sweep, and {len(sweeps)} are named",
            hint="name one, such as latest",
        )
    for _, file in files:
        check_output(file)
    sweep = opened(sweeps[0] if sweeps else "latest", results, db)
    draw = _of_layers(sweep, boards, models, case, results) if models else _of_times(sweep, boards)
    for form, file in files:
        if file is None:
            continue
        data = draw(form)
        try:
            replace_file(file, data)
        except OSError as error:
            message = f"{file} cannot be written: {error.strerror}"
            raise UsageError(message, hint="name another file") from error


def _of_times(sweep: KeptSweep, boards: Sequence[str]) -> Callable[[PictureFormat], bytes]:
    from jetbench.report.pictures import times_picture

    shown = tuple(one for one in sweep.records if not boards or one.board in boards)
    if not any(record.forward_ms for record in shown):
        raise ResultError(f"{sweep.source}: nothing of that was measured")
    return partial(times_picture, replace(sweep, records=shown))


def _of_layers(
    sweep: KeptSweep,
    boards: Sequence[str],
    models: Sequence[str],
    case: WantedCase,
    results: Path,
) -> Callable[[PictureFormat], bytes]:
    from jetbench.bench.gathering import profile_of
    from jetbench.cli.case import the_record
    from jetbench.report.pictures import profile_picture

    if len(models) > 1 or len(boards) > 1:
        raise UsageError(
            "the layers of one case are drawn, and several are named",
            hint="name one --model, one --board",
        )
    wanted = replace(case, model=models[0], board=boards[0] if boards else None)
    record = the_record(sweep.records, wanted, sweep.source)
    if not record.layers:
        raise ResultError(f"this case has no times of layers: it is {record.status}")
    folder = results / sweep.id
    profile = profile_of(record, sweep.id, folder if folder.is_dir() else None)
    return partial(profile_picture, profile)
