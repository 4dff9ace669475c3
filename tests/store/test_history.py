"""The history, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jetbench.domain.errors import ResultError
from jetbench.domain.facts import PowerMode
from jetbench.domain.history import Wanted
from jetbench.domain.record import LayerTime
from jetbench.formats.result_read import parse_result
from jetbench.store.database.history import open_history
from tests import make
from tests.store.nights import document, record, sweep_id

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.store.database.history import History

ALL = Wanted()


@pytest.fixture
def filled(history: History) -> History:
    """Three nights: a board that was lost on the second, another model on the third."""
    history.add(
        document(1, [record(7.0), record(9.0, board="two")]),
        "first",
        tags={"one": ["lab", "old"], "two": ["field"]},
    )
    lost = make.record(
        board="two", status="lost", forward_ms=None, backward_ms=None, forward_backward_ms=None,
        trials=(), reasons=("the link broke",), power_mode=None,
    )  # fmt: skip
    history.add(document(2, [record(7.1), lost]), "second", tags={"one": ["lab"]})
    history.add(
        document(
            3,
            [record(7.2), record(20.0, model="beta", simulated=True, prototxt_sha256="cd" * 32)],
            interrupted=True,
        ),
        "third",
        names=("good",),
    )
    return history


def test_a_sweep_goes_in_once_however_often_it_is_sent(history: History) -> None:
    """It is told whether anything was new; how the document is written does not matter."""
    text = document(1)
    assert history.add(text, "first")
    assert not history.add(text, "again")
    assert not history.add(json.dumps(json.loads(text), indent=3, sort_keys=True), "by another")
    assert history.ids() == [sweep_id(1)]
    assert len(list(history.records(ALL))) == 1


def test_a_sweep_that_was_taken_up_again_takes_its_own_place(history: History) -> None:
    """All of what it said before is gone, and nothing of the others."""
    history.add(document(1), "one")
    history.add(document(2, [record(7.0)], interrupted=True), "two")
    assert history.add(document(2, [record(7.5), record(8.0, model="beta")]), "two again")
    assert history.ids() == [sweep_id(1), sweep_id(2)]
    models = [(sweep, each.model) for sweep, each in history.records(ALL)]
    assert models == [(sweep_id(1), "alpha"), (sweep_id(2), "alpha"), (sweep_id(2), "beta")]


def test_a_strangers_sweep_with_a_known_id_is_refused(history: History) -> None:
    """Where the caller says so: what is there stays."""
    history.add(document(1, [record(7.0)]), "ours")
    with pytest.raises(ResultError, match=rf"theirs: another sweep with its id, {sweep_id(1)}"):
        history.add(document(1, [record(3.0)]), "theirs", replace=False)
    assert not history.add(document(1, [record(7.0)]), "ours", replace=False)
    [(_, kept)] = history.records(ALL)
    assert kept.forward_ms is not None
    assert kept.forward_ms.median == 7.0


def test_what_comes_out_is_what_went_in(history: History) -> None:
    """Every word of the document, every field of every record, layers and trials as well."""
    layers = (
        LayerTime("conv1", "Convolution", 1.5, 3.25),
        LayerTime("\ud800 odd", None, None, 1.0),
    )
    text = document(
        1, [record(7.0, layers=layers, reasons=("a \x00 in it",)), record(8.0, model="β")]
    )
    history.add(text, "first")
    said = history.document(sweep_id(1))
    assert said is not None
    assert json.loads(said) == json.loads(text)
    kept = history.sweep(sweep_id(1))
    assert kept is not None
    assert replace(kept, source="first") == parse_result(text, "first")
    assert [each for _, each in history.records(ALL)] == list(parse_result(text, "").records)


def test_sweeps_are_told_the_newest_first(filled: History) -> None:
    """With what was measured where, how it went, and the baselines that they are."""
    third, second, first = filled.sweeps(ALL)
    assert [third.id, second.id, first.id] == [sweep_id(3), sweep_id(2), sweep_id(1)]
    assert (third.boards, third.models, third.names) == (("one",), ("alpha", "beta"), ("good",))
    assert third.interrupted
    assert not second.interrupted
    assert second.counts == {"ok": 1, "lost": 1}
    assert first.started_utc == "2026-01-01T03:04:05Z"
    assert [line.id for line in filled.sweeps(ALL, limit=1)] == [sweep_id(3)]


@pytest.mark.parametrize(
    ("wanted", "days"),
    [
        (Wanted(boards=("two",)), [2, 1]),
        (Wanted(boards=("nobody's",)), []),
        (Wanted(boards=("a\0b", "\ud800")), []),
        (Wanted(tags=("lab",)), [2, 1]),
        (Wanted(tags=("field",)), [1]),
        (Wanted(tags=("field",), boards=("one",)), [3, 2, 1]),
        (Wanted(models=("beta",)), [3]),
        (Wanted(models=("beta", "alpha"), boards=("two",)), [2, 1]),
        (Wanted(statuses=("lost", "failed")), [2]),
        (Wanted(simulated=True), [3]),
        (Wanted(simulated=False), [3, 2, 1]),
        (Wanted(since_utc="2026-01-02"), [3, 2]),
        (Wanted(until_utc="2026-01-02"), [2, 1]),
        (Wanted(since_utc="2026-01-02", until_utc="2026-01-02T03"), [2]),
        (Wanted(since_utc="2026-01-02T03:04:06"), [3]),
        (Wanted(until_utc="2025"), []),
    ],
)
def test_sweeps_are_chosen_by_what_is_in_them(
    filled: History, wanted: Wanted, days: list[int]
) -> None:
    """Boards and tags as --board takes them: either will do; all else must fit."""
    assert [line.id for line in filled.sweeps(wanted)] == [sweep_id(day) for day in days]
    assert list(dict.fromkeys(sweep for sweep, _ in filled.records(wanted))) == [
        sweep_id(day) for day in reversed(days)
    ]


def test_a_sweep_counts_what_was_asked_for(filled: History) -> None:
    """Not what else is in it."""
    [line] = filled.sweeps(Wanted(models=("beta",)))
    assert (line.models, line.counts) == (("beta",), {"ok": 1})


def test_a_sweep_with_no_record_is_a_sweep(history: History) -> None:
    """Where nobody asks for one."""
    history.add(document(1, []), "empty")
    [line] = history.sweeps(ALL)
    assert (line.boards, line.counts) == ((), {})
    assert history.sweeps(Wanted(models=("alpha",))) == []


def test_a_series_is_one_case_over_the_nights(filled: History) -> None:
    """Whatever came first went in last; the records have no layers and no trials."""
    filled.add(document(31, [record(7.4)]), "later")
    filled.add(document(15, [record(7.3)]), "earlier")
    series = filled.series(Wanted(models=("alpha",), boards=("one",)))
    assert len(series) == 1
    told = [(night.sweep_id, night.record.forward_ms) for night in series[0].nights]
    assert [sweep for sweep, _ in told] == [sweep_id(day) for day in (1, 2, 3, 15, 31)]
    assert [times.median for _, times in told if times] == [7.0, 7.1, 7.2, 7.3, 7.4]
    assert series[0].nights[0].record == replace(record(7.0), trials=(), layers=())


def test_cases_that_are_not_comparable_are_series_of_their_own(history: History) -> None:
    """Another power mode, net, or batch is another case."""
    others = (
        record(),
        record(power_mode=PowerMode(1, "MAXQ")),
        record(prototxt_sha256="ef" * 32),
        record(batch=4),
        record(),
    )
    for day, each in enumerate(others, start=1):
        history.add(document(day, [each]), "")
    nights = sorted(len(series.nights) for series in history.series(ALL))
    assert nights == [1, 1, 1, 2]


def test_a_second_look_is_found_by_its_id_only(history: History) -> None:
    """It belongs to the sweep that it was to confirm."""
    history.add(document(1), "")
    history.add(document(2, second_look_of=sweep_id(1)), "")
    assert [line.id for line in history.sweeps(ALL)] == [sweep_id(1)]
    assert {sweep for sweep, _ in history.records(ALL)} == {sweep_id(1)}
    assert [len(series.nights) for series in history.series(ALL)] == [1]
    kept = history.sweep(sweep_id(2))
    assert kept is not None
    assert kept.second_look_of == sweep_id(1)


def test_a_name_is_that_of_one_sweep(history: History) -> None:
    """Of the last one that it was given to; it may be named before it is here."""
    history.set_name("good", sweep_id(1))
    history.add(document(1), "")
    history.add(document(2), "", names=("good", "new"))
    assert (history.named("good"), history.named("new")) == (sweep_id(2), sweep_id(2))
    history.set_name("good", sweep_id(1))
    assert [line.names for line in history.sweeps(ALL)] == [("new",), ("good",)]
    history.set_name("good", None)
    assert history.named("good") is None
    assert history.named("\0") is None


def test_a_sweep_can_be_taken_out(filled: History) -> None:
    """With all that belongs to it, and nothing else."""
    assert filled.remove(sweep_id(2))
    assert not filled.remove(sweep_id(2))
    assert not filled.remove("\0")
    assert filled.ids() == [sweep_id(1), sweep_id(3)]
    assert filled.document(sweep_id(2)) is None
    assert filled.sweep("\0") is None


def test_a_history_is_there_when_it_is_opened_again(url: str, tmp_path: Path) -> None:
    """Nothing but the database is needed."""
    with open_history(url, tmp_path, create=True) as history:
        history.add(document(1), "")
    with open_history(url, tmp_path) as history:
        assert history.ids() == [sweep_id(1)]


def test_several_programs_bring_sweeps_in_at_once(url: str, tmp_path: Path) -> None:
    """Into a database that none of them has made: each sweep is in once, and whole."""
    both = [document(day, [record(float(day)), record(9.0, board="two")]) for day in range(1, 9)]
    new: list[bool] = []
    failures: list[Exception] = []

    def bring_in() -> None:
        try:
            for text in both:
                with open_history(url, tmp_path, create=True) as history:
                    new.append(history.add(text, ""))
        except Exception as error:  # noqa: BLE001 - it is told below
            failures.append(error)

    threads = [threading.Thread(target=bring_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (new.count(True), new.count(False)) == (8, 24)
    with open_history(url, tmp_path) as history:
        assert len(list(history.records(ALL))) == 16
        assert [len(series.nights) for series in history.series(ALL)] == [8, 8]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.text(max_size=20), min_size=3, max_size=3),
    batch=st.integers(-(2**70), 2**70),
)
def test_whatever_a_document_holds_it_goes_in_whole_or_is_refused(
    history: History, words: list[str], batch: int
) -> None:
    """With a ResultError: no error of the database's driver is seen."""
    board, model, sha = words
    text = document(1, [record(7.0, board=board, model=model, prototxt_sha256=sha, batch=batch)])
    with suppress(ResultError):
        history.add(text, "odd")
        said = history.document(sweep_id(1))
        assert said is not None
        assert json.loads(said) == json.loads(text)
