"""What a person is shown."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.statistics import summarize
from jetbench.domain.facts import PowerMode
from jetbench.domain.record import RecordConditions
from jetbench.domain.timing import Failure
from jetbench.report.table import WIDTH, efficiency_text, result_csv, result_table, time_text
from tests import make

GOLDEN = """\
Model    Board    Inference time    Peak    Conditions
-------  -------  ----------------  ------  --------------------------
alpha    one      7.200 ms ± 1.1 %  28 %    MAXN, clocks locked, 48 °C
beta     one      failed            -       -
gamma    one      91.82 ms          -       MAXQ, clocks free, CPU
delta    two      lost              -       -

Median forward time of 1 to 3 processes of 50 iterations, ± stdev.
Peak: what a TX2's peaks allow (direct arithmetic), as a part of the median.

two: no answer from 10.0.0.2
  → is it on?
one, beta: failed: out of memory"""


def test_the_table_says_what_where_how_long_and_under_which_conditions() -> None:
    """Numbers, spreads, conditions, and below them each problem once."""
    failure = Failure("out_of_memory", "out of memory")
    result = make.result(
        make.record(),
        make.record(
            model="beta",
            status="failed",
            reasons=("out of memory",),
            forward_ms=None,
            trials=(make.trial(1, failure=failure),),
        ),
        make.record(
            model="gamma",
            forward_ms=summarize([91.82]),
            power_mode=PowerMode(1, "MAXQ"),
            clocks_locked=False,
            gpu=None,
            bound_ms=None,
            conditions=RecordConditions(),
        ),
        make.record(
            model="delta",
            board="two",
            status="lost",
            reasons=("no answer from 10.0.0.2",),
            forward_ms=None,
        ),
        boards=(
            make.board_result(),
            make.board_result(
                "two", facts=None, error="no answer from 10.0.0.2", hint="is it on?"
            ),
        ),
    )
    assert result_table(result) == GOLDEN


def test_one_process_has_no_spread_and_says_so_by_silence() -> None:
    """Neither a ± in the table nor one below it."""
    text = result_table(make.result(make.record(forward_ms=summarize([7.25]))))
    assert "7.250 ms " in text
    assert "±" not in text
    assert "of 1 process of" in text


@pytest.mark.parametrize(
    ("bound_ms", "time_ms", "shown"),
    [
        (6.1, 12.94, "47 %"),
        (56.7, 40.0, "142 %"),
        (0.5, 12.0, "4.2 %"),
        (None, 12.0, None),
        (6.1, None, None),
    ],
)
def test_efficiency_is_the_bound_over_the_median(
    bound_ms: float | None, time_ms: float | None, shown: str | None
) -> None:
    """Over 100 % where Winograd or FFT beat direct arithmetic; nothing where one is missing."""
    summary = None if time_ms is None else summarize([time_ms])
    assert efficiency_text(make.record(bound_ms=bound_ms, forward_ms=summary)) == shown


def test_efficiency_is_told_below_a_table_that_is_full() -> None:
    """By case, over all boards; the table keeps its 80 columns and its one line a case."""
    conditions = {"simulated": True, "model": "bvlc_googlenet", "board": "virtual-01"}
    text = result_table(
        make.result(
            make.record(bound_ms=2.0, **conditions),
            make.record(bound_ms=2.6, **conditions),
            make.record(bound_ms=2.0, batch=4, **conditions),
            make.record(bound_ms=None, model="other"),
        )
    )
    table, below = text.split("\n\n")[:2]
    assert "Peak" not in table
    assert "bvlc_googlenet 28 % to 36 %, bvlc_googlenet batch 4 28 %." in below
    assert max(map(len, below.splitlines())) <= WIDTH
    document = result_table(make.result(make.record(**conditions)), markdown=True)
    assert "| 28 %" in document


def test_without_any_bound_there_is_no_such_column() -> None:
    """On boards that are no TX2, or on their CPUs."""
    assert "Peak" not in result_table(make.result(make.record(bound_ms=None)))


def test_a_suspect_time_has_a_question_mark_and_its_reason() -> None:
    """In its row and below the table."""
    reason = "forward took 1.5 ms, and the peaks of MAXN allow 2 ms at best"
    record = make.record(status="suspect", reasons=(reason,), forward_ms=summarize([1.5]))
    text = result_table(make.result(record))
    assert "1.500 ms ?" in text
    assert f"one, alpha: suspect: {reason}" in text


def test_simulated_numbers_say_so_twice() -> None:
    """In their row and below the table."""
    virtual = make.board_result(facts=make.facts(simulated=True))
    text = result_table(make.result(make.record(simulated=True), boards=(virtual,)))
    assert "simulated, MAXN" in text
    assert "Simulated: these times were computed by virtual boards, not measured." in text


def test_a_board_that_was_not_put_back_is_named() -> None:
    """Power state left changed is never silent."""
    text = result_table(make.result(make.record(), boards=(make.board_result(restored=False),)))
    assert "one: its power mode and clocks were NOT put back" in text


def test_a_shape_is_shown_whole_where_a_name_is_too_long() -> None:
    """Two resolutions of one net can be told apart."""
    names = [f"a_net_of_some_length@1x3x{side}x{side}" for side in (300, 512)]
    text = result_table(make.result(*(make.record(model=name) for name in names)))
    assert "a_net_of_so…@1x3x300x300" in text
    assert "a_net_of_so…@1x3x512x512" in text


def test_several_batches_have_a_column() -> None:
    """The batch is shown as soon as it is not 1 everywhere."""
    text = result_table(make.result(make.record(batch=1), make.record(batch=16)))
    assert "Model    Batch" in text.splitlines()[0]


@given(
    model=st.text(min_size=1, max_size=300),
    mode=st.text(min_size=1, max_size=30),
    temperature=st.none() | st.floats(-50, 150),
)
def test_the_table_fits_80_columns_and_hides_nothing_that_moves_a_cursor(
    model: str, mode: str, temperature: float | None
) -> None:
    """Whatever a model or a mode is called."""
    record = make.record(
        model=model,
        board="b" * 63,
        power_mode=PowerMode(0, mode),
        conditions=RecordConditions(gpu_temp_c_max=temperature),
    )
    for markdown in (False, True):
        text = result_table(make.result(record), markdown=markdown)
        assert all(c.isprintable() or c == "\n" for c in text)
    table = result_table(make.result(record)).split("\n\n")[0]
    assert max(map(len, table.splitlines())) <= WIDTH + 20


@given(st.floats(1e-4, 1e6))
def test_times_have_four_figures(value: float) -> None:
    """As the published table has them: 12.94, 91.82, 0.1234."""
    shown = time_text(make.record(forward_ms=summarize([value]))).split()[0]
    assert abs(float(shown) - value) <= max(value * 6e-4, 6e-5)


def test_csv_has_every_number_and_no_formula() -> None:
    """One line a record; a cell that a spreadsheet would run is made inert."""
    text = result_csv(make.result(make.record(model="=cmd()"), make.record(forward_ms=None)))
    first, second = csv.DictReader(io.StringIO(text))
    assert first["model"] == "'=cmd()"
    assert float(first["forward_ms_median"]) == 7.2
    assert (second["forward_ms_median"], second["n"]) == ("", "")
