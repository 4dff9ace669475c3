"""What a person is shown."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.speed import RelativeSpeed
from jetbench.analysis.statistics import summarize
from jetbench.domain.facts import PowerMode
from jetbench.domain.record import RecordConditions
from jetbench.domain.timing import Failure
from jetbench.report.speeds import speed_lines, speed_text
from jetbench.report.table import WIDTH, efficiency_text, time_text
from tests import make

if TYPE_CHECKING:
    from jetbench.domain.record import Record

TIMES = {
    "bvlc_googlenet": [24.6, 24.7, 24.65],
    "vgg16": [91.5, 92.1, 91.9],
    "bvlc_alexnet": [12.94, 12.97, 12.92],
    "resnet50": [64.0, 64.2, 64.1],
}
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
    assert make.as_table(result) == GOLDEN


def test_one_process_has_no_spread_and_says_so_by_silence() -> None:
    """Neither a ± in the table nor one below it."""
    text = make.as_table(make.result(make.record(forward_ms=summarize([7.25]))))
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
    text = make.as_table(
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
    document = make.as_table(make.result(make.record(**conditions)), markdown=True)
    assert "| 28 %" in document


def test_without_any_bound_there_is_no_such_column() -> None:
    """On boards that are no TX2, or on their CPUs."""
    assert "Peak" not in make.as_table(make.result(make.record(bound_ms=None)))


def test_a_suspect_time_has_a_question_mark_and_its_reason() -> None:
    """In its row and below the table."""
    reason = "forward took 1.5 ms, and the peaks of MAXN allow 2 ms at best"
    record = make.record(status="suspect", reasons=(reason,), forward_ms=summarize([1.5]))
    text = make.as_table(make.result(record))
    assert "1.500 ms ?" in text
    assert f"one, alpha: suspect: {reason}" in text


def timed(model: str, by: float = 1.0) -> Record:
    """A record of one of the nets above, with times multiplied."""
    values = [by * value for value in TIMES[model]]
    return make.record(model=model, forward_ms=summarize(values))


def test_a_model_is_told_against_another_with_its_uncertainty() -> None:
    """Below the table: the ratio of the means with its 95 % interval."""
    text = make.as_table(make.result(timed("bvlc_googlenet"), timed("vgg16")))
    assert text.endswith(
        "part of the median.\n"
        "Relative speed, of the mean times, ± 95 % confidence interval:\n"
        "bvlc_googlenet is 3.73 ± 0.03 times as fast as vgg16 on one."
    )


def test_of_several_models_each_is_told_against_the_slowest() -> None:
    """The fastest first; for each board, batch and power mode a sentence, at most three."""
    slower = PowerMode(1, "MAXQ")
    records = [
        *(timed(model) for model in TIMES),
        *(replace(timed(model, 3.0), batch=4) for model in ("vgg16", "resnet50")),
        *(replace(timed(model, 1.5), power_mode=slower) for model in ("vgg16", "bvlc_googlenet")),
        *(replace(timed(model), board=board) for board in ("two", "three") for model in TIMES),
    ]
    assert speed_lines(records, WIDTH)[1:] == [
        "bvlc_alexnet is 7.10 ± 0.05 times as fast as vgg16 on one in MAXN,",
        "  bvlc_googlenet 3.73 ± 0.03, resnet50 1.43 ± 0.01.",
        "resnet50 is 1.43 ± 0.01 times as fast as vgg16 on one at batch 4 in MAXN.",
        "bvlc_googlenet is 3.73 ± 0.03 times as fast as vgg16 on one in MAXQ.",
        "Not told here: 2 more boards, batches or power modes.",
    ]


def test_of_many_models_the_fastest_are_told() -> None:
    """Forty nets have forty rows, not forty comparisons."""
    nets = (
        make.record(model=f"net{i}", forward_ms=summarize([i, 1.001 * i])) for i in range(1, 41)
    )
    _, text = speed_lines(nets, 1000)
    assert "net1 is 40.0 ± 0.1 times as fast as net40 on one, net2 20.00 ± 0.06, net3" in text
    assert text.endswith(", net4 10.00 ± 0.03, the other 35 less.")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "suspect", "reasons": ("too fast",)},
        {"status": "failed", "forward_ms": None},
        {"forward_ms": summarize([91.82])},
        {"forward_ms": summarize([0.0, 0.0])},
        {"forward_ms": summarize([5e-324, 5e-324])},
        {"board": "two"},
        {"batch": 4},
        {"gpu": None},
        {"clocks_locked": False},
        {"power_mode": None},
        {"simulated": True},
    ],
)
def test_what_is_doubtful_single_or_of_other_conditions_is_not_compared(
    changes: dict[str, Any],
) -> None:
    """Rather nothing than a ratio of what cannot be compared."""
    other = replace(timed("vgg16"), **changes)
    assert speed_lines([timed("bvlc_googlenet"), other], WIDTH) == []


@pytest.mark.parametrize(
    ("ratio", "half_width", "shown"),
    [
        (3.7312, 0.0512, "3.73 ± 0.05"),
        (3.7312, 0.00051, "3.731 ± 0.001"),
        (3.7312, 0.0, "3.731 ± 0.001"),
        (3.7312, 0.0097, "3.73 ± 0.01"),
        (3.7312, 0.51, "3.7 ± 0.5"),
        (37.312, 4.2, "37 ± 4"),
        (1.0, 12.7, "1 ± 13"),
    ],
)
def test_a_ratio_has_the_figures_that_its_uncertainty_leaves(
    ratio: float, half_width: float, shown: str
) -> None:
    """And never an uncertainty of 0."""
    assert speed_text(RelativeSpeed(ratio, half_width)) == shown


def test_simulated_numbers_say_so_twice() -> None:
    """In their row and below the table."""
    virtual = make.board_result(facts=make.facts(simulated=True))
    text = make.as_table(make.result(make.record(simulated=True), boards=(virtual,)))
    assert "simulated, MAXN" in text
    assert "Simulated: these times were computed by virtual boards, not measured." in text


def test_a_board_that_was_not_put_back_is_named() -> None:
    """Power state left changed is never silent."""
    text = make.as_table(make.result(make.record(), boards=(make.board_result(restored=False),)))
    assert "one: its power mode and clocks were NOT put back" in text
    assert "jetbench boards restore one" in text


def test_a_shape_is_shown_whole_where_a_name_is_too_long() -> None:
    """Two resolutions of one net can be told apart."""
    names = [f"a_net_of_some_length@1x3x{side}x{side}" for side in (300, 512)]
    text = make.as_table(make.result(*(make.record(model=name) for name in names)))
    assert "a_net_of_so…@1x3x300x300" in text
    assert "a_net_of_so…@1x3x512x512" in text


def test_several_batches_have_a_column() -> None:
    """The batch is shown as soon as it is not 1 everywhere."""
    text = make.as_table(make.result(make.record(batch=1), make.record(batch=16)))
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
        text = make.as_table(make.result(record), markdown=markdown)
        assert all(c.isprintable() or c == "\n" for c in text)
    table = make.as_table(make.result(record)).split("\n\n")[0]
    assert max(map(len, table.splitlines())) <= WIDTH + 20


@given(st.floats(1e-4, 1e6))
def test_times_have_four_figures(value: float) -> None:
    """As the published table has them: 12.94, 91.82, 0.1234."""
    shown = time_text(make.record(forward_ms=summarize([value]))).split()[0]
    assert abs(float(shown) - value) <= max(value * 6e-4, 6e-5)


def test_csv_has_every_number_and_no_formula() -> None:
    """One line a record; a cell that a spreadsheet would run is made inert."""
    text = make.as_csv(make.result(make.record(model="=cmd()"), make.record(forward_ms=None)))
    first, second = csv.DictReader(io.StringIO(text))
    assert first["model"] == "'=cmd()"
    assert float(first["forward_ms_median"]) == 7.2
    assert float(first["forward_ms_ci95_low"]) < 7.18 < float(first["forward_ms_ci95_high"])
    assert (second["forward_ms_median"], second["n"]) == ("", "")
    assert (second["forward_ms_ci95_low"], second["forward_ms_ci95_high"]) == ("", "")
