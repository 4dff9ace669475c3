"""What goes wrong in a lab, done to boards that run real Caffe: nothing is lost silently."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from benchmarks.latency_proxy import LatencyProxy
from tests.real.program import (
    MODEL,
    PATIENCE_S,
    Sweep,
    assert_measured,
    assert_measured_in_parts,
    await_end,
    await_trial,
    eventually,
    jetbench,
    journal,
    left_on,
    power_of,
    processes,
    reboot,
    set_mode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.conftest import RealBoard, RealBoards, StartBoards

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")
SWEEP = (
    *(MODEL, "--gpu", "none", "--iterations", "4", "--repeats", "3"),
    # Each of these tests is a sweep or two; what a warm-up is for is tested elsewhere.
    *("--warm-up", "0"),
)
MAXQ = 1
"""The mode that the boards are in: another one than they are measured in."""


@pytest.fixture(scope="module")
def boards(start_boards: StartBoards) -> RealBoards:
    """Two boards that only these tests use."""
    return start_boards(2)


@pytest.fixture
def pair(boards: RealBoards) -> Iterator[tuple[RealBoard, RealBoard]]:
    """The board that something happens to, and another one; both must end as they began."""
    first, second = boards.boards
    before = {}
    for board in (first, second):
        set_mode(board, MAXQ)
        before[board.name] = power_of(board)
        assert "NV Power Mode: MAXQ" in before[board.name]
    yield first, second
    assert {board.name: power_of(board) for board in (first, second)} == before
    assert left_on(first) == left_on(second) == []


def test_ssh_server_dies(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """All of sshd is killed in the middle of a trial: the trial and the sweep go on."""
    board, other = pair
    with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
        await_trial(board, 2)
        killed = board.run_as_root("pkill -KILL sshd")
        done = sweep.done()
    assert killed.returncode != 0, "it was killed with this very session"
    assert done.status == 0, done.said
    assert_measured(done, board)
    assert_measured(done, other)
    assert f"{board.name}: the connection broke; connecting again" in done.said
    assert done.document["boards"][board.name]["notes"] != []
    assert done.document["boards"][other.name]["notes"] == []


def test_link_is_cut(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """The link breaks in the middle of two trials, and comes back: nothing is missing."""
    board = pair[0]
    with LatencyProxy(board.host, board.port) as proxy:
        inventory = _behind(boards, board, proxy, tmp_path)
        with Sweep(inventory, tmp_path / "results", *SWEEP, "--board", board.name) as sweep:
            for number in (1, 3):
                await_trial(board, number)
                proxy.cut()
            done = sweep.done()
        assert proxy.counts.connections >= 3
    assert done.status == 0, done.said
    assert_measured(done, board)


def _behind(boards: RealBoards, board: RealBoard, proxy: LatencyProxy, folder: Path) -> Path:
    """The inventory, in which a board is reached through a proxy."""
    place = f"host: {board.host}\n    port: {board.port}\n"
    text = boards.inventory.read_text(encoding="utf-8")
    assert place in text
    known_hosts = folder / "known_hosts"
    key = (boards.folder / "keys" / f"host-{board.name}.pub").read_text(encoding="utf-8")
    known_hosts.write_text(f"[{proxy.host}]:{proxy.port} {key}", encoding="utf-8")
    text = text.replace(place, f"host: {proxy.host}\n    port: {proxy.port}\n")
    inventory = folder / "inventory.yaml"
    inventory.write_text(text.replace(board.known_hosts, str(known_hosts)), encoding="utf-8")
    return inventory


def test_home_is_small(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """A home with too little room is told before anything is sent; the others go on."""
    board, other = pair
    home = "/home/nvidia"
    board.run_as_root(
        f"mkdir /mnt/home && mount -t tmpfs -o size=40m,mode=755 home /mnt/home && "
        f"cp -a {home}/. /mnt/home && chown nvidia: /mnt/home && mount --move /mnt/home {home}"
    )
    try:
        with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
            done = sweep.done()
        assert left_on(board) == []
    finally:
        board.run_as_root(f"umount -l {home}; rmdir /mnt/home")
    assert done.status == 1, done.said
    found = done.document["boards"][board.name]
    assert re.fullmatch(r"only \d+ MiB of disk are free", found["error"])
    assert "free at least 64 MiB" in found["hint"]
    assert done.records[board.name, MODEL]["status"] == "lost"
    assert found["error"] in done.records[board.name, MODEL]["reasons"]
    assert found["changed"] is False
    assert_measured(done, other)


@pytest.fixture
def small_folder(pair: tuple[RealBoard, RealBoard]) -> Iterator[RealBoard]:
    """A board on whose ``~/.jetbench`` hardly anything fits."""
    board = pair[0]
    board.run("mkdir -m 700 .jetbench")
    folder = "/home/nvidia/.jetbench"
    options = "size=256k,uid=1000,gid=1000,mode=700"
    board.run_as_root(f"mount -t tmpfs -o {options} small {folder}")
    yield board
    await_end(board)
    left = board.run(f"find {folder} -mindepth 1").stdout
    board.run_as_root(f"umount {folder}; rmdir {folder}")
    assert left == ""


def test_disk_is_full_at_the_start(
    boards: RealBoards,
    small_folder: RealBoard,
    pair: tuple[RealBoard, RealBoard],
    tmp_path: Path,
) -> None:
    """What cannot be unpacked is told with the tool's own words, and removed."""
    small_folder.run("mkdir -m 700 .jetbench/sweeps; cat /dev/zero >.jetbench/ballast")
    try:
        with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
            done = sweep.done()
    finally:
        small_folder.run("rm -r .jetbench/ballast .jetbench/sweeps")
    assert done.status == 1, done.said
    found = done.document["boards"][small_folder.name]
    assert "does not fit on its disk" in found["error"]
    assert "No space left on device" in found["error"]
    assert found["changed"] is False
    assert_measured(done, pair[1])


