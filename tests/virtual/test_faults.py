"""What goes wrong on a virtual board while its `caffe` runs, each fault by itself."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.board_root import boot
from jetbench.virtual.counters import pass_time
from jetbench.virtual.faults import Faults, fault_names
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from jetbench.virtual.sensors import Sensors, show_busy
from tests.virtual.helpers import CAFFE, FAST, Root, connected, forward_ms, run
from tests.virtual.test_virtual_caffe import SMALL

if TYPE_CHECKING:
    from pathlib import Path

GPU = "sys/devices/17000000.gp10b"
CLOCK = f"{GPU}/devfreq/17000000.gp10b"
ZONE = "sys/devices/virtual/thermal/thermal_zone2/temp"


class Board(Root):
    """A board in MAXN with locked clocks, and a net to run there."""

    def __init__(self, folder: Path, faults: Faults, options: BoardOptions = FAST) -> None:
        self.options = replace(options, faults=faults)
        super().__init__(folder / "board", self.options)
        self.run("sudo nvpmodel -m 0; sudo ./jetson_clocks.sh")
        self.model = folder / "small.prototxt"
        self.model.write_text(SMALL)
        self.command = f"{CAFFE} time -model {self.model} -gpu 0 -iterations 2"

    def measured_ms(self) -> float:
        """The forward time of one run."""
        return forward_ms(self.log())

    def log(self) -> str:
        return self.run(self.command).err

    def clocks(self) -> list[int]:
        """Lowest, highest and present clock of the GPU in MHz."""
        return [
            int(self.read(f"{CLOCK}/{name}_freq")) // 1_000_000 for name in ("min", "max", "cur")
        ]


@pytest.fixture
def healthy_ms(tmp_path: Path) -> float:
    """The time on a board in good health."""
    (tmp_path / "healthy").mkdir()
    return Board(tmp_path / "healthy", Faults()).measured_ms()


def watched(board: Board) -> str:
    """The GPU's clock while it is busy, as somebody sees it who follows the log."""
    look = f'case $line in *"Performing Forward"*) cat "$JETBENCH_ROOT"/{CLOCK}/cur_freq; esac'
    return board.run(f"{board.command} 2>&1 | while read -r line; do {look}; done").out.strip()


def test_a_throttled_gpu_is_slower_while_caffe_runs(tmp_path: Path, healthy_ms: float) -> None:
    """From the second run on; what is allowed stays locked, and at rest nothing is seen."""
    board = Board(tmp_path, Faults(throttles_at=2))
    assert board.measured_ms() == pytest.approx(healthy_ms, rel=0.05)
    for _ in range(2):
        assert board.measured_ms() > 1.08 * healthy_ms
        assert board.clocks() == [1300, 1300, 1300]


def test_a_throttled_gpu_shows_a_lower_clock(tmp_path: Path) -> None:
    """A fifth less, in a step of the board's table, as long as it computes."""
    slow = BoardOptions(time_scale=1.0)
    board = Board(tmp_path, Faults(throttles_at=1), slow)
    assert watched(board) == "1032750000"
    assert board.clocks() == [1300, 1300, 1300]


def test_somebody_changes_the_mode_in_the_middle(tmp_path: Path, healthy_ms: float) -> None:
    """In the second run: mode, caps and cores are others then, nothing is locked any more."""
    board = Board(tmp_path, Faults(mode_changes_at=2))
    assert board.measured_ms() == pytest.approx(healthy_ms, rel=0.05)
    assert board.read("var/lib/nvpmodel/status") == "pmode:0000\n"
    assert board.measured_ms() > 1.3 * healthy_ms
    assert board.read("var/lib/nvpmodel/status") == "pmode:0001\n"
    assert board.clocks() == [114, 930, 114]
    assert board.read("sys/devices/system/cpu/cpu1/online") == "0\n"
    assert board.measured_ms() > 1.3 * healthy_ms


