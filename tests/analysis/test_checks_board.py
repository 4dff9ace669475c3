"""Verdicts on the board: its clocks, its limits, its heat, its memory, and who else uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import make
from tests.analysis.found import names, only

if TYPE_CHECKING:
    from jetbench.domain.evidence import TrialEvidence


def throttled(mhz: float, ms: float = 7.2) -> TrialEvidence:
    """A trial in which the GPU's clock sank."""
    return make.trial_evidence(ms, telemetry=make.telemetry(gpu_mhz_min=mhz))


def test_a_throttled_gpu_is_found_from_the_trial_on() -> None:
    """With trials and clocks; that they took longer is not said again."""
    slow = [throttled(1032.0, ms) for ms in (8.9, 9.0, 9.6, 11.0)]
    finding = only(make.case_evidence([7.2, 7.21, *slow]))
    assert finding.check == "throttled"
    assert finding.evidence == "trials 3 to 6 of 6: the GPU fell to 1032 MHz, locked at 1300"
    assert "--cooldown" in finding.advice


@pytest.mark.parametrize(("mhz", "found"), [(1300.0, False), (1294.1, False), (1293.9, True)])
def test_half_a_per_cent_of_the_gpus_clock_is_allowed(mhz: float, *, found: bool) -> None:
    """It is cut to whole MHz by tegrastats."""
    assert names(make.case_evidence([7.2, throttled(mhz)])) == (["throttled"] if found else [])


def test_without_telemetry_the_clock_after_the_trial_counts() -> None:
    """Where it is locked; the governor's own moves as it likes."""
    sunk = make.trial_evidence(telemetry=None, after=make.conditions(gpu_mhz=1122.0))
    assert only(make.case_evidence([sunk])).check == "throttled"
    assert names(make.case_evidence([sunk], locked=False)) == []
    assert names(make.case_evidence([sunk], locked=None)) == []


def test_the_gpus_clock_does_not_matter_on_the_cpu() -> None:
    """Nothing runs there."""
    assert names(make.case_evidence([throttled(114.0)], gpu=None)) == []


@pytest.mark.parametrize(
    ("low", "words"),
    [
        ({"emc_mhz_min": 1600.0}, "the memory fell to 1600 MHz, locked at 1866"),
        ({"cpu_mhz_min": 1420.0}, "the CPU fell to 1420 MHz, locked at 1992"),
        (
            {"cpu_mhz_min": 345.0, "cpu_mhz_max": 1420.0},
            "the CPU fell to 1420 MHz, locked at 2035",
        ),
    ],
)
def test_memory_and_cpu_throttle_too(low: dict[str, float], words: str) -> None:
    """By what they were in other trials, or by the CPU's limit."""
    sunk = make.trial_evidence(telemetry=make.telemetry(**low))
    finding = only(make.case_evidence([7.2, sunk]))
    assert (finding.check, finding.evidence) == ("throttled", f"trial 2 of 2: {words}")


def test_cores_of_two_speeds_are_no_throttling() -> None:
    """In MAXP_CORE_DENVER one kind is locked at 345 MHz, the other at 2035."""
    mixed = make.trial_evidence(telemetry=make.telemetry(cpu_mhz_min=345.0))
    assert names(make.case_evidence([mixed, mixed])) == []


def test_a_mode_that_changes_half_way_is_found_and_not_called_throttling() -> None:
    """Everything that changed, from what to what, and since when."""
    other = make.conditions(
        power_mode_id=3,
        gpu_max_mhz=1122.0,
        gpu_min_mhz=1122.0,
        gpu_mhz=1122.0,
        cpu_online="0,3-5",
        cpu_max_mhz=2000.0,
    )
    low = make.telemetry(gpu_mhz_min=1122.0, emc_mhz_min=1600.0)
    during = make.trial_evidence(8.0, after=other, telemetry=low)
    later = make.trial_evidence(8.4, before=other, after=other, telemetry=low)
    finding = only(make.case_evidence([7.2, 7.21, during, later, later]))
    assert finding.check == "changed"
    assert finding.evidence == (
        "trials 3 to 5 of 5 ran under other conditions: during trial 3: power mode from 0 to 3, "
        "the GPU's highest clock in MHz from 1300.5 to 1122, "
        "the GPU's lowest clock in MHz from 1300.5 to 1122, CPU cores from 0-5 to 0,3-5, "
        "the CPU's highest clock in MHz from 2035.2 to 2000"
    )


