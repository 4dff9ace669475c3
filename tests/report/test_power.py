"""Power and energy below the table."""

from __future__ import annotations

from rich.cells import cell_len

from jetbench.domain.facts import PowerMode
from jetbench.domain.finding import Finding
from jetbench.domain.record import RecordConditions
from jetbench.report.power import power_lines
from jetbench.report.table import WIDTH
from tests import make

MEASURED = RecordConditions(
    power_w_mean=13.12, power_w_max=13.58, power_w_idle=3.39, energy_j_iteration=0.5421
)


def test_energy_says_what_an_iteration_is() -> None:
    """Forward and backward, of the whole board; then a line for each record."""
    record = make.record(model="vgg16", board="tx2-01", conditions=MEASURED)
    assert power_lines([record]) == [
        "Energy of an iteration (forward and backward) and power, of the whole board:",
        "  vgg16 on tx2-01: 0.542 J, 13.1 W, peak 13.6 W, at rest 3.4 W",
    ]


def test_what_is_not_known_is_left_out() -> None:
    """A mean alone is told alone; without one there is nothing to tell."""
    mean = RecordConditions(power_w_mean=4.0)
    assert power_lines([make.record(model="a", conditions=mean)])[1] == "  a on one: 4.0 W"
    assert power_lines([make.record()]) == []


def test_batches_and_modes_tell_the_lines_apart() -> None:
    """Where there are several."""
    modes = [PowerMode(0, "MAXN"), PowerMode(7, None)]
    records = [make.record(batch=4, conditions=MEASURED, power_mode=mode) for mode in modes]
    assert [line.split(":")[0] for line in power_lines(records)[1:]] == [
        "  alpha/4 on one in MAXN",
        "  alpha/4 on one in 7",
    ]


def test_the_lines_fit_the_table_and_are_few() -> None:
    """80 columns whatever the names are; the rest is counted."""
    records = [make.record(model="網" * 60, conditions=MEASURED) for _ in range(20)]
    lines = power_lines(records)
    assert all(cell_len(line) <= WIDTH for line in lines)
    assert lines[-1] == "  Not told here: 12 more (--format json or csv has all)."
    assert len(lines) == 10


def test_power_stands_below_the_table_and_in_csv() -> None:
    """The columns have the numbers in full."""
    result = make.result(make.record(conditions=MEASURED))
    assert "alpha on one: 0.542 J, 13.1 W" in make.as_table(result)
    header, row = (line.split(",") for line in make.as_csv(result).splitlines())
    found = dict(zip(header, row, strict=True))
    assert found["power_w_mean"] == "13.12"
    assert found["energy_j_iteration"] == "0.5421"


def test_a_finding_is_told_with_its_advice() -> None:
    """What was seen, then what to do; what failed has no advice of a check."""
    seen = Finding("swapped", "3 of 3 trials: 40 MiB were swapped", "end what uses memory there")
    record = make.record(
        status="suspect", reasons=("1 of 3 trials: out of memory", seen.evidence), findings=(seen,)
    )
    lines = make.as_table(make.result(record)).splitlines()
    assert lines[-3:] == [
        "one, alpha: suspect: 1 of 3 trials: out of memory",
        "one, alpha: suspect: 3 of 3 trials: 40 MiB were swapped",
        "  → end what uses memory there",
    ]