def test_a_mode_that_is_changed_is_always_another(tmp_path: Path) -> None:
    """A board in MAXQ is set to MAXN."""
    board = Board(tmp_path, Faults(mode_changes_at=1))
    board.run("sudo nvpmodel -m 1")
    board.log()
    assert board.read("var/lib/nvpmodel/status") == "pmode:0000\n"


def test_a_neighbour_on_the_gpu_is_seen_at_rest_and_felt(
    tmp_path: Path, healthy_ms: float
) -> None:
    """Load, tegrastats and the list of the GPU's users tell of it; times are a third longer."""
    board = Board(tmp_path, Faults(gpu_neighbour=True))
    assert board.read(f"{GPU}/load") == "380\n"
    assert board.read("sys/devices/gpu.0/load") == "380\n"
    assert re.fullmatch(r"\d+:\w+\n", board.read("run/gpu-users"))
    assert "GR3D_FREQ 38%@1300" in board.run("sudo timeout 0.3 ./tegrastats").out
    assert board.measured_ms() == pytest.approx(healthy_ms * 4 / 3, rel=0.05)
    assert board.read(f"{GPU}/load") == "380\n"
    Sensors(board.path).tick(1.0)
    assert board.read(f"{GPU}/load") == "380\n"


def test_a_healthy_board_has_nobody_on_its_gpu(tmp_path: Path) -> None:
    """Also where it had before, and as soon as its own caffe is done."""
    Board(tmp_path, Faults(gpu_neighbour=True))
    board = Board(tmp_path, Faults())
    assert not (board.path / "run/gpu-users").exists()
    board.log()
    assert board.read(f"{GPU}/load") == "0\n"


def test_a_wrong_batch_is_in_the_log_and_in_the_times(tmp_path: Path, healthy_ms: float) -> None:
    """Caffe says which batch it runs, whatever the file says."""
    board = Board(tmp_path, Faults(wrong_batch=64))
    log = board.log()
    assert "Top shape: 64 3 8 8 (12288)" in log
    assert forward_ms(log) > healthy_ms


def test_a_batch_that_cannot_be_changed_is_left(tmp_path: Path) -> None:
    """A file that no patch is certain of runs as it is."""
    board = Board(tmp_path, Faults(wrong_batch=64))
    board.model.write_text(SMALL.replace("dim: 1 dim: 3 dim: 8 dim: 8", ""))
    assert "Top shape: 64" not in board.log()


def test_a_hot_board_stays_hot(tmp_path: Path) -> None:
    """78 degrees from the first moment on, at rest and at work."""
    board = Board(tmp_path, Faults(never_cools=True))
    sensors = Sensors(board.path)
    for _ in range(100):
        assert board.read(ZONE) == "78000\n"
        sensors.tick(10.0)
    show_busy(board.path)
    sensors.tick(100.0)
    assert board.read(ZONE) == "78000\n"


def test_a_warm_board_cools_as_fast_as_it_is_told(tmp_path: Path) -> None:
    """It starts at the temperature that is wished for, with a time constant of its own."""
    board = Board(tmp_path, Faults(), replace(FAST, start_c=70.0, time_constant_s=2.0))
    assert board.read(ZONE) == "70000\n"
    sensors = Sensors(board.path)
    sensors.tick(2.0)
    assert 48_000 < int(board.read(ZONE)) < 52_000
    sensors.tick(20.0)
    assert board.read(ZONE) == "38000\n"


def cpu_times(board: Root) -> tuple[int, int]:
    """Busy and all hundredths of a second of the board's cores."""
    numbers = [int(field) for field in board.read("proc/stat").split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4], sum(numbers)


@pytest.mark.parametrize(("neighbour", "share"), [(False, 0.0), (True, 2 / 6)])
def test_a_neighbour_on_the_cpu_takes_two_cores(
    tmp_path: Path, share: float, *, neighbour: bool
) -> None:
    """Of the six that are on; without one only caffe itself is counted."""
    board = Board(tmp_path, Faults(cpu_neighbour=neighbour))
    before = cpu_times(board)
    pass_time(board.path, neighbour=neighbour)
    seen = cpu_times(board)
    busy, total = (now - then for now, then in zip(seen, before, strict=True))
    assert total > 0
    assert busy == pytest.approx(total * share, abs=2)
    board.log()
    own = cpu_times(board)[0] - seen[0]
    assert 2 <= own < 6000
    assert ("100%@" in board.run("timeout 0.3 ./tegrastats").out) is neighbour


