"""Series over the nights, word by word."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from jetbench.analysis.series import with_gaps
from jetbench.domain.facts import PowerMode
from jetbench.domain.history import Night, Series, ToldSeries, ToldStep
from jetbench.domain.trend import Step, Trend
from jetbench.report.history import (
    ASCII_BARS,
    history_csv,
    history_text,
    history_to_json,
    sparkline,
)
from tests import make
from tests.store.nights import record, sweep_id

if TYPE_CHECKING:
    from jetbench.domain.record import Record


def night(day: int, of: Record) -> Night:
    """One in January."""
    return Night(sweep_id(day), f"2026-01-{day:02d}T03:04:05Z", replace(of, trials=(), layers=()))


TIMES = (10.0, 10.1, 10.0, 12.0, 12.1, 12.0)
NIGHTS = tuple(night(day, record(ms)) for day, ms in enumerate(TIMES, start=1))
LOST = make.record(
    status="lost", forward_ms=None, backward_ms=None, forward_backward_ms=None, trials=(),
    power_mode=None, prototxt_sha256=None, clocks_locked=None,
)  # fmt: skip
STEP = Step(
    at=3, last_before=2, before_ms=10.03, after_ms=12.03, ratio=1.2, ratio_ci95=(1.18, 1.22)
)
TOLD = ToldSeries(
    Series("one", "alpha", NIGHTS),
    Trend("changed", 0.0063, (STEP,), 0.0005, 0.031, outliers=(1,), gaps=(5,)),
    (ToldStep(STEP, ("GPU clock 1300 → 829 MHz",), ("conv5",)),),
)
TEXT = """\
alpha on one, batch 1, TEST, MAXN, clocks locked, 50 iterations
  ▁▁▁▇█▇  10.00 to 12.10 ms
  6 nights, 2026-01-01 to 2026-01-06, noise 0.6 % from night to night: 1 step
    and a drift
  slower from 2026-01-04 on (20260104-030405-a1b2c3): 10.03 → 12.03 ms, +20.0 %
    (+18.0 to +22.0); changed: GPU clock 1300 → 829 MHz; carried by conv5
  drift: +1.5 % a month, +3.1 % in all
  alone: 2026-01-02 (10.10 ms)
  no number: 2026-01-06 (ok)
"""


def test_a_series_says_what_it_is_and_what_is_in_it() -> None:
    """In 80 columns; each step with its date, size, and what changed at that moment."""
    assert history_text([TOLD]) == TEXT


def test_colour_is_on_the_steps_only() -> None:
    """And changes no letter."""
    text = history_text([TOLD], colour=True)
    assert "  \x1b[31mslower\x1b[0m from 2026-01-04" in text
    assert text.replace("\x1b[31m", "").replace("\x1b[0m", "") == TEXT


def test_a_document_has_headings_and_lists() -> None:
    """Each fact in a line of its own."""
    text = history_text([TOLD], markdown=True)
    assert text.startswith("### alpha on one, batch 1")
    assert "\n`▁▁▁▇█▇  10.00 to 12.10 ms`\n" in text
    assert "\n- drift: +1.5 % a month" in text


def test_simulated_series_say_so() -> None:
    """In their heading, and below."""
    nights = tuple(replace(one, record=replace(one.record, simulated=True)) for one in NIGHTS)
    text = history_text([replace(TOLD, series=replace(TOLD.series, nights=nights))])
    assert text.splitlines()[0].endswith("simulated")
    assert "computed by virtual boards, not measured" in text


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("too few", "too few to tell steps"),
        ("too noisy", "too noisy to tell"),
        ("steady", "steady"),
    ],
)
def test_no_answer_is_never_silent(verdict: str, said: str) -> None:
    """Too few nights, too noisy ones, or none of all that."""
    trend = Trend(verdict, None)  # type: ignore[arg-type]
    assert said in history_text([ToldSeries(TOLD.series, trend, ())])


@pytest.mark.parametrize(
    ("times", "line"),
    [
        ([1.0, 2.0, 3.0], "▁▄█"),
        ([3.0, None, 1.0], "█ ▁"),
        ([10.0, 10.01, 10.0], "▄▄▄"),
        ([5.0], "▄"),
        ([None, None], "  "),
        ([], ""),
        ([0.0, 0.0], "▁▁"),
    ],
)
def test_a_sparkline_has_a_letter_a_night(times: list[float | None], line: str) -> None:
    """Gaps are seen; the noise of a quiet board does not fill it."""
    assert sparkline(times, 60) == line


def test_many_nights_share_a_letter() -> None:
    """Their median: one that stands alone does not hide the others."""
    times = [1.0] * 600 + [2.0] * 600
    times[300] = 50.0
    assert sparkline(times, 20) == "▁" * 10 + "█" * 10
    assert sparkline(times, 20, ASCII_BARS) == "_" * 10 + "@" * 10


@given(
    name=st.text(max_size=60),
    times=st.lists(st.one_of(st.none(), st.floats(1e-3, 1e6)), min_size=1, max_size=200),
)
def test_no_name_moves_a_cursor_and_no_series_is_too_wide(
    name: str, times: list[float | None]
) -> None:
    """Whatever boards, models and what changed are called."""
    of = [LOST if ms is None else record(ms, power_mode=PowerMode(0, name)) for ms in times]
    nights = tuple(night(1, one) for one in of)
    told = ToldSeries(
        Series(name, name, nights),
        Trend("changed", 0.01, (replace(STEP, at=0, last_before=0),)),
        (ToldStep(replace(STEP, at=0, last_before=0), (name,), (name,)),),
    )
    title, *rest = history_text([told], colour=True).splitlines()
    shown = "\n".join([title, *rest]).replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert max(map(len, shown.splitlines()[1:])) <= 80
    assert cell_len(title) > 0
    for row in csv.reader(io.StringIO(history_csv([told]))):
        assert not any(cell.startswith(("=", "+", "@")) for cell in row)


def test_for_scripts_nothing_is_rounded() -> None:
    """Each step with both sweeps; each night with its status."""
    document = history_to_json([TOLD])
    [series] = document["series"]
    [step] = series["steps"]
    assert (step["sweep"], step["last_before"]) == (sweep_id(4), sweep_id(3))
    assert (step["before_ms"], step["after_ms"], step["ratio"]) == (10.03, 12.03, 1.2)
    assert step["changed"] == ["GPU clock 1300 → 829 MHz"]
    assert [one["forward_ms"] for one in series["nights"]] == pytest.approx(TIMES)
    rows = list(csv.DictReader(io.StringIO(history_csv([TOLD]))))
    assert [row["what"] for row in rows] == ["step", "drift", "alone"]
    assert rows[0]["sweep"] == sweep_id(4)
    assert float(rows[1]["ratio"]) == 1.031


def test_a_lost_night_belongs_to_the_series_of_its_case() -> None:
    """It does not know its mode or its net, and is a gap in every series of that case."""
    other = replace(record(20.0), power_mode=PowerMode(1, "MAXQ"))
    series = [
        Series("one", "alpha", NIGHTS[:2]),
        Series("one", "alpha", (night(3, other),)),
        Series("one", "alpha", (night(4, LOST), night(1, replace(LOST, gpu=1)))),
        Series("two", "alpha", (night(2, replace(LOST, board="two")),)),
    ]
    whole = with_gaps(series)
    assert [
        (one.board, [each.started_utc[8:10] for each in one.nights]) for one in whole
    ] == [
        ("one", ["01", "01", "02", "04"]),
        ("one", ["01", "03", "04"]),
        ("two", ["02"]),
    ]  # fmt: skip
