"""Steps and drifts in series of nights."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.steps import find_trend, night_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from jetbench.domain.trend import Trend

NIGHTS = 60


def nights(
    shape: Callable[[int], float], noise: float = 0.01, count: int = NIGHTS, seed: int = 1
) -> list[float]:
    """A case of 50 ms, times the shape."""
    dice = random.Random(seed)  # noqa: S311 - noise, and the same each time
    return [50 * shape(night) * (1 + dice.gauss(0, noise)) for night in range(count)]


def trend(times: list[float] | list[float | None]) -> Trend:
    """Of a night a day."""
    return find_trend(times, [float(night) for night in range(len(times))])


def flat(_: int) -> float:
    """Nothing happens."""
    return 1.0


@pytest.mark.parametrize("noise", [0.0, 0.0001, 0.005, 0.01, 0.05])
def test_where_nothing_happens_nothing_is_found(noise: float) -> None:
    """And the noise is told."""
    for seed in range(20):
        found = trend(nights(flat, noise, seed=seed))
        assert (found.verdict, found.steps, found.drift_a_day) == ("steady", (), None)
        assert found.noise == pytest.approx(noise, rel=0.6, abs=1e-9)


@pytest.mark.parametrize("at", [3, 10, 30, 57])
@pytest.mark.parametrize("size", [0.05, 0.3, -0.1])
def test_a_step_is_found_at_its_night(at: int, size: float) -> None:
    """With its size, and an interval that holds it; three nights are enough."""
    found = trend(nights(lambda night: 1 + size * (night >= at), noise=0.005))
    [step] = found.steps
    assert (step.at, step.last_before) == (at, at - 1)
    assert step.ratio == pytest.approx(1 + size, rel=0.02)
    assert step.ratio_ci95[0] < 1 + size < step.ratio_ci95[1] or step.ratio == pytest.approx(
        1 + size, rel=0.005
    )
    assert step.before_ms == pytest.approx(50, rel=0.02)
    assert step.after_ms == pytest.approx(50 * (1 + size), rel=0.02)
    assert found.drift_a_day is None


def test_a_step_that_two_nights_have_is_not_yet_one() -> None:
    """It is one with the third."""
    times = nights(lambda night: 1.2 if night >= 30 else 1.0, count=33)
    assert trend(times[:32]).steps == ()
    assert [step.at for step in trend(times).steps] == [30]


def test_two_steps_are_two() -> None:
    """Up and half the way down again: levels are those between them."""
    found = trend(nights(lambda night: 1.0 if night < 20 else 1.2 if night < 40 else 1.1))
    assert [step.at for step in found.steps] == [20, 40]
    first, second = found.steps
    assert first.after_ms == pytest.approx(second.before_ms)
    assert second.ratio < 1


def test_a_slow_drift_is_no_staircase() -> None:
    """It is told with what it comes to."""
    for seed in range(20):
        found = trend(nights(lambda night: 1 + 0.1 * night / NIGHTS, seed=seed))
        assert found.steps == ()
        assert found.drift_in_all == pytest.approx(0.1, abs=0.03)
        assert found.drift_a_day == pytest.approx(0.1 / NIGHTS, rel=0.3)
        assert found.verdict == "changed"


def test_a_step_is_no_drift() -> None:
    """However large, and wherever it is."""
    for at in range(5, 55, 5):
        found = trend(nights(lambda night, at=at: 1.08 if night >= at else 1.0))  # type: ignore[misc]
        assert [step.at for step in found.steps] == [at]
        assert found.drift_a_day is None


def test_a_step_in_a_drift_is_both() -> None:
    """Each with its own size."""
    found = trend(nights(lambda night: (1 + 0.15 * night / NIGHTS) * (1.2 if night >= 30 else 1)))
    [step] = found.steps
    assert step.at == 30
    assert step.ratio == pytest.approx(1.2, rel=0.02)
    assert found.drift_in_all == pytest.approx(0.15, abs=0.05)


def test_nights_that_stand_alone_are_no_steps() -> None:
    """They are named; two side by side as well, and they move no step."""
    times = nights(lambda night: 1.1 if night >= 30 else 1.0)
    for night in (7, 20, 45, 46):
        times[night] *= 1.4
    found = trend(times)
    assert found.outliers == (7, 20, 45, 46)
    assert [step.at for step in found.steps] == [30]


def test_a_night_without_a_number_is_a_gap() -> None:
    """The places are those of the nights as they were given."""
    times: list[float | None] = list(nights(lambda night: 1.2 if night >= 30 else 1.0))
    for night in (0, 5, 29, 30, 31):
        times[night] = None
    found = trend(times)
    assert found.gaps == (0, 5, 29, 30, 31)
    [step] = found.steps
    assert (step.last_before, step.at) == (28, 32)


def test_huge_noise_gives_no_answer() -> None:
    """Rather than a wrong one."""
    for seed in range(20):
        found = trend(nights(lambda night: 1.1 if night >= 30 else 1.0, noise=0.3, seed=seed))
        assert (found.verdict, found.steps) == ("too noisy", ())


@pytest.mark.parametrize("count", range(8))
def test_few_nights_give_no_answer(count: int) -> None:
    """Nights without a number do not count."""
    assert trend(nights(flat, count=count)).verdict == "too few"
    assert trend([*nights(flat, count=count), None, None, 0.0]).verdict == "too few"


def test_five_years_of_nights_are_no_trouble() -> None:
    """Each of three steps at its night."""
    found = trend(nights(lambda night: 1 + 0.05 * (night // 450), count=1800))
    assert [step.at for step in found.steps] == [450, 900, 1350]


@given(seed=st.integers(0, 10_000), at=st.integers(6, 50), size=st.sampled_from([0.05, 0.1, -0.2]))
def test_tiny_noise_does_not_move_the_answer(seed: int, at: int, size: float) -> None:
    """A hundredth of a per cent more or less, on every night."""
    times = nights(lambda night: 1 + size * (night >= at), noise=0.0)
    dice = random.Random(seed)  # noqa: S311 - as above
    shaken = [time * (1 + dice.gauss(0, 0.0001)) for time in times]
    assert [step.at for step in trend(times).steps] == [at]
    assert [step.at for step in trend(shaken).steps] == [at]


@given(
    times=st.lists(st.one_of(st.none(), st.floats(1e-3, 1e6)), max_size=40),
    scale=st.floats(0.01, 100),
)
def test_any_series_has_an_answer_and_its_unit_does_not_matter(
    times: list[float | None], scale: float
) -> None:
    """Places are in order, and are those of nights that have a number."""
    found = trend(times)
    places = [step.at for step in found.steps]
    assert places == sorted(set(places))
    assert all(times[place] is not None for place in (*places, *found.outliers))
    assert all(step.ratio_ci95[0] <= step.ratio <= step.ratio_ci95[1] for step in found.steps)
    scaled = trend([None if time is None else time * scale for time in times])
    assert scaled.verdict == found.verdict


def test_days_need_not_be_even() -> None:
    """A drift is one of days, not of nights: after a summer without any it goes on."""
    days = [float(night if night < 30 else night + 90) for night in range(NIGHTS)]
    dice = random.Random(5)  # noqa: S311 - as above
    times: list[float | None] = [50 * (1 + 0.002 * day) * dice.gauss(1, 0.01) for day in days]
    found = find_trend(times, days)
    assert found.steps == ()
    assert found.drift_in_all == pytest.approx(0.3, abs=0.06)


def test_the_noise_of_nights_is_that_between_neighbours() -> None:
    """Steps and lone nights do not move it much; few nights have none."""
    times: list[float | None] = list(nights(lambda night: 1.3 if night >= 30 else 1.0, noise=0.02))
    times[7] = None
    times[45] = 500.0
    assert night_noise(times) == pytest.approx(0.02, rel=0.4)
    assert night_noise(times[:7]) is None
