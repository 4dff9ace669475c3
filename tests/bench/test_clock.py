"""A board whose clock is set while a trial runs: no telemetry is cut by it."""

from __future__ import annotations

import pytest

from jetbench.domain.facts import PowerMode
from tests.bench.test_ingest import READY, RESTORED, ingest, log, trial

BEGINS = b"*** Benchmark begins ***\nI0102 03:04:05.000001   811 caffe.cpp:366] "
SAMPLES = "\n".join(f"~ {10 + tenths / 10} sysfs gpu_cur_hz=1300500000" for tenths in range(40))


def measured(step_s: float) -> str:
    """A trial of 4 s by the uptime, whose log iterates from the first second to the third."""
    first, last = b"*** Benchmark begins", b"*** Benchmark ends"
    whole = log().replace(b"Testing for", BEGINS + b"Testing for")
    lines = whole.splitlines(keepends=True)
    moved = [
        line.replace(b"03:04:05", b"03:04:06" if first in line else b"03:04:08")
        if first in line or last in line
        else line
        for line in lines
    ]
    text = trial(1, b"".join(moved), extra=f"clock={1004 + step_s}")
    begin = 'local="0102 03:04:05.000000" clock=1000 limit_s'
    return text.replace("limit_s", begin, 1).replace("@done", f"{SAMPLES}\n@done", 1)


@pytest.mark.parametrize(("step_s", "status"), [(0.0, "ok"), (0.9, "suspect"), (-9e7, "suspect")])
def test_telemetry_is_cut_only_by_a_clock_that_ran_as_it_should(
    step_s: float, status: str
) -> None:
    """A step that is smaller than the trial leaves the window in it, but not where it was."""
    record = ingest(*READY, measured(step_s), trial(2, log()), "@end reason=finished", RESTORED)
    assert record.power_mode == PowerMode(0, "MAXN")
    assert record.status == status
    assert [finding.check for finding in record.findings] == ([] if status == "ok" else ["clock"])
    telemetry = record.trials[0].telemetry
    assert (telemetry is not None) is (status == "ok")
    if telemetry is not None:
        assert (telemetry.from_up_s, telemetry.to_up_s) == pytest.approx((11.0, 13.0), abs=1e-3)