def test_what_changes_between_two_trials_is_found() -> None:
    """The second began under another limit."""
    other = make.conditions(cpu_online="0,3-5")
    finding = only(make.case_evidence([7.2, make.trial_evidence(before=other, after=other)]))
    assert "before trial 2: CPU cores from 0-5 to 0,3-5" in finding.evidence


def test_the_lower_limit_may_move_where_clocks_are_not_locked() -> None:
    """It is the governor's."""
    moved = make.trial_evidence(after=make.conditions(gpu_min_mhz=114.75))
    assert names(make.case_evidence([moved])) == ["changed"]
    assert names(make.case_evidence([moved], locked=False)) == []


def test_a_trial_that_began_hot_is_found() -> None:
    """With the temperature, the limit and the wait; its time is not held against it."""
    hot = make.cooling(reached=False, waited_s=300.0, gpu_temp_c=71.5)
    trials = [make.trial_evidence(ms, cooling=hot) for ms in (7.2, 7.9, 8.9)]
    finding = only(make.case_evidence(trials))
    assert finding.check == "heat"
    assert finding.evidence == (
        "trials 1 to 3 of 3 began with the GPU at 71.5 °C, above the 60 °C of --cooldown, "
        "after a wait of 300 s"
    )
    assert (
        names(make.case_evidence([make.trial_evidence(cooling=make.cooling(waited_s=99.0))])) == []
    )


def test_a_neighbour_on_the_gpu_is_named() -> None:
    """But not the desktop, nor for the noise that it makes."""
    busy = make.telemetry(gpu_load_mean=0.31)
    users = ("911:Xorg", "1204:python3")
    finding = only(make.case_evidence([7.2, 9.5, 7.9], idle=busy, gpu_users=users))
    assert finding.check == "neighbour"
    assert finding.evidence == (
        "the GPU was 31 % busy before the first trial (1204:python3 had it open)"
    )
    nameless = only(make.case_evidence(idle=busy))
    assert nameless.evidence == "the GPU was 31 % busy before the first trial"


def test_an_idle_gpu_may_draw_a_desktop() -> None:
    """Five per cent are allowed, and nothing matters on the CPU."""
    idle = make.telemetry(gpu_load_mean=0.05)
    assert names(make.case_evidence(idle=idle, gpu_users=("1:python3",))) == []
    busy = make.telemetry(gpu_load_mean=0.5)
    assert names(make.case_evidence(idle=busy, gpu=None)) == []


@pytest.mark.parametrize(
    ("gpu", "share", "found"),
    [(0, 0.5, False), (0, 0.51, True), (None, 0.05, False), (None, 0.06, True)],
)
def test_a_neighbour_on_the_cpu_counts_by_what_is_measured(
    gpu: int | None, share: float, *, found: bool
) -> None:
    """Caffe needs one core while the GPU computes, and all of them where the CPU does."""
    taken = make.usage(wall_s=10.0, cores=4, own_s=8.0, busy_s=8.0 + 40 * share)
    evidence = make.case_evidence([7.2, make.trial_evidence(9.9, usage=taken), 7.2], gpu=gpu)
    if found:
        finding = only(evidence)
        assert finding.check == "neighbour"
        assert finding.evidence == (
            f"trial 2 of 3: other processes took {share * 100:.0f} % of the CPU"
        )
    else:
        assert "neighbour" not in names(evidence)


def test_memory_that_is_swapped_is_found() -> None:
    """From more than 1 MiB on, in each trial by itself."""
    some, much = (
        make.trial_evidence(ms, usage=make.usage(swapped_pages=pages))
        for ms, pages in ((7.2, 256), (12.5, 5120))
    )
    assert names(make.case_evidence([some])) == []
    finding = only(make.case_evidence([some, some, much]))
    assert (finding.check, finding.evidence) == ("swapped", "trial 3 of 3: 20 MiB were swapped")
