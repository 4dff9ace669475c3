"""One sweep over boards with everything wrong with them: the good ones go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Done, Program, at_rest, inventory_for, power_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO = Faults()
PASSWORD = Faults(password=True)
BOARDS = {
    "good": NO,
    "off": Faults(stays_off=True),
    "unknown key": NO,
    "changed key": NO,
    "no caffe": Faults(no_caffe=True),
    "caffe elsewhere": NO,
    "cpu only": Faults(cpu_only=True),
    "nvpmodel fails silently": Faults(nvpmodel_fails_silently=True),
    "clocks will not lock": Faults(clocks_will_not_lock=True),
    "not in sudoers": Faults(no_sudo=True),
    "password right": PASSWORD,
    "password wrong": PASSWORD,
    "password unset": PASSWORD,
    "password empty": PASSWORD,
    "password by command": PASSWORD,
    "command fails": PASSWORD,
    "password nowhere": PASSWORD,
    "login refused": NO,
    "no such host": NO,
    "no space": NO,
}
MEASURE = {"good", "password right", "password by command"}
WRONG = {
    "off": "refuses the connection",
    "unknown key": "SHA256:",
    "changed key": "changed",
    "no caffe": "no program at",
    "caffe elsewhere": "no program at",
    "cpu only": "built for the CPU only",
    "nvpmodel fails silently": "NVPM ERROR",
    "clocks will not lock": "clocks did not lock",
    "not in sudoers": "sudo",
    "password wrong": "incorrect password",
    "password unset": "JETBENCH_TEST_UNSET is not set",
    "password empty": "JETBENCH_TEST_EMPTY is not set",
    "command fails": "ended with status 3",
    "password nowhere": "no terminal to ask on",
    "login refused": "key",
    "no such host": "no-such-host.invalid",
    "no space": "is not a folder of",
}
NEXT = {
    "off": "sshd",
    "unknown key": "jetbench boards trust",
    "changed key": "ssh-keygen -R",
    "no caffe": "caffe_root",
    "caffe elsewhere": "there is ",
    "cpu only": "--gpu none",
    "password unset": "export JETBENCH_TEST_UNSET",
    "command fails": "try it by hand",
    "password nowhere": "env:VARIABLE",
}


def name_of(what: str) -> str:
    """The board with this fault."""
    return f"virt-{list(BOARDS).index(what) + 1:02d}"


class Sweep:
    """The run over all of them, and what was there before it."""

    def __init__(self, fleet: VirtualFleet, folder: Path) -> None:
        self.fleet = fleet
        self.before = [power_state(board) for board in fleet.boards]
        program = Program(folder, _inventory(fleet))
        self.done: Done = program(
            "run", "vgg16", "bvlc_alexnet", "--repeats", "1", "--gpu", "0", "--format", "json",
            JETBENCH_TEST_RIGHT="nvidia", JETBENCH_TEST_WRONG="n0t-1t", JETBENCH_TEST_EMPTY="",
        )  # fmt: skip
        self.boards: dict[str, dict[str, Any]] = self.done.document["boards"]
        self.folder = program.sweep()

    def records(self, what: str) -> list[dict[str, Any]]:
        return [r for r in self.done.document["records"] if r["board"] == name_of(what)]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """A board for each fault."""
    options = [
        BoardOptions(faults=faults, time_scale=0, seed=number)
        for number, faults in enumerate(BOARDS.values())
    ]
    with VirtualFleet(len(options), tmp_path_factory.mktemp("faulty"), options) as served:
        # As if somebody had made it: nothing of ours can be put there.
        board = served.boards[list(BOARDS).index("no space")]
        (board.home / ".jetbench").write_text("in the way")
        yield served


@pytest.fixture(scope="module")
def sweep(faulty: VirtualFleet, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """One for all tests."""
    return Sweep(faulty, tmp_path_factory.mktemp("sweep"))


def _inventory(fleet: VirtualFleet) -> Path:
    folder = fleet.directory
    (folder / "empty").write_text("")
    known = (folder / "known_hosts").read_text().splitlines()
    changed, other = (known[list(BOARDS).index(what)].split() for what in ("changed key", "good"))
    (folder / "changed").write_text(f"{changed[0]} {other[1]} {other[2]}\n")
    with VirtualFleet(1, folder / "another") as another:
        other_key = str(another.key)
    changes = {
        "unknown key": {"known_hosts": str(folder / "empty")},
        "changed key": {"known_hosts": str(folder / "changed")},
        "caffe elsewhere": {"caffe_root": "~/nowhere"},
        "password right": {"sudo": "env:JETBENCH_TEST_RIGHT"},
        "password wrong": {"sudo": "env:JETBENCH_TEST_WRONG"},
        "password unset": {"sudo": "env:JETBENCH_TEST_UNSET"},
        "password empty": {"sudo": "env:JETBENCH_TEST_EMPTY"},
        "password by command": {"sudo": "command:echo nvidia"},
        "command fails": {"sudo": "command:exit 3"},
        "login refused": {"key": other_key},
        "no such host": {"host": "no-such-host.invalid"},
    }
    file = folder / "inventory.yaml"
    return inventory_for(fleet, file, {name_of(what): keys for what, keys in changes.items()})


def test_the_others_go_on(sweep: Sweep) -> None:
    """Exit code 1; every case of a good board is measured and nothing else is."""
    assert sweep.done.status == 1
    measured = {what for what in BOARDS if {r["status"] for r in sweep.records(what)} == {"ok"}}
    assert measured == MEASURE
    for what in MEASURE:
        assert sweep.boards[name_of(what)]["error"] is None


@pytest.mark.parametrize("what", WRONG)
def test_each_gets_one_clear_message(sweep: Sweep, what: str) -> None:
    """It says what is wrong with the board and, where one can help, what to do next."""
    board = sweep.boards[name_of(what)]
    assert WRONG[what] in board["error"]
    assert "\n" not in board["error"]
    if what in NEXT:
        assert NEXT[what] in board["hint"]
    told = [line for line in sweep.done.err.splitlines() if line.startswith(name_of(what))]
    assert told[-1] != f"{name_of(what)}: done"
    for record in sweep.records(what):
        assert record["status"] == "lost"
        assert record["forward_ms"] is None
        assert record["reasons"] == [board["error"]]
        assert record["trials"][0]["failure"]["message"]


def test_every_board_is_as_it_was(sweep: Sweep) -> None:
    """Also those where setting mode or clocks failed halfway: restored, nothing left."""
    for what, board, before in zip(BOARDS, sweep.fleet.boards, sweep.before, strict=True):
        assert power_state(board) == before, what
        assert what == "no space" or at_rest(board), what
        told = sweep.boards[board.name]
        assert told["restored"] in ({True} if told["reached"] else {None}), what


def test_no_password_is_written_anywhere(sweep: Sweep) -> None:
    """Not in what is kept here, nor in what is said."""
    assert "n0t-1t" not in sweep.done.out + sweep.done.err
    for path in sweep.folder.rglob("*"):
        assert not path.is_file() or b"n0t-1t" not in path.read_bytes(), path


def test_nothing_measurable_is_exit_code_3(faulty: VirtualFleet, tmp_path: Path) -> None:
    """The table says why, and what to do, for each board."""
    program = Program(tmp_path, faulty.directory / "inventory.yaml")
    wanted = [
        item for what in ("off", "unknown key", "cpu only") for item in ("-b", name_of(what))
    ]
    done = program("run", "vgg16", "--gpu", "0", *wanted)
    assert done.status == 3
    for what in ("off", "unknown key", "cpu only"):
        assert re.search(rf"^vgg16 +{name_of(what)} +lost", done.out, re.MULTILINE)
        assert NEXT[what] in done.out.replace("\n", " ")
    assert "Simulated" not in done.out
