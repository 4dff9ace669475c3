"""The boards of scripts/real-boards do what a TX2 does, as far as jetbench can tell.

Nothing of jetbench reaches them here: plain ssh only. Each test puts back what it changes.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.conftest import RealBoard, RealBoards

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "real-boards"
NET = """\
name: "small"
input: "data"
input_shape { dim: 2 dim: 1 dim: 28 dim: 28 }
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 6 kernel_size: 5 weight_filler { type: "xavier" } }
}
layer {
  name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 }
}
layer {
  name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } }
}
layer { name: "prob" type: "Softmax" bottom: "ip1" top: "prob" }
"""
MODES = {0: "MAXN", 1: "MAXQ", 2: "MAXP_CORE_ALL", 3: "MAXP_CORE_ARM", 4: "MAXP_CORE_DENVER"}
STORED = "/tmp/clocks-before-test"
root_here = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")


@pytest.fixture(params=["r28", "r32"])
def board(request: pytest.FixtureRequest, real_boards: RealBoards) -> RealBoard:
    """The first board of each release."""
    for each in real_boards.boards:
        if each.release == request.param:
            return each
    pytest.skip(f"no board of {request.param} runs")


@pytest.fixture
def power(board: RealBoard) -> Iterator[RealBoard]:
    """A board whose power mode and clocks are put back after the test."""
    before = mode_of(board)
    board.run_as_root(f"rm -f {STORED}; {board.jetson_clocks} --store {STORED}")
    yield board
    board.run_as_root(
        f"{board.jetson_clocks} --restore {STORED}; rm -f {STORED}; nvpmodel -m {before}"
    )
    assert mode_of(board) == before


def mode_of(board: RealBoard) -> int:
    """The power mode that the board says it is in."""
    answer = board.run_as_root("nvpmodel -q").stdout.splitlines()
    mode = int(answer[-1])
    assert answer[-2] == f"NV Power Mode: {MODES[mode]}"
    return mode


def clocks_of(board: RealBoard) -> dict[str, dict[str, int]]:
    """Minimum, maximum and current clock of each unit, as jetson_clocks shows them."""
    shown = board.run_as_root(f"{board.jetson_clocks} --show").stdout
    return {
        unit: {key: int(value) for key, value in re.findall(r"(\w+)Freq=(\d+)", clocks)}
        for unit, clocks in re.findall(r"^(cpu\d|GPU|EMC)\b(.*Freq=.*)$", shown, re.MULTILINE)
    }


def time_net(board: RealBoard, program: str, options: str) -> subprocess.CompletedProcess[str]:
    """``caffe time`` of the small net; log and errors in stdout."""
    return board.run(
        "f=$(mktemp -d) && trap 'rm -r $f' EXIT && cat >$f/net && export GLOG_log_dir=$f && "
        f"{program} time -model $f/net -iterations 3 {options} 2>&1",
        stdin=NET,
    )


def test_caffe_times_a_net(board: RealBoard) -> None:
    """Real Caffe logs the shapes it ran and the times it took."""
    done = time_net(board, "caffe/build/tools/caffe", "-phase TEST")
    assert done.returncode == 0, done.stdout
    assert "Top shape: 2 1 28 28 (1568)" in done.stdout
    assert re.search(r"caffe\.cpp:\d+\] Average Forward pass: [\d.]+ ms\.", done.stdout)
    assert done.stdout.rstrip().endswith("*** Benchmark ends ***")


def test_caffe_has_no_gpu(board: RealBoard) -> None:
    """The Caffe of the inventory is a CPU build, and says so when asked for a GPU."""
    done = time_net(board, "caffe/build/tools/caffe", "-gpu 0")
    assert done.returncode != 0
    assert "Cannot use GPU in CPU-only Caffe" in done.stdout


@pytest.mark.parametrize("gpu", ["-gpu 0", "--gpu 0", "-gpu=0", "--gpu=0"])
def test_front_takes_a_gpu(board: RealBoard, gpu: str) -> None:
    """The other Caffe folder takes the option in every way of writing it."""
    done = time_net(board, "caffe-gpu-front/build/tools/caffe", f"{gpu} -phase TEST")
    assert done.returncode == 0, done.stdout
    assert "Average Forward pass" in done.stdout


def test_nvpmodel_needs_root(board: RealBoard) -> None:
    """Without root there is an error and no mode."""
    done = board.run("nvpmodel -q </dev/null")
    assert done.returncode != 0
    assert "NVPM ERROR" in done.stdout
    assert "NV Power Mode" not in done.stdout


@pytest.mark.parametrize("mode", MODES)
def test_mode_can_be_set(power: RealBoard, mode: Literal[0, 1, 2, 3, 4]) -> None:
    """A mode is read back after it was set, with the clocks of the board's own table."""
    power.run_as_root(f"nvpmodel -m {mode} </dev/null")
    assert mode_of(power) == mode
    table = power.run(
        "cat /sys/devices/17000000.gp10b/devfreq/17000000.gp10b/available_frequencies"
    ).stdout
    cap_hz = {0: 1_300_500_000, 1: 850_000_000}.get(mode, 1_120_000_000)
    expected = min(step for step in map(int, table.split()) if step >= cap_hz)
    assert clocks_of(power)["GPU"]["Max"] == expected


