"""Sweeps that were begun earlier: their plan, and what is here of each board's part in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jetbench.bench.at_once import on_each
from jetbench.bench.plan import kept_again
from jetbench.domain.errors import BoardAnswerError, ResultError
from jetbench.domain.part import KnownBoard, part_key, started_as
from jetbench.formats.journal import JournalReader, parse_event
from jetbench.formats.kept_plan import has_hash, parse_plan, plan_to_json
from jetbench.formats.probe import parse_probe
from jetbench.formats.words import printable, whole
from jetbench.store.prune import check_not_pruned
from jetbench.store.results import find_begun
from jetbench.store.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jetbench.domain.board import Board
    from jetbench.domain.errors import BoardError
    from jetbench.domain.plan import KeptPrototxt, Options, Plan, Prototxt
    from jetbench.formats.on_board import Described
    from jetbench.remote.connection import Link
    from jetbench.remote.session import Session

_LOOKS = 3


def open_begun(path: Path) -> tuple[SweepFolder, Plan]:
    """A sweep's folder, and the plan in it.

    Raises:
        ResultError: The plan, or a net of it, is missing or damaged; the message names the file.
    """
    folder = SweepFolder.open(path)

    def fill(number: int, kept: KeptPrototxt, options: Options) -> Prototxt:
        data = folder.model(number)
        if data is None or not has_hash(data, kept):
            place = path / "models" / f"{number}.prototxt"
            raise ResultError(
                f"{place}: missing, or not the net that was sent",
                hint="measure it once more, as a new sweep",
            )
        return kept_again(data, kept, options)

    return folder, parse_plan(folder.plan_text(), str(path / "plan.json"), fill)


def begun_here(word: str, results: Path) -> tuple[SweepFolder, Plan] | None:
    """A sweep among the folders, as `open_begun`; None where it is not among them.

    Raises:
        ResultError: What is kept of it is damaged, or was pruned.
    """
    path = find_begun(word, results)
    if path is None:
        return None
    check_not_pruned(path)
    return open_begun(path)


def known_of(folder: SweepFolder, plan: Plan) -> dict[str, KnownBoard]:
    """What is here of each board of a plan."""
    return {board.name: _known(folder, plan, board.name) for board in plan.boards}


def _known(folder: SweepFolder, plan: Plan, board: str) -> KnownBoard:
    reader = JournalReader()
    settled: set[int] = set()
    begun: set[int] = set()
    for trial in reader.trials(folder.journal_lines(board)):
        # 0 is the warm-up, which counts for nothing.
        if not trial.id:
            continue
        begun.add(trial.id)
        if trial.settled:
            settled.add(trial.id)
    skipped = {whole(event.fields.get("id")) for event in reader.events if event.kind == "skip"}
    models = {
        number: data
        for number, case in enumerate(plan.cases)
        if case.board_path is not None and (data := folder.model(number, board)) is not None
    }
    sizes = folder.journal_sizes(board)
    starts = {part: parse_event(folder.journal_start(board, part)) for part in sizes}
    return KnownBoard(
        probe=_probe(folder, board),
        models=models,
        sizes=sizes,
        starts={part: started_as(event.fields) for part, event in starts.items()},
        settled=frozenset(settled | {number for number in skipped if number is not None}),
        begun=frozenset(begun),
    )


def _probe(folder: SweepFolder, board: str) -> bytes | None:
    """The board's answer, where it is whole: after a loss of power it may be empty."""
    answer = folder.probe(board)
    try:
        if answer is not None:
            parse_probe(answer)
    except BoardAnswerError:
        return None
    return answer


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking for a sweep on a board."""

    board: Board
    described: Described | None
    error: BoardError | None


def find_on_boards(
    sweep_id: str, boards: Sequence[Board], connect: Callable[[Board], Link]
) -> tuple[Found, ...]:
    """Look on every board for a sweep that another host has started, in the order given."""

    def look(board: Board, session: Session) -> Found:
        # A part may be deleted as soon as it was seen; and the next one may be there then.
        for _ in range(_LOOKS):
            parts = [part for part in session.status().parts if part.sweep_id == sweep_id]
            if not parts:
                return Found(board, None, None)
            described = session.describe(part_key(sweep_id, parts[0].part))
            if described is not None:
                return Found(board, described, None)
        raise BoardAnswerError("what it keeps of the sweep is damaged")

    return on_each(boards, connect, look, lambda board, error: Found(board, None, error))


def adopt(results: Path, sweep_id: str, found: Sequence[Found]) -> tuple[SweepFolder, Plan]:
    """Make a folder here for a sweep that was found on boards, each under its name there.

    Raises:
        ResultError: What a board keeps of it is no plan.
        StoreError: The folder cannot be made.
    """
    by_name = {
        one.described.board or one.board.name: (one.board, one.described)
        for one in found
        if one.described is not None
    }
    there = list(by_name.values())
    first = there[0][1]

    def fill(number: int, kept: KeptPrototxt, options: Options) -> Prototxt:
        for _, described in there:
            for data in described.models.values():
                if has_hash(data, kept):
                    return kept_again(data, kept, options)
        raise ResultError(f"{there[0][0].name}: it has not the net of case {number}")

    plan = parse_plan(first.plan, f"{there[0][0].name}: plan.json", fill)
    if plan.sweep_id != sweep_id:
        raise ResultError(f"{there[0][0].name}: it keeps the plan of another sweep")
    plan = replace(
        plan,
        boards=tuple(replace(board, name=name) for name, (board, _) in by_name.items()),
    )
    folder = SweepFolder.prepare(results, sweep_id, json.dumps(plan_to_json(plan)))
    folder.keep_attached(json.dumps({"who": first.who, "since_utc": first.since_utc}))
    for number, case in enumerate(plan.cases):
        if case.prototxt is not None:
            folder.keep_model(number, case.prototxt.data())
    for name, (_, described) in by_name.items():
        _keep_described(folder, plan, name, described)
    folder.settle(sweep_id)
    return folder, plan


def _keep_described(folder: SweepFolder, plan: Plan, board: str, described: Described) -> None:
    folder.keep_probe(board, described.probe)
    for number, case in enumerate(plan.cases):
        if case.board_path is not None and number in described.models:
            folder.keep_model(number, described.models[number], board=board)


def not_found(sweep_id: str, found: Sequence[Found]) -> ResultError:
    """Why a sweep cannot be taken up: no board that was reached keeps anything of it."""
    out = [f"{one.board.name} ({printable(one.error.message)})" for one in found if one.error]
    where = "; not reached: " + ", ".join(out) if out else ""
    return ResultError(
        f"{printable(sweep_id)}: no such sweep here, and no board keeps anything of it{where}",
        hint="see what runs with `jetbench status`",
    )
