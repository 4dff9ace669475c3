"""The clock of the log against that on the wall."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual import glog
from jetbench.virtual.glog import Glog

if TYPE_CHECKING:
    from collections.abc import Callable

START_S = 1_700_000_000.0
WORK_S = 0.0002
"""What the program itself takes for a line."""


class Wall:
    """A clock that moves when somebody sleeps, a little too long, and when it is looked at."""

    localtime = staticmethod(time.localtime)
    strftime = staticmethod(time.strftime)

    def __init__(self) -> None:
        self.now_s = START_S

    def time(self) -> float:
        self.now_s += WORK_S
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds + 0.0009


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """The clock that the log sees."""
    clock = Wall()
    monkeypatch.setattr(glog, "time", clock)
    return clock


@pytest.fixture
def stamp_s(capsys: pytest.CaptureFixture[str]) -> Callable[[Glog], float]:
    """Writes a line; its time, in seconds since 1970."""

    def written(lines: Glog) -> float:
        lines.info("caffe.cpp:1", "now")
        stamp = capsys.readouterr().err[1:21]
        year = datetime.fromtimestamp(START_S).astimezone().year
        return datetime.strptime(f"{year}{stamp}", "%Y%m%d %H:%M:%S.%f").astimezone().timestamp()

    return written


def test_in_real_time_both_clocks_agree(wall: Wall, stamp_s: Callable[[Glog], float]) -> None:
    """Within 20 ms after many short and long waits, and after work that takes long."""
    lines = Glog(time_scale=1.0)
    for seconds in [0.6, *[0.0001] * 500, *[0.025] * 100]:
        lines.advance(seconds)
        assert stamp_s(lines) == pytest.approx(wall.now_s, abs=0.02)
    wall.now_s += 3.0
    assert stamp_s(lines) == pytest.approx(wall.now_s, abs=0.02)
    lines.advance(0.025)
    assert stamp_s(lines) == pytest.approx(wall.now_s, abs=0.02)


def test_in_scaled_time_the_log_is_ahead(wall: Wall, stamp_s: Callable[[Glog], float]) -> None:
    """It shows what the board seems to take, while as little passes as is asked for."""
    lines = Glog(time_scale=0.002)
    for _ in range(100):
        lines.advance(1.0)
    assert stamp_s(lines) - START_S == pytest.approx(100, abs=0.5)
    assert wall.now_s - START_S == pytest.approx(0.2, abs=0.2)
