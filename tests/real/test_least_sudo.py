"""Real sudo that allows only the installed guard: what a sweep needs, and what it refuses."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from jetbench.remote import installed
from tests.real.program import (
    Sweep,
    await_trial,
    eventually,
    jetbench,
    left_on,
    power_of,
    processes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.conftest import RealBoard, RealBoards, StartBoards

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")
MODEL = ("bvlc_alexnet", "--gpu", "none", "--iterations", "2", "--repeats", "1", "--warm-up", "0")
FOLDER = installed.FOLDER
GUARD = f"/bin/sh {FOLDER}/guard.sh"
EVIL = """#!/bin/sh
echo "$0 $*" >>/tmp/pwned
id -u >>/tmp/pwned
"""


CLEAN = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root")


def as_root(board: RealBoard, command: str) -> subprocess.CompletedProcess[str]:
    """Run something as the board's administrator, who does not come over SSH."""
    inside = board.root.readlink().parts[2]
    return subprocess.run(
        [
            *("nsenter", "--target", inside, "--mount", "--uts", "--pid", "--root", "--wd=/"),
            *(*CLEAN, "sh", "-c", command),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def install(board: RealBoard, files: Path) -> subprocess.CompletedProcess[str]:
    """Type on a board what the command says is to be typed there."""
    shutil.copytree(files, board.root / "root/for-boards")
    done = as_root(board, "cd /root/for-boards && set -e\n" + installed.steps("nvidia"))
    as_root(board, "rm -rf /root/for-boards /etc/sudoers.d/nvidia")
    return done


@pytest.fixture(scope="module")
def boards(start_boards: StartBoards, tmp_path_factory: pytest.TempPathFactory) -> RealBoards:
    """A board of JetPack 3 and one of JetPack 4, both installed by the words of the command."""
    started = start_boards(2)
    files = tmp_path_factory.mktemp("admin") / "for-boards"
    assert jetbench("boards", "sudoers", "-o", files).status == 0
    for board in started.boards:
        done = install(board, files)
        assert done.returncode == 0, done.stderr
        assert "parsed OK" in done.stdout
        # NVIDIA's image has its user in this group.
        as_root(board, "gpasswd -d nvidia sudo")
    return started


@pytest.fixture
def board(boards: RealBoards) -> Iterator[RealBoard]:
    """The one of JetPack 3, with nothing left on it before and after."""
    assert left_on(boards.boards[0]) == []
    yield boards.boards[0]
    as_root(boards.boards[0], "rm -rf /tmp/* /home/nvidia/evil")
    assert left_on(boards.boards[0]) == []


def test_the_whole_of_sudoers_is_sound(boards: RealBoards) -> None:
    """Visudo says so of all files together, and sudo lists three commands for the user."""
    for board in boards.boards:
        checked = as_root(board, "visudo -c")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "/etc/sudoers.d/jetbench: parsed OK" in checked.stdout
        listed = as_root(board, "sudo -l -U nvidia").stdout
        rights = listed.partition("may run the following commands")[2]
        assert [
            word.strip() for word in rights.partition("\n")[2].replace("\n", " ").split(",")
        ] == [
            f"(root) NOPASSWD: {GUARD} look",
            f"{GUARD} run",
            f"{GUARD} restore",
        ]


def test_a_sweep_needs_nothing_else(boards: RealBoards, tmp_path: Path) -> None:
    """Power mode and clocks are set, proved and put back on both releases; exit code 0."""
    before = [
        as_root(board, f"nvpmodel -q; {board.jetson_clocks} --show").stdout
        for board in boards.boards
    ]
    done = jetbench(
        "run", *MODEL, "-i", boards.inventory, "--results", tmp_path, "--format", "json"
    )
    assert done.status == 0, done.said
    for record in done.document["records"]:
        assert (record["power_mode"]["id"], record["clocks_locked"]) == (0, True)
        assert record["conditions"]["power_w_mean"] is not None
    assert {told["restored"] for told in done.document["boards"].values()} == {True}
    after = [
        as_root(board, f"nvpmodel -q; {board.jetson_clocks} --show").stdout
        for board in boards.boards
    ]
    assert after == before
    assert [left_on(board) for board in boards.boards] == [[], []]


@pytest.mark.parametrize(
    "command",
    [
        "id", "/bin/sh -c id", "/bin/sh", "-s", "-i", f"{GUARD} run 1", f"{GUARD} restore - 0 /",
        f"{GUARD}", f"{GUARD} look\\ x", f"/bin/sh -x {FOLDER}/guard.sh look",
        f"/bin/sh {FOLDER}/common.sh", f"/bin/sh {FOLDER}/../jetbench/guard.sh look",
        "/bin/sh guard.sh look", f"X=y {GUARD} look", f"-E {GUARD} look",
        f"-u daemon {GUARD} look", f"-D /tmp {GUARD} look", f"-R /tmp {GUARD} look",
        "-e /etc/hostname", "visudo",
    ],
)  # fmt: skip
def test_sudo_refuses_everything_else(board: RealBoard, command: str) -> None:
    """Another argument, another script, a shell, a variable, another user, an editor."""
    done = board.run(f"cd {FOLDER}; sudo -n {command}")
    assert done.returncode != 0, done.stdout
    assert "uid=0" not in done.stdout
    assert "guard_clocks" not in done.stdout
    assert board.run(f"sudo -n {GUARD} look").returncode == 0


def test_the_users_environment_and_folders_steer_nothing(board: RealBoard) -> None:
    """Programs of the user, in every place that could be searched, are not run as root.

    Called through sudo; and directly as root, as if a sudoers file let the environment pass.
    """
    tools = (
        "env sed awk id stat nvpmodel jetson_clocks jetson_clocks.sh tegrastats readlink getent"
    )
    evil = f"printf %s {shlex.quote(EVIL)} >evil/usr/sbin/$t; chmod 755 evil/usr/sbin/$t"
    made = board.run(
        f"mkdir -p evil/usr/sbin evil/usr/local/lib/jetbench && for t in {tools}; do {evil}; done"
    )
    assert made.returncode == 0, made.stderr
    hostile = "PATH=/home/nvidia/evil/usr/sbin:$PATH HOME=/home/nvidia/evil/usr/sbin " + " ".join(
        f"{name}=/home/nvidia/evil"
        for name in ("JETBENCH_ROOT", "ROOT", "ENV", "BASH_ENV", "DIR", "USER_HOME", "nvpmodel")
    )
    calls = f"export {hostile}; ulimit -f 0 2>/dev/null; cd evil; {{}} {GUARD} look"
    said = board.run(calls.format("/usr/bin/sudo -n"))
    assert said.returncode == 0, said.stderr
    assert "NV Power Mode" in said.stdout
    direct = as_root(board, "cd /home/nvidia; export SUDO_UID=1000; " + calls.format(""))
    assert direct.returncode == 0, direct.stderr
    assert f"guard_clocks={FOLDER}/jetson_clocks.sh" in direct.stdout
    assert not (board.root / "tmp/pwned").exists()


def test_tools_in_a_home_are_not_run_as_root(
    board: RealBoard, tmp_path: Path, boards: RealBoards
) -> None:
    """The user puts others in their place: root's copies are taken, or it is refused."""
    home = "/home/nvidia"
    as_root(board, f"cp -p {home}/jetson_clocks.sh {home}/tegrastats /root")
    for tool in ("jetson_clocks.sh", "tegrastats"):
        board.run(f"rm {tool}; printf %s {shlex.quote(EVIL)} >{tool}; chmod 755 {tool}")
    words = ("-i", boards.inventory, "-b", board.name, "--results", tmp_path, "--format", "json")
    try:
        with_copies = jetbench("run", *MODEL, *words)
        as_root(board, f"mv {FOLDER}/jetson_clocks.sh {FOLDER}/tegrastats /tmp")
        without = jetbench("run", *MODEL, *words)
        unlocked = jetbench("run", *MODEL, *words, "--no-clocks")
    finally:
        as_root(board, f"mv /tmp/jetson_clocks.sh /tmp/tegrastats {FOLDER}")
        as_root(board, f"cp -p /root/jetson_clocks.sh /root/tegrastats {home}")
    ran_as = (board.root / "tmp/pwned").read_text() if (board.root / "tmp/pwned").exists() else ""
    assert "\n0\n" not in ran_as
    assert with_copies.status == 0, with_copies.said
    assert without.status == 3
    told = without.document["boards"][board.name]
    assert f"others than root can change {home}/jetson_clocks.sh" in told["error"]
    assert "sudo install -o root -g root -m 755" in told["hint"]
    assert unlocked.status == 0, unlocked.said


def test_processes_of_others_are_not_killed(board: RealBoard) -> None:
    """Neither a session of root's, nor a process of root's in a session of the user's."""
    for runner in ("1", "$(pgrep -o sshd)"):
        done = board.run(f"printf 'for %s 0\\n' {runner} | sudo -n {GUARD} run")
        assert "is not of the user with the id 1000" in done.stderr
    # A session of the user's in which something of root's runs: as after `sudo something &`.
    session = "sleep 777 & exec setpriv --reuid 1000 --regid 1000 --clear-groups sleep 888"
    as_root(board, f"setsid sh -c {shlex.quote(session)} </dev/null >/dev/null 2>&1 & sleep 0.5")
    pid = board.run("pgrep -xf 'sleep 888'").stdout.strip()
    done = board.run(f"printf 'for {pid} 0\\nmode keep\\n' | sudo -n {GUARD} run")
    assert "state=restored" in done.stderr, done.stderr
    lines = processes(board).values()
    assert ("sleep 777" in lines, "sleep 888" in lines) == (True, False)
    as_root(board, "pkill -xf 'sleep 777'")


def test_the_users_files_are_opened_by_the_user(
    board: RealBoard, boards: RealBoards, tmp_path: Path
) -> None:
    """Of the sweep's folder root holds what the user's shell has opened for it, and no more.

    So a link there leads nowhere that the user could not go.
    """
    with Sweep(boards.inventory, tmp_path, *MODEL, "--board", board.name) as sweep:
        await_trial(board, 1)
        pid = as_root(board, f"pgrep -xf '{GUARD} run'").stdout.strip()
        seen = as_root(board, f"readlink /proc/{pid}/cwd /proc/{pid}/fd/*").stdout.split()
        assert sweep.done().status == 0
    of_the_user = {path.rpartition("/")[2] for path in seen if path.startswith("/home/")}
    assert (seen[0], of_the_user) == ("/", {"ask", "journal"})
    done = board.run(f"sudo -n {GUARD} run </etc/shadow")
    assert "ermission denied" in done.stderr
    assert "@guard" not in done.stderr


def test_a_killed_guard_is_made_good(board: RealBoard, boards: RealBoards, tmp_path: Path) -> None:
    """Its task `restore`, by the same rule: by the sweep itself, at its end."""
    before = as_root(board, f"nvpmodel -q; {board.jetson_clocks} --show").stdout
    with Sweep(
        boards.inventory, tmp_path, *MODEL, "--board", board.name, "--repeats", "6"
    ) as sweep:
        eventually(
            "mode 0", lambda: "0000" in (board.root / "var/lib/nvpmodel/status").read_text()
        )
        time.sleep(0.5)
        as_root(board, f"pkill -KILL -f {FOLDER}/guard.sh")
        done = sweep.done()
    assert done.document["boards"][board.name]["restored"] is True, done.said
    assert as_root(board, f"nvpmodel -q; {board.jetson_clocks} --show").stdout == before


def test_full_rights_with_a_password_go_on_working(
    start_boards: StartBoards, tmp_path: Path
) -> None:
    """A guard of another version is installed, but sudo allows everything to who knows it."""
    boards = start_boards(1, sudo="password")
    board = boards.boards[0]
    files = tmp_path / "for-boards"
    jetbench("boards", "sudoers", "-o", files)
    install(board, files)
    as_root(board, f"echo '# old' >>{FOLDER}/common.sh")
    words = ("-i", boards.inventory, "--results", tmp_path / "results", "--format", "json")
    done = jetbench("run", *MODEL, *words)
    assert done.status == 0, done.said
    assert "NV Power Mode" in power_of(board)
