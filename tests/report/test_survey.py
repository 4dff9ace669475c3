"""What ``boards check`` says of a board."""

from __future__ import annotations

import pytest

from jetbench.bench.survey import Surveyed
from jetbench.domain.board import Board
from jetbench.report.survey import survey_text
from tests import make


@pytest.mark.parametrize(
    ("skew_s", "told"), [(-0.4, "+0 s"), (0.4, "+0 s"), (-1.6, "-2 s"), (90.2, "+90 s")]
)
def test_a_clock_is_told_in_whole_seconds_and_never_as_minus_nothing(
    skew_s: float, told: str
) -> None:
    """Ahead of this machine's, or behind it."""
    found = Surveyed(Board("one", "10.0.0.1"), make.facts(clock_skew_s=skew_s), (), None)
    assert f"  clock        {told} against this machine's" in survey_text([found])