def test_bad_mode_changes_nothing(power: RealBoard) -> None:
    """A mode that does not exist is an error in words, though not in the exit code."""
    before = mode_of(power)
    done = power.run_as_root("nvpmodel -m 9 </dev/null")
    assert "NVPM ERROR: request for bad power mode 9" in done.stdout
    assert done.returncode == 0
    assert mode_of(power) == before


def test_clocks_lock_and_come_back(power: RealBoard) -> None:
    """Locked clocks stand at their maximum, memory's too, and --restore lets them go."""
    before = clocks_of(power)
    power.run_as_root(power.jetson_clocks)
    locked = clocks_of(power)
    gpu, emc = locked["GPU"], locked["EMC"]
    assert gpu["Min"] == gpu["Max"] == gpu["Current"]
    assert emc["Current"] == emc["Max"] > emc["Min"]
    power.run_as_root(f"{power.jetson_clocks} --restore {STORED}")
    assert clocks_of(power) == before
    assert before["GPU"]["Min"] < before["GPU"]["Max"]


@pytest.mark.parametrize(("answer", "kept"), [("", True), ("n\n", True), ("y\n", False)])
def test_store_asks_before_it_overwrites(power: RealBoard, answer: str, *, kept: bool) -> None:
    """Onto a file that exists, --store asks on stdin; the end of input means no."""
    done = power.run_as_root(
        f"echo old >{STORED}.2; {power.jetson_clocks} --store {STORED}.2; "
        f"echo exit $?; head -n 1 {STORED}.2; rm {STORED}.2",
        stdin=answer,
    )
    assert "Can I overwrite it? Y/N:" in done.stdout
    assert ("exit 1\nold\n" in done.stdout) is kept


def test_clocks_need_root(board: RealBoard) -> None:
    """Without root even --show refuses, with exit code 1."""
    done = board.run(f"{board.jetson_clocks} --show")
    assert done.returncode == 1
    assert "as a root user" in done.stdout


@pytest.mark.parametrize("as_root", [False, True])
def test_tegrastats_prints_until_stopped(board: RealBoard, *, as_root: bool) -> None:
    """Each release has its own way of printing, and keeps the engines for root."""
    run = board.run_as_root if as_root else board.run
    done = run(f"timeout 1 {board.tegrastats} --interval 100")
    lines = done.stdout.splitlines()
    assert len(lines) > 1
    for line in lines:
        assert re.match(r"RAM \d+/\d+MB \(lfb \d+x4MB\) ", line)
        assert ("SWAP" in line) is (board.release == "r32")
        assert ("VDD_SYS_GPU" in line) is (board.release == "r32")
        assert bool(re.search(r"GR3D_FREQ \d+%@\d+", line)) is as_root


