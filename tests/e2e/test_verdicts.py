"""One fault a board: its verdict comes up, only it, and the board is afterwards as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Done, Program, at_rest, inventory_for, power_state, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard
    from jetbench.virtual.options import Release

# A warm-up is the first run that a board counts.
DOUBTFUL: dict[str, tuple[Release, Faults]] = {
    "good": ("r28", Faults()),
    "good R27": ("r27", Faults()),
    "good R32": ("r32", Faults()),
    "throttled": ("r28", Faults(throttles_at=4)),
    "changed": ("r32", Faults(mode_changes_at=4)),
    "neighbour": ("r28", Faults(gpu_neighbour=True)),
    "batch": ("r32", Faults(wrong_batch=2)),
    "heat": ("r28", Faults(never_cools=True)),
    "swapped": ("r32", Faults(swaps=True)),
    "first_trials": ("r28", Faults(slow_first=2)),
    "outlier": ("r32", Faults(outlier_at=5)),
}
REFUSED: dict[str, tuple[Release, Faults, str]] = {
    "clocks": ("r28", Faults(clocks_will_not_lock=True), "the clocks did not lock: cpu0"),
    "silent": ("r32", Faults(nvpmodel_fails_silently=True), "power mode is 3, not 0"),
    "asks": ("r28", Faults(asks_to_overwrite=True), "Can I overwrite it"),
    "reboot": ("r32", Faults(mode_needs_reboot=True), "reboot the board before you measure"),
}
NAMES = [*DOUBTFUL, *REFUSED]
REPEATS = 6


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """A board for each fault, in real time: its sensors are read while it measures."""
    kinds = [*DOUBTFUL.values(), *((release, faults) for release, faults, _ in REFUSED.values())]
    options = [
        BoardOptions(release=release, faults=faults, time_scale=1.0, seed=number)
        for number, (release, faults) in enumerate(kinds, start=1)
    ]
    with VirtualFleet(len(options), tmp_path_factory.mktemp("doubtful"), options) as served:
        yield served


@pytest.fixture(scope="module")
def before(fleet: VirtualFleet) -> dict[str, tuple[str, ...]]:
    """The power state of every board before the sweep."""
    return {name: power_state(board_of(fleet, name)) for name in NAMES}


@pytest.fixture(scope="module")
def done(
    fleet: VirtualFleet, before: object, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Done, Path]:
    """One sweep over all of them."""
    assert before
    folder = tmp_path_factory.mktemp("sweep")
    inventory = inventory_for(fleet, folder / "inventory.yaml", {})
    program = Program(folder, inventory)
    return (
        program(
            "run",
            "squeezenet1.1",
            *("--iterations", "40", "--repeats", str(REPEATS), "--cooldown-wait", "2"),
            *("--format", "json"),
        ),
        program.sweep(),
    )


def board_of(fleet: VirtualFleet, name: str) -> VirtualBoard:
    """The board with this fault."""
    return fleet.boards[NAMES.index(name)]


def record_of(done: tuple[Done, Path], name: str) -> dict[str, Any]:
    """The record of the board with this fault."""
    [record] = [
        record
        for record in done[0].document["records"]
        if record["board"] == f"virt-{NAMES.index(name) + 1:02d}"
    ]
    return dict(record)


@pytest.mark.parametrize("name", DOUBTFUL)
def test_each_fault_has_its_verdict_and_no_other(done: tuple[Done, Path], name: str) -> None:
    """A board in good health has none; each finding has its evidence and its advice."""
    record = record_of(done, name)
    found = [finding["check"] for finding in record["findings"]]
    assert found == ([] if name.startswith("good") else [name]), record["findings"]
    assert record["status"] == ("suspect" if found else "ok")
    assert record["reasons"] == [finding["evidence"] for finding in record["findings"]]
    assert all(finding["advice"] for finding in record["findings"])
    assert record["forward_ms"]["n"] == REPEATS


@pytest.mark.parametrize("name", REFUSED)
def test_what_did_not_take_is_refused_with_its_reason(done: tuple[Done, Path], name: str) -> None:
    """Nothing is measured, and the message says what was read back and what the tool said."""
    record = record_of(done, name)
    assert record["status"] == "lost"
    assert record["forward_ms"] is None
    board = done[0].document["boards"][record["board"]]
    assert REFUSED[name][2] in board["error"]
    assert board["restored"] is True


@pytest.mark.parametrize("name", NAMES)
def test_the_board_is_as_it_was_before(
    fleet: VirtualFleet, before: dict[str, tuple[str, ...]], done: tuple[Done, Path], name: str
) -> None:
    """Mode, clocks, cores and fan are put back; nothing runs there, and nothing is left."""
    assert done[0].status == 1
    board = board_of(fleet, name)
    wait_until(lambda: at_rest(board))
    assert power_state(board) == before[name]


def test_nobody_answers_a_question_of_a_tool(fleet: VirtualFleet, done: tuple[Done, Path]) -> None:
    """The board was not rebooted, and the user's own file is the user's own still."""
    assert done[0].status == 1
    assert not (board_of(fleet, "reboot").root / "run/rebooted").exists()
    own = board_of(fleet, "asks").home / "l4t_dfs.conf"
    assert own.exists()


def test_the_sensors_are_told_with_each_record(done: tuple[Done, Path]) -> None:
    """Clocks, power and energy while it iterated, the power at rest, where it came from."""
    record = record_of(done, "good")
    conditions = record["conditions"]
    assert conditions["gpu_mhz_min"] == conditions["gpu_mhz_max"] == pytest.approx(1300.5, abs=1)
    assert conditions["emc_mhz_min"] == pytest.approx(1866, abs=1)
    assert 3 < conditions["power_w_idle"] < 4
    # A busy machine cuts the first and the last reading into the next state.
    assert 8 < conditions["power_w_mean"] < conditions["power_w_max"] + 0.001 < 14
    # Forward and backward of one iteration, at the mean power.
    took_s = record["forward_backward_ms"]["mean"] / 1000
    expected_j = conditions["power_w_mean"] * took_s
    assert conditions["energy_j_iteration"] == pytest.approx(expected_j, rel=0.1)
    assert record["provenance"]["l4t"].startswith("28.")
    assert record["provenance"]["gpu_temp_c_start"] is not None
