"""What the sensors of a virtual board show at rest and at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.sensors import Sensors, is_busy, show_busy
from tests.virtual.helpers import Root

if TYPE_CHECKING:
    from pathlib import Path

GPU_TEMP = "sys/devices/virtual/thermal/thermal_zone2/temp"
GPU_CLOCK = "sys/devices/17000000.gp10b/devfreq/17000000.gp10b/cur_freq"
GPU_LOAD = "sys/devices/17000000.gp10b/load"
POWER_IN = "sys/bus/i2c/drivers/ina3221x/0-0041/iio:device1/in_power0_input"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A board in its default mode."""
    return Root(tmp_path / "board")


def test_work_warms_and_rest_cools(root: Root) -> None:
    """The GPU approaches some 50 degrees at work, never jumps, and comes back at rest."""
    sensors = Sensors(root.path)
    temperatures = [int(root.read(GPU_TEMP))]
    show_busy(root.path)
    for _ in range(200):
        sensors.tick(1.0)
        temperatures.append(int(root.read(GPU_TEMP)))
    assert temperatures == sorted(temperatures)
    assert temperatures[0] == 38000
    assert 48000 < temperatures[-1] < 59000
    (root.path / "run/caffe.pid").unlink()
    for _ in range(200):
        sensors.tick(1.0)
    assert int(root.read(GPU_TEMP)) == 38000


def test_load_clock_and_power_follow_the_work(root: Root) -> None:
    """They rise when a caffe begins and fall once it is gone."""
    at_rest = int(root.read(POWER_IN))
    show_busy(root.path)
    assert is_busy(root.path)
    assert int(root.read(GPU_LOAD)) > 900
    assert int(root.read(GPU_CLOCK)) == 1134750000
    assert int(root.read(POWER_IN)) > 2 * at_rest
    (root.path / "run/caffe.pid").write_text("0\n")
    Sensors(root.path).tick(1.0)
    assert int(root.read(GPU_LOAD)) == 0
    assert int(root.read(GPU_CLOCK)) == 114750000
    assert int(root.read(POWER_IN)) == at_rest


def test_locked_clocks_stay_at_rest(root: Root) -> None:
    """The GPU's clock does not fall when nothing runs."""
    root.run("sudo nvpmodel -m 0; sudo ./jetson_clocks.sh")
    show_busy(root.path)
    (root.path / "run/caffe.pid").unlink()
    Sensors(root.path).tick(1.0)
    assert int(root.read(GPU_CLOCK)) == 1300500000


def test_a_board_that_is_being_removed_is_no_error(root: Root) -> None:
    """Its sensors have nowhere to write any more."""
    sensors = Sensors(root.path)
    show_busy(root.path)
    for path in sorted(root.path.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    sensors.tick(1.0)