def test_swapping_is_counted_in_each_run(tmp_path: Path) -> None:
    """Pages go out and come in; on a healthy board neither."""
    for faults, swaps in ((Faults(swaps=True), True), (Faults(), False)):
        (tmp_path / str(swaps)).mkdir()
        board = Board(tmp_path / str(swaps), faults)
        seen = []
        for _ in range(3):
            pages = dict(line.split() for line in board.read("proc/vmstat").splitlines())
            seen.append((int(pages["pswpin"]), int(pages["pswpout"])))
            board.log()
        grows = seen[0][0] < seen[1][0] < seen[2][0] and seen[0][1] < seen[1][1] < seen[2][1]
        assert grows is swaps


def test_the_first_runs_after_boot_are_slower(tmp_path: Path, healthy_ms: float) -> None:
    """Two of them by 8 %, and again after the next boot."""
    board = Board(tmp_path, Faults(slow_first=2))
    for _ in range(2):
        times = [board.measured_ms() / healthy_ms for _ in range(4)]
        assert min(times[:2]) > 1.04
        assert max(times[2:]) < 1.04
        boot(board.path, board.options)
        board.run("sudo ./jetson_clocks.sh")


def test_one_run_is_an_outlier(tmp_path: Path, healthy_ms: float) -> None:
    """The second by 12 %, and no other."""
    board = Board(tmp_path, Faults(outlier_at=2))
    times = [board.measured_ms() / healthy_ms for _ in range(3)]
    assert [time > 1.08 for time in times] == [False, True, False]


def test_a_capped_board_is_slower_than_its_table_allows(tmp_path: Path, healthy_ms: float) -> None:
    """Its modes end at the step nearest to the cap, and its table goes on to 1300 MHz."""
    board = Board(tmp_path, Faults(clock_cap=1122))
    assert board.clocks() == [1134, 1134, 1134]
    assert board.read(f"{CLOCK}/available_frequencies").endswith(" 1300500000\n")
    assert board.measured_ms() > 1.04 * healthy_ms
    board.run("sudo nvpmodel -m 1")
    assert board.clocks()[1] == 930


def test_every_fault_has_a_name() -> None:
    """As fields and at the command line; a fault that is named is on."""
    assert len(fault_names()) == len(fields(Faults))
    for name in fault_names():
        assert Faults.named([name]) != Faults(), name
    assert Faults.named(["swaps", "throttles-at=7"]) == Faults(swaps=True, throttles_at=7)
    assert Faults.named(["slow_first"]) == Faults(slow_first=2)


@pytest.mark.parametrize("name", ["", "hiccups", "swaps=1", "outlier-at=0", "outlier-at=x"])
def test_a_fault_that_is_none_is_refused(name: str) -> None:
    """Unknown names, numbers where none belongs, and numbers that are none."""
    with pytest.raises(ValueError, match=r"fault|number"):
        Faults.named([name])


def test_a_neighbour_shows_while_the_board_is_served(tmp_path: Path) -> None:
    """Over SSH: tegrastats shows its load, and the cores' time goes on without caffe."""
    faults = Faults(gpu_neighbour=True, cpu_neighbour=True)
    options = replace(FAST, release="r32", faults=faults)
    with (
        VirtualFleet(1, tmp_path, [options]) as fleet,
        connected(fleet, fleet.boards[0]) as client,
    ):
        stat = 'cat "$JETBENCH_ROOT"/proc/stat'
        first = run(client, stat).out.strip()
        wait = f"until [ '{first}' != \"$({stat})\" ]; do sleep 0.1; done"
        answer = run(client, f"sudo timeout 0.3 tegrastats; {wait}")
        assert "GR3D_FREQ 38%@" in answer.out
