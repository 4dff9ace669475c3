"""Why a board cannot measure, and what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jetbench.analysis.readiness import lacks
from jetbench.domain.plan import Options
from tests import make

ASKED = Options()
KEEP = Options(power_modes=("keep",), clocks=False)
GOOD = make.facts()
assert GOOD.caffe is not None
CAFFE = GOOD.caffe


def test_a_board_in_good_health_lacks_nothing() -> None:
    """Nothing is said where there is nothing to say."""
    assert lacks(GOOD, ASKED, 0) == ()


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"missing_tools": ("flock",)}, "tools", "flock"),
        ({"home_writable": False}, "home", "cannot be written"),
        ({"disk_free_bytes": 3 * 2**20}, "disk", "3 MiB"),
        ({"caffe": None}, "caffe", "no program at /home/nvidia/ssd/build/tools/caffe"),
        ({"caffe": replace(CAFFE, has_phase=False)}, "phase", "-phase"),
        ({"caffe": replace(CAFFE, gpu_build=False)}, "gpu", "CPU only"),
        ({"sudo": "absent"}, "sudo", "no sudo"),
        ({"nvpmodel": None}, "nvpmodel", "no nvpmodel"),
        ({"power_modes": GOOD.power_modes[1:]}, "power mode", "no power mode 0"),
        ({"jetson_clocks": None}, "jetson_clocks", "no jetson_clocks"),
    ],
)
def test_what_stops_a_board_is_named_with_its_remedy(
    changes: dict[str, object], name: str, said: str
) -> None:
    """One lack, its words, and something to do."""
    [lack] = lacks(make.facts(**changes), ASKED, 0)
    assert (lack.name, lack.stops) == (name, True)
    assert said in lack.message
    assert lack.advice


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"mem_available_bytes": 100 * 2**20}, "memory"),
        ({"clock_skew_s": -90000.0}, "clock"),
        ({"held_by": "who=ann"}, "busy"),
        ({"left_behind": True}, "power state"),
        ({"gpu_users": ("77:python",)}, "gpu users"),
    ],
)
def test_what_only_disturbs_stops_nothing(changes: dict[str, object], name: str) -> None:
    """It is told, and the board measures."""
    [lack] = lacks(make.facts(**changes), ASKED, 0)
    assert (lack.name, lack.stops) == (name, False)


def test_a_board_without_nvidias_tools_can_measure_as_it_is() -> None:
    """With --power-mode keep --no-clocks neither sudo nor the tools are needed."""
    bare = make.facts(sudo="absent", nvpmodel=None, jetson_clocks=None, power_modes=())
    assert lacks(bare, KEEP, 0) == ()
    assert {lack.name for lack in lacks(bare, ASKED, 0)} == {"sudo", "nvpmodel", "jetson_clocks"}


@pytest.mark.parametrize("mode", ["0", "MAXN", "maxn", "1", "MAXQ"])
def test_modes_are_known_by_id_and_by_name(mode: str) -> None:
    """As nvpmodel.conf on the board names them."""
    assert lacks(GOOD, Options(power_modes=(mode,)), 0) == ()


def test_the_cpu_needs_no_gpu_build() -> None:
    """A CPU build measures with --gpu none."""
    facts = make.facts(caffe=replace(CAFFE, gpu_build=False))
    assert lacks(facts, ASKED, "none") == ()


def test_training_needs_no_phase_flag() -> None:
    """A build without -phase times TRAIN, which is what was asked for."""
    facts = make.facts(caffe=replace(CAFFE, has_phase=False))
    assert lacks(facts, Options(phase="TRAIN"), 0) == ()


def test_what_a_running_sweep_has_saved_is_not_left_behind() -> None:
    """Its guard will put it back; without one there, somebody has to."""
    assert [lack.name for lack in lacks(make.facts(left_behind=True), ASKED, 0)] == ["power state"]
    running = make.facts(left_behind=True, held_by='who="ann@desk"')
    assert [lack.name for lack in lacks(running, ASKED, 0)] == ["busy"]
