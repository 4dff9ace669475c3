"""How many times as fast one model is as another, and how sure that is."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from jetbench.analysis.speed import RelativeSpeed, relative_speed
from jetbench.analysis.statistics import summarize

if TYPE_CHECKING:
    from jetbench.domain.record import Summary

SWEEPS = 4000


def sample(*values: float) -> Summary:
    """The summary of some processes."""
    summary = summarize(values)
    assert summary is not None
    return summary


def compared(fast: Summary, slow: Summary) -> RelativeSpeed:
    """A relative speed that is there."""
    speed = relative_speed(fast, slow)
    assert speed is not None
    return speed


def test_the_ratio_is_that_of_the_means_and_its_errors_add_in_quadrature() -> None:
    """Worked out by hand: 1 % and 2 % over three processes each, 2.94 degrees of freedom."""
    speed = compared(sample(9.9, 10.0, 10.1), sample(39.2, 40.0, 40.8))
    assert speed.ratio == pytest.approx(4.0)
    # 4 x sqrt(0.0001/3 + 0.0004/3) x t(2.941) = 4 x 0.012910 x 3.2188
    assert speed.half_width == pytest.approx(0.16622, abs=1e-5)


def test_the_other_way_round_the_relative_uncertainty_is_the_same() -> None:
    """One is 4 times as fast as the other, which is 0.25 times as fast as the one."""
    one, other = sample(9.9, 10.0, 10.2), sample(39.0, 40.0, 40.8, 40.1)
    there, back = compared(one, other), compared(other, one)
    assert there.ratio * back.ratio == pytest.approx(1.0)
    assert there.half_width / there.ratio == pytest.approx(back.half_width / back.ratio)


def test_a_sample_without_spread_leaves_the_other_s() -> None:
    """With the degrees of freedom of the other alone, so that it is the interval of its mean."""
    noisy = sample(39.2, 40.0, 40.8)
    speed = compared(sample(10.0, 10.0, 10.0), noisy)
    assert noisy.ci95 is not None
    assert speed.half_width == pytest.approx((noisy.ci95[1] - noisy.mean) / 10.0)
    assert compared(sample(10.0, 10.0), sample(40.0, 40.0)) == RelativeSpeed(4.0, 0.0)


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (sample(10.0), sample(40.0, 41.0)),
        (sample(10.0, 10.1), sample(40.0)),
        (sample(0.0, 0.0), sample(40.0, 41.0)),
        (sample(5e-324, 5e-324), sample(40.0, 41.0)),
        (sample(5e-324, 5e-324), sample(40.0, 40.0)),
    ],
)
def test_what_has_no_uncertainty_is_not_compared(fast: Summary, slow: Summary) -> None:
    """A single process on either side, or a time that is none."""
    assert relative_speed(fast, slow) is None


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("noise", [(0.01, 0.01), (0.01, 0.05), (0.05, 0.01), (0.05, 0.05)])
def test_the_interval_holds_the_true_ratio_in_about_95_of_100_sweeps(
    n: int, noise: tuple[float, float]
) -> None:
    """Welch's is near 95 % and not on it: 94 % to 97 % for three processes."""
    draw = random.Random(n)  # noqa: S311 - noise, no secret
    held = 0
    for _ in range(SWEEPS):
        fast = sample(*(draw.gauss(24.64, 24.64 * noise[0]) for _ in range(n)))
        slow = sample(*(draw.gauss(91.82, 91.82 * noise[1]) for _ in range(n)))
        speed = compared(fast, slow)
        held += abs(speed.ratio - 91.82 / 24.64) <= speed.half_width
    assert 0.93 <= held / SWEEPS <= 0.975
