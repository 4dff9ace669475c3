"""What must be equal for two numbers to be compared, and what may explain a difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jetbench.analysis.comparable import changed_provenance, differences, key_of
from jetbench.domain.facts import PowerMode
from jetbench.domain.record import Provenance, RecordConditions
from tests import make


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"board": "two"}, "board one → two"),
        ({"prototxt_sha256": "cd" * 32}, f"model hash {'ab' * 6} → {'cd' * 6}"),
        ({"prototxt_sha256": None}, f"model hash {'ab' * 6} → unknown"),
        ({"batch": 8}, "batch 1 → 8"),
        ({"phase": "TRAIN"}, "phase TEST → TRAIN"),
        ({"stages": ("deploy", "fast")}, "stages none → deploy,fast"),
        ({"gpu": None}, "device GPU 0 → CPU"),
        ({"gpu": 1}, "device GPU 0 → GPU 1"),
        ({"power_mode": PowerMode(1, "MAXQ")}, "power mode MAXN → MAXQ"),
        ({"power_mode": PowerMode(1, None)}, "power mode MAXN → mode 1"),
        ({"power_mode": None}, "power mode MAXN → unknown"),
        ({"clocks_locked": False}, "clocks locked → free"),
        ({"clocks_locked": None}, "clocks locked → unknown"),
        ({"iterations": 10}, "iterations 50 → 10"),
        ({"simulated": True}, "simulated no → yes"),
    ],
)
def test_each_part_of_the_key_forbids_a_comparison_and_is_named(
    change: dict[str, Any], text: str
) -> None:
    """One difference, with both values."""
    (found,) = differences(make.record(), make.record(**change))
    assert found.text == text


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another name"},
        {"provenance": Provenance(caffe_build="3-4", l4t="32.5.1")},
        {"conditions": RecordConditions(gpu_mhz_max=1122)},
        {"status": "suspect"},
        {"source": "elsewhere.prototxt"},
    ],
)
def test_what_explains_is_no_part_of_the_key(change: dict[str, Any]) -> None:
    """A new Caffe or JetPack is what comparisons are for."""
    assert differences(make.record(), make.record(**change)) == ()
    assert key_of(make.record()) == key_of(make.record(**change))


def test_what_neither_knows_is_equal() -> None:
    """Boards without power modes can be compared with themselves."""
    bare = make.record(power_mode=None, clocks_locked=None, gpu=None)
    assert differences(bare, replace(bare, forward_ms=None)) == ()


def test_what_has_changed_is_named_with_its_unit() -> None:
    """Clocks first, then software; each with both values."""
    before = make.record(
        conditions=RecordConditions(gpu_mhz_min=1300.5, gpu_mhz_max=1300.5, gpu_temp_c_max=45.0),
        provenance=Provenance(l4t="28.2.1", cuda="9.0.252", caffe_build="1-2", uptime_s=100.0),
    )
    after = make.record(
        conditions=RecordConditions(gpu_mhz_min=1122.0, gpu_mhz_max=1122.0, gpu_temp_c_max=62.0),
        provenance=Provenance(l4t="32.5.1", cuda="9.0.252", caffe_build="3-4", uptime_s=999.0),
    )
    assert [found.text for found in changed_provenance(before, after)] == [
        "GPU clock 1300 → 1122 MHz",
        "GPU temperature 45 → 62 °C",
        "caffe build 1-2 → 3-4",
        "L4T 28.2.1 → 32.5.1",
    ]


def test_a_clock_that_fell_for_a_while_is_named() -> None:
    """Its highest value is what it was, its lowest is not."""
    steady = RecordConditions(gpu_mhz_min=1300.0, gpu_mhz_max=1300.0)
    found = changed_provenance(
        make.record(conditions=steady),
        make.record(conditions=replace(steady, gpu_mhz_min=850.0)),
    )
    assert [difference.text for difference in found] == ["lowest GPU clock 1300 → 850 MHz"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (RecordConditions(gpu_mhz_max=1300.0), RecordConditions(gpu_mhz_max=1290.0)),
        (RecordConditions(gpu_temp_c_max=45.0), RecordConditions(gpu_temp_c_max=55.0)),
        (RecordConditions(gpu_mhz_max=1300.0), RecordConditions()),
        (RecordConditions(power_w_mean=9.0), RecordConditions(power_w_mean=5.0)),
    ],
)
def test_little_changes_and_unknown_values_explain_nothing(
    before: RecordConditions, after: RecordConditions
) -> None:
    """A clock within 2 %, a GPU within 10 degrees, and what one side does not know."""
    assert changed_provenance(make.record(conditions=before), make.record(conditions=after)) == ()


def test_what_a_board_says_cannot_move_a_cursor() -> None:
    """Control characters are escaped."""
    (found,) = changed_provenance(
        make.record(provenance=Provenance(caffe_version="1.0")),
        make.record(provenance=Provenance(caffe_version="\x1b[2J")),
    )
    assert found.text == "caffe version 1.0 → \\x1b[2J"