def test_disk_fills_up(
    boards: RealBoards,
    small_folder: RealBoard,
    pair: tuple[RealBoard, RealBoard],
    tmp_path: Path,
) -> None:
    """What was measured before the disk was full counts; the rest says why it is missing."""
    with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
        await_trial(small_folder, 2)
        small_folder.run("cat /dev/zero >.jetbench/ballast")
        done = sweep.done()
        small_folder.run("rm .jetbench/ballast")
    assert done.status == 1, done.said
    record = done.records[small_folder.name, MODEL]
    assert record["trials"][0]["failure"] is None
    assert record["trials"][1]["failure"]["kind"] == "truncated"
    assert record["trials"][2]["failure"]["message"] == "the board's disk is full"
    assert done.document["boards"][small_folder.name]["restored"] is True
    assert_measured(done, pair[1])


def test_runner_is_killed(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """The guard ends what the runner has left and restores; the rest is measured after that."""
    board, other = pair
    with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
        await_trial(board, 2)
        runner = _pid(board, "/runner.sh ")
        board.run_as_root(f"kill -KILL {runner}")
        done = sweep.done()
    assert done.status == 0, done.said
    assert_measured_in_parts(done, board)
    assert_measured(done, other)


def test_guard_is_killed(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """Nothing is measured without a guard; another one puts back, and measures the rest."""
    board = pair[0]
    with Sweep(boards.inventory, tmp_path, *SWEEP, "--board", board.name) as sweep:
        await_trial(board, 1)
        guards = [pid for pid, line in processes(board).items() if "/guard.sh " in line]
        board.run_as_root("kill -KILL " + " ".join(map(str, guards)))
        done = sweep.done()
    assert done.status == 0, done.said
    assert_measured_in_parts(done, board)
    put_back = (done.folder / "restores" / board.name).read_text(encoding="utf-8")
    assert f"@guard state=recovered mode={MAXQ}" in put_back


def test_guard_hangs(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """A tool that never comes back, as root, holds the lock of a dead sweep: unlock ends it."""
    board = pair[0]
    tool = board.root / "usr/sbin/nvpmodel"
    whole = tool.read_bytes()
    once = tool.with_name("hang-once")
    hangs = f'case "$*" in *"-m {MAXQ}"*) rm {once.name} && trap "" TERM && sleep 300 ;; esac\n'
    try:
        with Sweep(boards.inventory, tmp_path, *SWEEP, "--board", board.name) as sweep:
            await_trial(board, 1)
            tool.write_bytes(whole.replace(b"\n", f"\ncd /usr/sbin; {hangs}".encode(), 1))
            once.touch()
            sweep.process.send_signal(signal.SIGKILL)
            board.run_as_root(f"kill -KILL {_pid(board, '/runner.sh ')}")
            eventually("the tool hangs", lambda: "sleep 300" in str(processes(board)))
        unlocked = jetbench("boards", "unlock", board.name, "-i", boards.inventory)
    finally:
        tool.write_bytes(whole)
        once.unlink(missing_ok=True)
    assert (unlocked.status, unlocked.out) == (0, f"{board.name}: unlocked\n"), unlocked.said
    assert "sleep 300" not in str(processes(board))
    with Sweep(boards.inventory, tmp_path, "--resume", "latest") as sweep:
        done = sweep.done()
    assert done.status == 0, done.said
    assert_measured_in_parts(done, board)


def _pid(board: RealBoard, part: str) -> int:
    """The first process of a board with this in its command line."""
    return min(pid for pid, line in processes(board).items() if part in line)


def test_board_reboots(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """What the guard had saved is put back once the board is up, and the rest is measured."""
    board, other = pair
    with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
        await_trial(board, 2)
        reboot(boards, board)
        done = sweep.done()
    assert done.status == 0, done.said
    assert_measured_in_parts(done, board)
    assert "the board went down" in done.said
    assert_measured(done, other)


def test_host_and_board_die(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """Nobody is there when the board comes back: taking the sweep up again puts all right."""
    board = pair[0]
    with Sweep(boards.inventory, tmp_path, *SWEEP, "--board", board.name) as sweep:
        await_trial(board, 1)
        sweep.process.send_signal(signal.SIGKILL)
        reboot(boards, board)
    assert "NV Power Mode: MAXN" in power_of(board)
    checked = jetbench("boards", "check", board.name, "-i", boards.inventory)
    assert checked.status == 0
    assert "before it could put the power state back" in checked.out
    with Sweep(boards.inventory, tmp_path, "--resume", "latest") as sweep:
        again = sweep.done()
    assert again.status == 0, again.said
    assert_measured_in_parts(again, board)
    assert again.document["boards"][board.name]["power_before"]["name"] == "MAXQ"


def test_host_dies(boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path) -> None:
    """The boards measure to the end and put themselves back; resume only fetches that."""
    with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
        for board in pair:
            await_trial(board, 1)
        sweep.process.send_signal(signal.SIGKILL)
        sweep.process.wait(PATIENCE_S)
        for board in pair:
            await_end(board)
    for board in pair:
        text = journal(board).decode()
        assert re.findall(r"^@done id=(\d+) exit=0 ", text, re.MULTILINE) == list("123")
        assert "\n@end reason=finished " in text
        assert f"\n@guard state=restored mode={MAXQ} " in text
    with Sweep(boards.inventory, tmp_path, "--resume", "latest") as sweep:
        done = sweep.done()
    assert done.status == 0, done.said
    for board in pair:
        assert_measured(done, board)


def test_nobody_waits(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """Detached boards are found, looked at and fetched from, by another host as well."""
    here = (*("--inventory", boards.inventory), "--results", tmp_path / "here")
    left = jetbench("run", *SWEEP, "--detach", *here)
    assert left.status == 0, left.said
    sweep = left.out.strip()
    shown = jetbench("status", sweep, *here)
    assert shown.out.count(f"{MODEL} #") == len(pair), shown.out
    there = (*("--inventory", boards.inventory), "--results", tmp_path / "there")
    for host in (there, here):
        done = jetbench("attach", sweep, *host, "--format", "json")
        assert done.status == 0, done.said
        for board in pair:
            assert_measured(done, board)


def test_caffe_is_not_where_the_inventory_says(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """The message names the place, and where there is one instead; the others go on."""
    board, other = pair
    inventory = tmp_path / "inventory.yaml"
    text = boards.inventory.read_text(encoding="utf-8")
    entry = f"  {board.name}:\n"
    assert entry in text
    inventory.write_text(text.replace(entry, f"{entry}    caffe_root: /opt/caffe\n"))
    with Sweep(inventory, tmp_path / "results", *SWEEP) as sweep:
        done = sweep.done()
    assert done.status == 1, done.said
    found = done.document["boards"][board.name]
    assert "/opt/caffe/build/tools/caffe" in found["error"]
    assert "/home/nvidia/caffe/build/tools/caffe" in found["hint"]
    assert found["changed"] is False
    assert_measured(done, other)


def test_host_key_has_changed(
    boards: RealBoards, pair: tuple[RealBoard, RealBoard], tmp_path: Path
) -> None:
    """Nobody logs in to a board with another key than the known one; the others go on."""
    board, other = pair
    key = "/etc/ssh/ssh_host_ed25519_key"
    renew = f"cp -a {key} /root/key && rm {key} && ssh-keygen -q -t ed25519 -N '' -f {key}"
    assert board.run_as_root(f"{renew} && kill $(cat /run/sshd.pid)").returncode == 0
    eventually("the new key", lambda: "HAS CHANGED" in board.run("true").stderr)
    try:
        with Sweep(boards.inventory, tmp_path, *SWEEP) as sweep:
            done = sweep.done()
        trusted = jetbench("boards", "trust", board.name, "--yes", "-i", boards.inventory)
    finally:
        _restore_key(board, key)
    assert done.status == 1, done.said
    found = done.document["boards"][board.name]
    assert found["reached"] is False
    assert "host key" in found["error"]
    assert "HAS CHANGED" in found["error"]
    assert "ssh-keygen -R" in found["hint"]
    assert found["error"] in done.said
    assert done.records[board.name, MODEL]["status"] == "lost"
    assert trusted.status == 1
    assert_measured(done, other)


def _restore_key(board: RealBoard, key: str) -> None:
    """From outside: the board's ssh does not let us in now."""
    place = board.root / key.lstrip("/")
    place.write_bytes((board.root / "root/key").read_bytes())
    (board.root / "root/key").unlink()
    inside = ["nsenter", "-t", board.root.readlink().parent.name, "--mount", "--pid", "--root"]
    subprocess.run(
        [*inside, "sh", "-c", "kill $(cat /run/sshd.pid)"], check=True, timeout=PATIENCE_S
    )
    eventually("the old key", lambda: board.run("true").returncode == 0)
