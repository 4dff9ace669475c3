"""A board against its fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.bench_null import fleet
from jetbench.analysis.fleet import outliers
from jetbench.analysis.statistics import summarize
from jetbench.domain.facts import PowerMode
from jetbench.domain.record import Provenance, RecordConditions
from jetbench.report.fleet import fleet_lines
from jetbench.report.table import WIDTH
from tests import make

if TYPE_CHECKING:
    from jetbench.domain.record import Record

MODELS = ("alexnet", "googlenet", "vgg16", "resnet50")


def board(
    name: str,
    factor: float = 1.0,
    **changes: Any,  # noqa: ANN401 - as make.record
) -> list[Record]:
    """Four models on a board, slower by a factor."""
    changes.setdefault("conditions", RecordConditions(gpu_mhz_max=1300.5, gpu_temp_c_max=48.0))
    return [
        make.record(
            board=name,
            model=model,
            prototxt_sha256=model,
            forward_ms=summarize([ms * factor * part for part in (0.995, 1.0, 1.005)]),
            **changes,
        )
        for ms, model in enumerate(MODELS, 10)
    ]


def shelf(count: int, **changes: Any) -> list[Record]:  # noqa: ANN401 - as make.record
    """Boards that differ by a little, as boards do."""
    return [
        record
        for number in range(1, count + 1)
        for record in board(f"tx2-{number:02}", 1 + 0.004 * (number % 3 - 1), **changes)
    ]


def test_a_slow_board_is_named_with_what_is_different_on_it() -> None:
    """The sentence says how much, against how many, on how many models, and why."""
    slow = board("tx2-12", 1.06, conditions=RecordConditions(gpu_mhz_max=1122.0))
    (found,) = outliers([*shelf(11), *slow])
    assert found.evidence == (
        "tx2-12 is 6 % slower than its eleven peers on all 4 models: "
        "GPU clock 1122 MHz, theirs 1300"
    )
    assert (found.board, found.cases, found.peers) == ("tx2-12", 4, 11)
    assert found.ratio == pytest.approx(1.06, abs=0.005)


@pytest.mark.parametrize(
    ("usual", "other", "words"),
    [
        ({"clocks_locked": True}, {"clocks_locked": False}, "clocks free, theirs locked"),
        (
            {"provenance": Provenance(l4t="28.2.1", caffe_build="1-2", serial="1")},
            {"provenance": Provenance(l4t="32.5.1", caffe_build="3-4", serial="2")},
            "caffe build 3-4, theirs 1-2; L4T 32.5.1, theirs 28.2.1",
        ),
        (
            {"conditions": RecordConditions(gpu_temp_c_max=45.0)},
            {"conditions": RecordConditions(gpu_temp_c_max=71.0)},
            "GPU temperature 71 °C, theirs 45",
        ),
        (
            {"conditions": RecordConditions(gpu_mhz_min=1300.0, gpu_mhz_max=1300.0)},
            {"conditions": RecordConditions(gpu_mhz_min=850.0, gpu_mhz_max=1300.0)},
            "lowest GPU clock 850 MHz, theirs 1300",
        ),
        ({}, {}, "nothing else is known to differ"),
    ],
)
def test_each_cause_has_its_words(
    usual: dict[str, Any], other: dict[str, Any], words: str
) -> None:
    """Of what differs on every board anyway, such as serial numbers, nothing is said."""
    (found,) = outliers([*shelf(5, **usual), *board("slow", 1.08, **other)])
    assert found.evidence.endswith(f": {words}")


def test_a_fast_board_is_named_too() -> None:
    """A number that is too good is as doubtful."""
    (found,) = outliers([*shelf(4), *board("fast", 0.9)])
    assert "is 10 % faster than its four peers" in found.evidence


def test_of_three_boards_the_one_that_differs_is_named_and_no_other() -> None:
    """Though half of each other's peers are the slow one."""
    assert [found.board for found in outliers([*shelf(2), *board("slow", 1.2)])] == ["slow"]


def test_two_slow_boards_are_both_named_the_slower_one_first() -> None:
    """One does not hide behind the other."""
    found = outliers([*shelf(8), *board("slow", 1.06), *board("slower", 1.12)])
    assert [outlier.board for outlier in found] == ["slower", "slow"]


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="nothing"),
        pytest.param(shelf(12), id="all alike"),
        pytest.param([*shelf(1), *board("slow", 2.0)], id="two boards"),
        pytest.param(
            [*shelf(4), *board("slow", 1.2, power_mode=PowerMode(1, "MAXQ"))], id="another mode"
        ),
        pytest.param([*shelf(4), *board("slow", 1.2, batch=2)], id="another batch"),
        pytest.param(
            [*shelf(4), *board("nano", 3.0, provenance=Provenance(hardware="nano"))],
            id="another kind of board",
        ),
        pytest.param([*shelf(4), *board("off", 2.0, status="failed")], id="failed"),
        pytest.param(
            [*shelf(4), *board("mixed", 1.1)[:2], *board("mixed", 0.95)[2:]],
            id="slower on some, faster on others",
        ),
    ],
)
def test_nobody_is_named_without_peers_that_measured_the_same(records: list[Record]) -> None:
    """Nor where a board is slower on some models and faster on others."""
    assert outliers(records) == ()


def test_single_processes_can_be_held_against_each_other() -> None:
    """Their noise is taken from the others, or from what is usual."""
    single = [
        make.record(board=name, forward_ms=summarize([ms]))
        for name, ms in (("a", 10.0), ("b", 10.05), ("c", 9.95), ("d", 12.0))
    ]
    (found,) = outliers(single)
    assert "d is 20 % slower than its three peers on alpha" in found.evidence


def test_noise_names_nobody_and_5_percent_do_not_hide() -> None:
    """Twelve boards that differ by 0.8 %, with 1 % between processes; see the module."""
    named, *_ = fleet(150, 12, 0.0, 0.01)
    _, found, _ = fleet(80, 12, 0.05, 0.01)
    assert named <= 5
    assert found >= 70


def test_the_table_tells_of_the_board_below() -> None:
    """In lines of 80 columns, five sentences at most."""
    records = [*shelf(11), *board("tx2-12", 1.06, conditions=RecordConditions(gpu_mhz_max=1122.0))]
    named = outliers(records)
    text = make.as_table(make.result(*records, fleet=named))
    assert (
        "tx2-12 is 6 % slower than its eleven peers on all 4 models: GPU clock 1122 MHz,\n"
        "  theirs 1300."
    ) in text
    many = fleet_lines(named * 9, WIDTH)
    assert many[-1] == "Not told here: 4 more boards that differ from the others."
    assert max(map(len, many)) <= WIDTH