def test_cores_that_are_off_are_told(power: RealBoard) -> None:
    """In mode 3 the two Denver cores are off, in every place where one can look."""
    power.run_as_root("nvpmodel -m 3 </dev/null")
    line = power.run(f"timeout 1 {power.tegrastats}").stdout
    assert re.search(r"CPU \[\d+%@\d+,off,off,\d", line)
    online = power.run("cat /sys/devices/system/cpu/cpu[0-5]/online").stdout
    assert online.split() == ["1", "0", "0", "1", "1", "1"]


def test_sudo_is_as_the_inventory_says(board: RealBoard) -> None:
    """With a password, sudo does nothing without it; without one, it asks for none."""
    silent = board.run("sudo -k -n id -u")
    if board.sudo_password is None:
        assert silent.stdout == "0\n"
    else:
        assert silent.returncode != 0
        assert board.sudo_password not in board.run("ps axe").stdout
    assert board.run_as_root("id -u").stdout == "0\n"


def test_boards_do_not_see_each_other(real_boards: RealBoards) -> None:
    """Each board has its own processes, boot, name and files."""
    answers = [
        board.run("cat /proc/sys/kernel/random/boot_id; hostname; ls /proc | grep -c '^[0-9]'")
        for board in real_boards.boards
    ]
    boots, names, counts = zip(*(answer.stdout.split() for answer in answers), strict=True)
    assert len(set(boots)) == len(boots)
    assert names == tuple(board.name for board in real_boards.boards)
    assert all(int(count) < 40 for count in counts)


@root_here
def test_root_shows_the_board(board: RealBoard) -> None:
    """The root folder of the fixture is the board's own disk, as it is now."""
    path = board.run("mktemp").stdout.strip()
    try:
        assert (board.root / path.lstrip("/")).exists()
        assert (board.root / "etc/nv_tegra_release").read_text(encoding="utf-8").startswith("# R")
    finally:
        board.run(f"rm {path}")


@root_here
def test_reboot_keeps_the_mode_and_nothing_else(power: RealBoard, real_boards: RealBoards) -> None:
    """After a reboot: another boot id, no process, empty /tmp, the mode, clocks let go."""
    look = (
        "cat /proc/sys/kernel/random/boot_id; pgrep -c sleep; cut -d. -f1 /proc/uptime; ls -A /tmp"
    )
    power.run_as_root(f"nvpmodel -m 0 </dev/null; {power.jetson_clocks}")
    power.run("touch ~/kept; setsid sleep 99 >/dev/null 2>&1 </dev/null &")
    boot, sleeping, _, *temporary = power.run(look).stdout.split()
    assert sleeping == "1"
    assert STORED.rpartition("/")[2] in temporary
    stored = power.run_as_root(f"cat {STORED}").stdout
    subprocess.run(
        [SCRIPT, "reboot", power.name, "--dir", real_boards.folder], check=True, timeout=60
    )
    new_boot, sleeping, uptime_s, *temporary = power.run(look).stdout.split()
    assert new_boot != boot
    assert (sleeping, temporary) == ("0", [])
    assert int(uptime_s) < 60
    assert mode_of(power) == 0
    gpu = clocks_of(power)["GPU"]
    assert gpu["Min"] < gpu["Max"]
    assert power.run("rm ~/kept").returncode == 0
    power.run_as_root(f"cat >{STORED}", stdin=stored)


def test_sshd_comes_back(board: RealBoard) -> None:
    """A killed sshd is started again; a session that was open lives on."""
    done = board.run_as_root("kill $(cat /run/sshd.pid); sleep 1; cat /run/sshd.pid")
    assert done.returncode == 0
    assert int(done.stdout) > 0
    assert board.run("true").returncode == 0
