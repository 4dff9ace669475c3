"""One board's part in a sweep: what is asked of it, and what is made of its answers."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest

from jetbench.bench.errand import Door, Errand
from jetbench.bench.visit import Visit
from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.part import BoardStatus, KnownBoard, PartOnBoard
from jetbench.remote.session import Session
from tests import make

if TYPE_CHECKING:
    from collections.abc import Callable


class JustDeleted:
    """A link to a board on which a part is deleted as soon as it was seen."""

    def __init__(self, seen: PartOnBoard) -> None:
        self.status = BoardStatus(held_by=None, left_behind=False, parts=(seen,))

    def persist(self, what: Callable[[Session], object]) -> BoardStatus | None:
        return self.status if what is Session.status else None


def visit_where_another_host_was_faster() -> Visit:
    """It only follows: what runs, and what is kept there."""
    plan = make.plan()
    seen = PartOnBoard(
        sweep_id=plan.sweep_id, part=1, board=plan.boards[0].name, who=None, since_utc=None,
        running=False, size_bytes=100, total=len(plan.trials), done=1, failed=0,
    )  # fmt: skip
    door = Door(lambda _: pytest.fail("connects"), lambda _: "", "who=test")
    visit = Visit(
        plan, plan.boards[0], door, threading.Event(), queue.Queue(), Errand(measure=False)
    )
    visit.contact = JustDeleted(seen)  # type: ignore[assignment]
    return visit


def test_what_another_host_has_deleted_is_no_loss_where_all_of_it_is_here() -> None:
    """Both follow the sweep; the one that has started it has the journals deleted."""
    visit = visit_where_another_host_was_faster()
    visit.settled = {trial.id for trial in visit.plan.trials}
    visit._catch_up(KnownBoard())


def test_what_another_host_has_deleted_is_told_where_it_is_not_here() -> None:
    """The message names the next step."""
    visit = visit_where_another_host_was_faster()
    with pytest.raises(BoardAnswerError, match="keeps nothing of this sweep") as raised:
        visit._catch_up(KnownBoard())
    assert f"jetbench run --resume {visit.plan.sweep_id}" in (raised.value.hint or "")
