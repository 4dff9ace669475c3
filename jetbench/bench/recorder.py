"""Takes a sweep's events: stores first, looks then, and makes the result at the end."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

import jetbench
from jetbench.analysis.fleet import outliers
from jetbench.bench.ingest import ingest_board
from jetbench.bench.outcome import BoardOutcome
from jetbench.domain.events import (
    JournalBytes,
    JournalComplete,
    Planned,
    PutBack,
    Reached,
)
from jetbench.domain.record import SweepResult
from jetbench.formats.kept_plan import plan_to_json
from jetbench.formats.result import result_to_json
from jetbench.store.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Plan, Trial


class Recorder:
    """Keeps what a sweep brings, on disk and as values."""

    def __init__(self, plan: Plan, folder: SweepFolder) -> None:
        self._plan = plan
        self._folder = folder
        self._outcomes = {board.name: BoardOutcome(board) for board in plan.boards}

    @classmethod
    def create(cls, plan: Plan, results: Path) -> Recorder:
        """For a new sweep: make its folder, with the plan and its nets in it.

        Raises:
            StoreError: It cannot be made; nothing has been started then.
        """
        folder = SweepFolder.create(results, plan.sweep_id, json.dumps(plan_to_json(plan)))
        if plan.second_look_of is not None:
            folder.keep_second_look(plan.second_look_of)
        for number, case in enumerate(plan.cases):
            if case.prototxt is not None:
                folder.keep_model(number, case.prototxt.data())
        return cls(plan, folder)

    @property
    def path(self) -> Path:
        """The sweep's folder."""
        return self._folder.path

    @property
    def at_work(self) -> bool:
        """Whether any board measures on by itself."""
        return any(outcome.at_work for outcome in self._outcomes.values())

    @property
    def healthy(self) -> bool:
        """Whether no board has failed so far."""
        return all(outcome.error is None for outcome in self._outcomes.values())

    def take(self, event: SweepEvent) -> None:
        """Store what an event brings.

        Raises:
            StoreError: This machine's disk does not take it. The boards keep their journals:
                a journal that could not be stored is never deleted there.
        """
        outcome = self._outcomes[event.board]
        match event:
            case Reached():
                self._folder.keep_probe(event.board, event.probe)
            case Planned():
                for number, case in event.cases:
                    if case.board_path is not None and case.prototxt is not None:
                        data = case.prototxt.data()
                        self._folder.keep_model(number, data, board=event.board)
            case JournalBytes():
                self._folder.append_journal(event.board, event.offset, event.data, event.part)
            case JournalComplete():
                self._folder.sync_journal(event.board, event.part)
                event.receipt.confirm()
            case PutBack():
                part = event.part if event.of_this_sweep else 0
                self._folder.keep_restore(event.board, event.said, part)
            case _:
                pass
        outcome.learn(event)

    def result(self, *, interrupted: bool = False) -> SweepResult:
        """Make the result from the journals, store it, and return it."""
        boards = []
        by_board = []
        for outcome in self._outcomes.values():
            name = outcome.board.name
            lines = self._folder.journal_lines(name)
            board, found = ingest_board(self._plan, outcome, lines, partial(self._keep_log, name))
            boards.append(board)
            by_board.append(found)
        # Case by case: what is to be compared stands together.
        records = tuple(record for case in zip(*by_board, strict=True) for record in case)
        result = SweepResult(
            plan=self._plan,
            started_utc=self._plan.created_utc,
            finished_utc=_now(),
            jetbench=jetbench.__version__,
            boards=tuple(boards),
            records=records,
            fleet=outliers(records),
            interrupted=interrupted,
        )
        self._folder.keep_result(json.dumps(result_to_json(result)))
        self._folder.close()
        return result

    def _keep_log(self, board: str, trial: Trial, log: bytes) -> None:
        self._folder.keep_log(board, trial.id, self._plan.cases[trial.case].model, log)


def _now() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
