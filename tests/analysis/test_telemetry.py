"""Telemetry of a stretch of time: where it lies, its extremes, its energy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.telemetry import (
    conditions_of,
    energy_per_iteration,
    summarize_all,
    summarize_samples,
    to_uptime,
)
from jetbench.domain.evidence import TrialEvidence
from jetbench.domain.facts import Conditions
from jetbench.domain.record import RecordConditions
from jetbench.domain.telemetry import Sample, Telemetry
from jetbench.domain.timing import ParsedLog
from jetbench.formats.glog import YEAR_S, glog_time
from tests import make


def window(begin: str, end: str) -> tuple[float, float]:
    """Of a log that has these times."""
    first, last = glog_time(begin), glog_time(end)
    assert first is not None
    assert last is not None
    return first, last


def power(up_s: float, watts: float) -> Sample:
    """A sample of a board that says its power alone."""
    return Sample(up_s, rails_w=(("VDD_GPU", watts / 2), ("VDD_IN", watts)))


def joules(samples: list[Sample], begin: float, end: float) -> float:
    """Energy, where it is known."""
    said = summarize_samples(samples, begin, end)
    assert said is not None
    assert said.energy_j is not None
    return said.energy_j


@pytest.mark.parametrize(
    ("start", "begin", "end"),
    [
        ("0728 11:53:40.000000", "0728 11:53:42.500000", "0728 11:53:47.250000"),
        ("0728 23:59:58.000000", "0729 00:00:00.500000", "0729 00:00:05.250000"),
        ("1231 23:59:58.000000", "0101 00:00:00.500000", "0101 00:00:05.250000"),
        ("1231 23:59:56.000000", "1231 23:59:58.500000", "0101 00:00:03.250000"),
        ("0228 23:59:58.000000", "0229 00:00:00.500000", "0229 00:00:05.250000"),
        ("0228 23:59:58.000000", "0301 00:00:00.500000", "0301 00:00:05.250000"),
        ("0228 23:59:56.000000", "0228 23:59:58.500000", "0301 00:00:03.250000"),
        ("0229 23:59:58.000000", "0301 00:00:00.500000", "0301 00:00:05.250000"),
    ],
)
def test_the_time_of_a_log_becomes_uptime(start: str, begin: str, end: str) -> None:
    """Also over midnight, New Year, and the end of February of any year."""
    assert to_uptime(window(begin, end), start, 100.0, 110.0) == pytest.approx((102.5, 107.25))


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("0728 11:53:38.900000", "0728 11:53:47.000000"),
        ("0728 11:53:42.000000", "0728 11:53:51.100000"),
        ("0728 11:53:47.000000", "0728 11:53:42.000000"),
        ("0728 12:53:42.000000", "0728 12:53:47.000000"),
        ("0729 11:53:42.000000", "0729 11:53:47.000000"),
        ("0101 00:00:10.000000", "0728 11:53:47.000000"),
    ],
)
def test_a_clock_that_was_set_during_a_trial_is_not_believed(begin: str, end: str) -> None:
    """What would lie outside of the trial, or end before it begins, is no window."""
    assert to_uptime(window(begin, end), "0728 11:53:40.000000", 100.0, 110.0) is None


def test_a_window_may_reach_over_by_the_time_it_takes_to_read_clocks() -> None:
    """Up to a second before and behind the trial."""
    near = window("0728 11:53:39.100000", "0728 11:53:50.900000")
    found = to_uptime(near, "0728 11:53:40.000000", 100.0, 110.0)
    assert found == pytest.approx((99.1, 110.9))


def test_without_one_of_the_clocks_there_is_no_window() -> None:
    """Log, local time, uptime at either end: each is needed."""
    good = (window("0728 11:53:42.0", "0728 11:53:47.0"), "0728 11:53:40.0", 100.0, 110.0)
    assert to_uptime(*good) is not None
    log, local, start, end = good
    assert to_uptime(None, local, start, end) is None
    assert to_uptime(log, None, start, end) is None
    assert to_uptime(log, "soon", start, end) is None
    assert to_uptime(log, local, None, end) is None
    assert to_uptime(log, local, start, None) is None


@given(
    times=st.tuples(*[st.floats(0, YEAR_S, exclude_max=True)] * 2),
    start=st.integers(0, int(YEAR_S) - 1),
    up=st.floats(0, 1e8),
    wall=st.floats(0, 1e6),
)
def test_a_window_lies_within_its_trial_or_is_none(
    times: tuple[float, float], start: int, up: float, wall: float
) -> None:
    """Whatever the clocks say."""
    day, second = divmod(start % (28 * 86_400), 86_400)
    local = f"03{day + 1:02} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000"
    found = to_uptime(times, local, up, up + wall)
    assert found is None or up - 1 <= found[0] <= found[1] <= up + wall + 1


def test_samples_within_give_their_extremes_and_means() -> None:
    """Those before and behind give none."""
    outside = replace(FULL, gpu_mhz=1, gpu_load=0.0, emc_mhz=1, cpu_mhz=(1,), rails_w=())
    hot = (("BCPU", 90.0), ("GPU", 61.5))
    samples = [
        replace(outside, up_s=9),
        replace(FULL, up_s=12),
        replace(FULL, up_s=10, gpu_mhz=1122, gpu_load=0.5, temps_c=hot, cpu_mhz=(499, 345)),
        replace(outside, up_s=14),
    ]
    assert summarize_samples(samples, 10, 13) == Telemetry(
        10,
        13,
        samples=2,
        gpu_mhz_min=1122,
        gpu_mhz_max=1300.5,
        gpu_load_mean=0.75,
        emc_mhz_min=1866,
        emc_mhz_max=1866,
        cpu_mhz_min=345,
        cpu_mhz_max=2035,
        gpu_temp_c_max=61.5,
        power_w_mean=12,
        power_w_max=12,
        energy_j=36,
    )


FULL = Sample(
    0,
    gpu_mhz=1300.5,
    gpu_load=1.0,
    emc_mhz=1866,
    cpu_mhz=(2035, 2034),
    temps_c=(("GPU", 50.0),),
    rails_w=(("VDD_IN", 12.0),),
)


def test_power_goes_in_straight_lines_from_sample_to_sample() -> None:
    """Also over the edges: 6 W at 10, 8 W at 11, 4 W at 13, 2 W at 14."""
    samples = [power(14, 2), power(13, 4), power(11, 8), power(10, 6)]
    said = summarize_samples(samples, 10.5, 13.5)
    assert said is not None
    assert said.energy_j == pytest.approx(0.5 * 7.5 + 2 * 6 + 0.5 * 3.5)
    assert said.power_w_mean == pytest.approx((said.energy_j or 0) / 3)
    assert (said.samples, said.power_w_max) == (2, 8)


def test_without_a_sample_behind_an_edge_power_stays_as_it_is() -> None:
    """4 W until the first sample, 8 W after the last."""
    samples = [power(11, 4), power(12, 8)]
    assert joules(samples, 10, 13) == pytest.approx(4 + 6 + 8)
    assert joules([power(11, 4)], 10, 13) == pytest.approx(12)


def test_a_window_between_two_samples_has_power_and_nothing_else() -> None:
    """Where they are near: on the line between the two."""
    samples = [replace(FULL, up_s=10), replace(FULL, up_s=12, rails_w=(("VDD_IN", 8.0),))]
    said = summarize_samples(samples, 10.5, 11.5)
    assert said == Telemetry(10.5, 11.5, 0, power_w_mean=10, energy_j=10)


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [power(10, 5)],
        [power(12, 5)],
        [power(8.4, 5), power(12, 5)],
        [power(10, 5), power(13.6, 5)],
        [Sample(10, gpu_mhz=1300), Sample(12, gpu_mhz=1300)],
        [power(10, 5), Sample(12, gpu_mhz=1300)],
    ],
)
def test_samples_that_are_far_or_on_one_side_say_nothing(samples: list[Sample]) -> None:
    """More than 2 s from a window without samples is far; clocks are not guessed at all."""
    assert summarize_samples(samples, 10.5, 11.5) is None


@pytest.mark.parametrize(("begin", "end"), [(10, 10), (11, 10), (float("nan"), 11)])
def test_a_stretch_of_no_length_says_nothing(begin: float, end: float) -> None:
    """There is no mean over no time."""
    assert summarize_samples([power(10, 5), power(11, 5)], begin, end) is None


def test_a_board_without_rails_has_no_power() -> None:
    """Clocks and temperatures are there; power and energy are None, and not 0."""
    said = summarize_samples([replace(FULL, up_s=10, rails_w=(("VDD_GPU", 1.0),))], 9, 11)
    assert said is not None
    assert (said.gpu_mhz_min, said.samples) == (1300.5, 1)
    assert (said.power_w_mean, said.power_w_max, said.energy_j) == (None, None, None)


def test_a_sample_without_power_among_others_is_passed_over() -> None:
    """It counts as a sample, and the line of power goes on over it."""
    samples = [power(10, 4), Sample(10.5, gpu_mhz=1300), power(11, 6), Sample(12, gpu_mhz=1122)]
    assert joules(samples, 10, 11) == pytest.approx(5)
    assert joules(samples, 10, 12) == pytest.approx(11)


def test_two_samples_of_the_same_moment_are_no_trouble() -> None:
    """A line is read twice, or the clock stands: nothing is divided by 0."""
    samples = [power(10, 4), power(10, 8), power(11, 8)]
    assert joules(samples, 10, 11) == pytest.approx(8)
    assert joules(samples, 9, 10) == pytest.approx(4)


def test_an_idle_board_is_summed_up_from_the_first_to_the_last_sample() -> None:
    """One sample alone is no stretch of time."""
    said = summarize_all([power(30, 2), power(34, 4), power(31, 2)])
    assert said is not None
    assert (said.from_up_s, said.to_up_s, said.samples) == (30, 34, 3)
    assert said.power_w_mean == pytest.approx((2 + 3 * 3) / 4)
    assert summarize_all([power(30, 2)]) is None
    assert summarize_all([]) is None


@pytest.mark.parametrize("times", [(31,), (31, 38), (38,), (25, 31)])
def test_a_sampler_that_died_tells_no_energy(times: tuple[int, ...]) -> None:
    """Where nothing was said for more than 5 s, nobody knows what the board took."""
    said = summarize_samples([power(time, 2) for time in times], 30, 38)
    assert said is not None
    assert (said.energy_j, said.power_w_mean, said.power_w_max) == (None, None, 2)
    alive = summarize_samples([power(time, 2) for time in (*times, 33, 36)], 30, 38)
    assert alive is not None
    assert alive.energy_j == pytest.approx(16)


SAMPLES = st.lists(st.builds(power, st.floats(0, 30), st.floats(0, 20)), max_size=20)
LENGTHS = st.floats(0.01, 4)
BEGINS = st.floats(0, 20)


@given(begin=BEGINS, length=LENGTHS, watts=st.floats(0.5, 20), times=st.lists(BEGINS))
def test_constant_power_gives_power_by_time(
    begin: float, length: float, watts: float, times: list[float]
) -> None:
    """Wherever the samples lie."""
    samples = [power(time, watts) for time in (*times, begin + length / 3)]
    said = summarize_samples(samples, begin, begin + length)
    assert said is not None
    assert said.energy_j == pytest.approx(watts * length)
    assert said.power_w_mean == pytest.approx(watts)


@given(samples=SAMPLES, begin=BEGINS, lengths=st.tuples(LENGTHS, LENGTHS))
def test_the_energy_of_two_halves_is_that_of_the_whole(
    samples: list[Sample], begin: float, lengths: tuple[float, float]
) -> None:
    """Wherever it is split, if something can be said of both."""
    middle = begin + lengths[0]
    end = middle + lengths[1]
    samples = [*samples, power((begin + middle) / 2, 7), power((middle + end) / 2, 3)]
    halves = joules(samples, begin, middle) + joules(samples, middle, end)
    assert halves == pytest.approx(joules(samples, begin, end), abs=1e-6)


@given(samples=SAMPLES, begin=BEGINS, length=LENGTHS, data=st.data())
def test_the_order_of_the_samples_does_not_matter(
    samples: list[Sample], begin: float, length: float, data: st.DataObject
) -> None:
    """Of samples of different moments."""
    unique = list({sample.up_s: sample for sample in samples}.values())
    shuffled = data.draw(st.permutations(unique))
    end = begin + length
    assert summarize_samples(shuffled, begin, end) == summarize_samples(unique, begin, end)


@given(samples=SAMPLES, begin=BEGINS, length=LENGTHS)
def test_mean_power_lies_between_the_extremes(
    samples: list[Sample], begin: float, length: float
) -> None:
    """Of all samples that there are."""
    samples = [*samples, power(begin, 5)]
    said = summarize_samples(samples, begin, begin + length)
    assert said is not None
    assert said.power_w_mean is not None
    watts = [sample.power_w or 0.0 for sample in samples]
    assert min(watts) - 1e-6 <= said.power_w_mean <= max(watts) + 1e-6


def evidence(
    telemetry: Telemetry | None = None,
    before: Conditions | None = None,
    after: Conditions | None = None,
    *,
    good: bool = True,
) -> TrialEvidence:
    """A trial of which this is known."""
    return TrialEvidence(
        make.trial(1),
        ParsedLog(forward_ms=7.2, complete=True) if good else None,
        before or Conditions(),
        after or Conditions(),
        telemetry,
    )


def test_a_records_conditions_come_from_the_telemetry_of_all_its_trials() -> None:
    """Extremes over the trials; means by the length of their windows; energy by iterations."""
    one = Telemetry(10, 20, 10, 1300, 1300, 0.9, 1600, 1866, 345, 2035, 50.0, 10.0, 12.0, 100.0)
    two = Telemetry(30, 60, 30, 1122, 1300, 0.5, 1866, 1866, 345, 2035, 58.0, 14.0, 13.0, 420.0)
    three = replace(one, gpu_mhz_min=None, gpu_mhz_max=None, gpu_load_mean=None, energy_j=None)
    three = replace(three, power_w_mean=None, power_w_max=None, gpu_temp_c_max=None)
    sensors = Conditions(gpu_mhz=114, gpu_temp_c=41.0)
    hot = Conditions(gpu_temp_c=59.5)
    trials = [evidence(one, sensors), evidence(two, sensors, hot), evidence(three)]
    idle = Telemetry(1, 5, 4, power_w_mean=2.5)
    assert conditions_of(trials, idle=idle, iterations=50, locked=True) == RecordConditions(
        gpu_mhz_min=1122,
        gpu_mhz_max=1300,
        emc_mhz_min=1600,
        emc_mhz_max=1866,
        gpu_load_mean=0.6,
        gpu_temp_c_max=59.5,
        power_w_mean=13.0,
        power_w_max=13.0,
        power_w_idle=2.5,
        energy_j_iteration=5.2,
    )


def test_without_telemetry_a_clock_that_may_move_is_not_known() -> None:
    """Right before and after a trial it says something only where it is locked."""
    trials = [evidence(None, Conditions(41.0, gpu_mhz=1122), Conditions(48.5, gpu_mhz=1300))]
    assert conditions_of(trials, idle=None, iterations=50, locked=True) == RecordConditions(
        gpu_mhz_min=1122, gpu_mhz_max=1300, gpu_temp_c_max=48.5
    )
    for locked in (False, None):
        said = conditions_of(trials, idle=None, iterations=50, locked=locked)
        assert said == RecordConditions(gpu_temp_c_max=48.5)


def test_a_trial_that_failed_says_nothing_of_the_record() -> None:
    """Its number is not in the record, and so its conditions are not."""
    failed = evidence(
        Telemetry(1, 2, 1, gpu_mhz_min=114, energy_j=7.0), Conditions(90.0), good=False
    )
    said = conditions_of([failed], idle=None, iterations=50, locked=True)
    assert said == RecordConditions()
    assert conditions_of([], idle=None, iterations=50, locked=None) == RecordConditions()


@pytest.mark.parametrize(
    ("energies", "iterations", "joules_each"),
    [([30.0, 60.0], 15, 3.0), ([], 15, None), ([30.0], 0, None)],
)
def test_energy_is_shared_out_among_the_iterations(
    energies: list[float], iterations: int, joules_each: float | None
) -> None:
    """Of all trials together; None where there is nothing to share, or nobody."""
    assert energy_per_iteration(energies, iterations) == joules_each
