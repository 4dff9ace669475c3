"""Pictures for a slide: what is written in them, and that they are the same each time."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from jetbench.domain.facts import PowerMode
from jetbench.domain.kept import as_kept
from jetbench.domain.material import Profile
from jetbench.domain.record import LayerTime
from jetbench.report.pictures import profile_picture, times_picture
from tests import make
from tests.store.nights import record

MAXQ = PowerMode(1, "MAXQ")
SWEEP = as_kept(
    make.result(
        record(7.0),
        record(9.0, model="be<ta", batch=4),
        record(14.0, power_mode=MAXQ),
        make.record(model="gamma", status="failed", forward_ms=None),
    )
)
LAYERS = tuple(LayerTime(f"layer{number}", "Pooling", 0.1 + number, 1.0) for number in range(60))


def texts(svg: bytes) -> list[str]:
    """All that is written in a picture."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


def test_the_table_becomes_bars() -> None:
    """Each model that was measured, each board and power mode, each time, as letters."""
    found = texts(times_picture(SWEEP, "svg"))
    assert {"alpha", "be&lt;ta, batch 4", "one, MAXN", "one, MAXQ", "ms"} <= set(found)
    assert {"7.000", "9.000", "14.00"} <= set(found)
    assert "gamma" not in found
    assert "Inference time, median of 3 processes" in found


def test_a_profile_shows_the_longest_layers_in_the_order_of_the_net() -> None:
    """40 of them, and the bound of those whose bound is known."""
    profile = Profile("s", record(7.0, layers=LAYERS), {"layer59": 0.5})
    svg = profile_picture(profile, "svg")
    names = [text for text in texts(svg) if text.startswith("layer")]
    assert names == [f"layer{number}" for number in range(20, 60)]
    assert "alpha on one, MAXN, its 40 longest layers of 60" in texts(svg)


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_is_written_across_it(*, simulated: bool) -> None:
    """Also where somebody copies it."""
    one = record(7.0, simulated=simulated, layers=LAYERS)
    for svg in (
        times_picture(replace(SWEEP, records=(one,)), "svg"),
        profile_picture(Profile("s", one), "svg"),
    ):
        assert ("SIMULATED" in texts(svg)) is simulated


def test_the_same_sweep_gives_the_same_bytes() -> None:
    """So that a picture under version control changes where its numbers do."""
    assert times_picture(SWEEP, "svg") == times_picture(SWEEP, "svg")
    assert times_picture(SWEEP, "png") == times_picture(SWEEP, "png")
    assert times_picture(SWEEP, "png").startswith(b"\x89PNG")
