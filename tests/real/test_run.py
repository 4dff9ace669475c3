"""The main job, from the command line to real Caffe behind a real SSH server, and back."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.program import (
    Done,
    Sweep,
    await_trial,
    doubts,
    jetbench,
    left_on,
    power_of,
    set_mode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.conftest import RealBoard, RealBoards, StartBoards

ZOO = ("bvlc_alexnet", "bvlc_googlenet", "vgg16", "resnet50")
REPEATS = 2
QUICK = ("--gpu", "none", "--iterations", "2", "--repeats", "1")
SMALL = """\
name: "small"
input: "data"
input_shape { dim: 8 dim: 1 dim: 28 dim: 28 }
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 6 kernel_size: 5 weight_filler { type: "xavier" } }
}
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
"""
NOISY_SHELL = """\
#!/bin/bash
echo 'Welcome!  @trial id=1 up=0  | H4sIAAAAAAAA  #0123456789abcdef eof size=0'
printf '\\033[31mlast login: never; no end of line follows'
echo 'a complaint' >&2
exec /bin/bash "$@"
"""
root_here = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")


@dataclass(frozen=True, slots=True)
class Measured:
    """A sweep of the four models on two boards, and the boards before and after it."""

    done: Done
    folder: Path
    power_before: dict[str, str]
    power_after: dict[str, str]

    def log(self, board: str, trial: dict[str, Any], model: str) -> bytes:
        """The raw log of a trial, as it is kept."""
        return (self.folder / f"logs/{board}/{trial['id']:03d}-{model}.log").read_bytes()


@pytest.fixture(scope="module")
def pair(real_boards: RealBoards) -> tuple[RealBoard, ...]:
    """A board of each release."""
    assert {board.release for board in real_boards.boards[:2]} == {"r28", "r32"}
    return real_boards.boards[:2]


@pytest.fixture(scope="module")
def measured(
    real_boards: RealBoards, pair: tuple[RealBoard, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Measured]:
    """The four models on two boards, which are in different power modes when it begins."""
    results = tmp_path_factory.mktemp("results")
    modes_before = [power_of(board).splitlines()[1] for board in pair]
    for mode, board in enumerate(pair, start=1):
        set_mode(board, mode)
    before = {board.name: power_of(board) for board in pair}
    with Sweep(
        real_boards.inventory,
        results,
        *ZOO,
        *("--gpu", "none", "--iterations", "2", "--repeats", str(REPEATS)),
        *(word for board in pair for word in ("--board", board.name)),
    ) as sweep:
        done = sweep.done()
    after = {board.name: power_of(board) for board in pair}
    yield Measured(done, next(path for path in results.iterdir() if path.is_dir()), before, after)
    for mode_before, board in zip(modes_before, pair, strict=True):
        set_mode(board, int(mode_before))


def test_every_model_is_measured_on_every_board(measured: Measured) -> None:
    """Eight records, all in order, each with a number from every one of its processes."""
    assert measured.done.status == 0, measured.done.said
    assert len(measured.done.document["records"]) == len(measured.done.records) == 2 * len(ZOO)
    for record in measured.done.records.values():
        assert doubts(record) == []
        assert record["forward_ms"]["n"] == len(record["trials"]) == REPEATS
        assert record["batch"] == 1
        assert record["input_shapes"]["data"][0] == 1
        assert record["phase"] == "TEST"
        assert record["gpu"] is None
        assert record["bound_ms"] is None, "the peaks of the GPU bound nothing on a CPU"
        assert record["simulated"] is False
    assert measured.done.document["sweep"]["simulated"] is False


def test_numbers_are_those_of_the_logs(measured: Measured) -> None:
    """Each trial's forward time is what Caffe wrote into the log that is kept of it."""
    for (board, model), record in measured.done.records.items():
        for trial in record["trials"]:
            log = measured.log(board, trial, model).decode()
            assert re.findall(r"\] Average Forward pass: ([\d.]+) ms", log) == [
                f"{trial['forward_ms']:g}"
            ]
            assert log.rstrip().endswith("*** Benchmark ends ***")


def test_logs_are_those_that_the_board_has_hashed(measured: Measured) -> None:
    """The journal names the hash of each log, taken on the board."""
    for (board, model), record in measured.done.records.items():
        journal = (measured.folder / f"journals/{board}").read_text(encoding="utf-8")
        hashes = dict(re.findall(r"^@done id=(\d+) .*sha256=(\w+)", journal, re.MULTILINE))
        # All of the plan, and the warm-up.
        assert len(hashes) == len(ZOO) * REPEATS + 1
        for trial in record["trials"]:
            log = measured.log(board, trial, model)
            assert hashes[str(trial["id"])] == hashlib.sha256(log).hexdigest()


def test_caffe_ran_what_was_asked_for(measured: Measured) -> None:
    """The logs show one image at a time, phase TEST, the CPU, and two iterations."""
    for (board, model), record in measured.done.records.items():
        for trial in record["trials"]:
            log = measured.log(board, trial, model).decode()
            height, width = record["input_shapes"]["data"][2:]
            assert f"Top shape: 1 3 {height} {width} " in log
            assert "state {\n  phase: TEST" in log
            assert "Use CPU." in log
            assert "Testing for 2 iterations." in log


def test_layers_are_those_of_the_log(measured: Measured) -> None:
    """Every layer of the log's table stands in the record, in order, with its type and time."""
    for (board, model), record in measured.done.records.items():
        log = measured.log(board, record["trials"][0], model).decode()
        assert [layer["name"] for layer in record["layers"]] == re.findall(
            r"(\S+)\tforward: ", log
        )
        assert all(layer["type"] for layer in record["layers"])
        assert all(layer["forward_ms"] is not None for layer in record["layers"])
        assert {"Convolution", "Pooling", "Softmax"} <= {la["type"] for la in record["layers"]}


def test_power_was_set_while_it_measured(measured: Measured) -> None:
    """Every record says MAXN with locked clocks, at the highest clock of that mode."""
    for record in measured.done.records.values():
        assert record["power_mode"] == {"id": 0, "name": "MAXN"}
        assert record["clocks_locked"] is True
        # tegrastats says whole megahertz.
        assert record["conditions"]["gpu_mhz_min"] == pytest.approx(1300.5, abs=0.5)
        assert record["conditions"]["gpu_temp_c_max"] == 39.0


def test_sensors_were_read_while_it_measured(measured: Measured) -> None:
    """The memory's clock, which only root is told, and the power, which a file holds here."""
    for record in measured.done.records.values():
        conditions = record["conditions"]
        assert conditions["emc_mhz_min"] == conditions["emc_mhz_max"] == 1866
        assert conditions["power_w_mean"] == pytest.approx(3.42)
        assert conditions["power_w_idle"] == pytest.approx(3.42)
        took_s = record["forward_backward_ms"]["mean"] / 1000
        assert conditions["energy_j_iteration"] == pytest.approx(3.42 * took_s, rel=0.15)


def test_boards_of_one_machine_are_neighbours(measured: Measured) -> None:
    """Each takes what the other measures with, and the records say so."""
    records = measured.done.records.values()
    assert "neighbour" in {found["check"] for each in records for found in each["findings"]}


def test_power_is_put_back(measured: Measured, pair: tuple[RealBoard, ...]) -> None:
    """Afterwards each board is in its own mode with its own clocks, and the result says so."""
    assert measured.power_after == measured.power_before
    for board, mode in zip(pair, ("MAXQ", "MAXP_CORE_ALL"), strict=True):
        said = measured.done.document["boards"][board.name]
        assert f"NV Power Mode: {mode}\n" in measured.power_after[board.name]
        assert said["power_before"]["name"] == mode
        assert said["clocks_before"] is False
        assert said["changed"] is True
        assert said["restored"] is True
        assert (said["error"], said["notes"]) == (None, [])


@root_here
@pytest.mark.usefixtures("measured")
def test_nothing_is_left_on_a_board(pair: tuple[RealBoard, ...]) -> None:
    """No folder of ours, no file of Caffe's in /tmp, no process."""
    assert [left_on(board) for board in pair] == [[], []]


def test_check_knows_a_board(real_boards: RealBoards, pair: tuple[RealBoard, ...]) -> None:
    """The facts are those of each release, and nothing stands in the way."""
    names = [board.name for board in pair]
    done = jetbench("boards", "check", *names, "-i", real_boards.inventory, "--format", "json")
    assert done.status == 0, done.out + done.said
    for board in pair:
        found = done.document[board.name]
        facts = found["facts"]
        assert found["can_measure"] is True
        assert (found["error"], found["lacks"]) == (None, [])
        assert facts["l4t"] == {"r28": "28.2.1", "r32": "32.5.1"}[board.release]
        assert facts["hardware"] == "quill"
        assert facts["hostname"] == board.name
        assert facts["caffe"]["path"] == "/home/nvidia/caffe/build/tools/caffe"
        assert facts["caffe"]["version"] == "1.0.0"
        assert facts["caffe"]["fork"] == "bvlc"
        assert facts["caffe"]["has_phase"] is True
        assert facts["sudo"] == ("nopasswd" if board.sudo_password is None else "password")
        assert facts["nvpmodel"] == "/usr/sbin/nvpmodel"
        assert facts["jetson_clocks"].endswith(board.jetson_clocks)
        assert facts["tegrastats"].endswith(board.tegrastats)
        assert [mode["id"] for mode in facts["power_modes"]] == [0, 1, 2, 3, 4]
        assert facts["clocks_locked"] is False
        assert facts["missing_tools"] == []
        assert facts["simulated"] is False


def test_check_knows_a_cpu_build(real_boards: RealBoards, pair: tuple[RealBoard, ...]) -> None:
    """Asked about the GPU, it says that this Caffe has none, and what to do."""
    done = jetbench("boards", "check", pair[0].name, "-i", real_boards.inventory, "--gpu", "0")
    assert done.status == 3
    assert "its caffe is built for the CPU only" in done.out
    assert "--gpu none" in done.out
    assert "caffe" not in pair[0].run("ls /tmp").stdout, "glog keeps each error in a file"


def test_model_that_lies_on_the_board(
    real_boards: RealBoards, pair: tuple[RealBoard, ...], tmp_path: Path
) -> None:
    """It is fetched, patched and timed; where it is not there, only that case fails."""
    here, missing = pair
    here.run("mkdir caffe/models && cat >caffe/models/small.prototxt", stdin=SMALL)
    try:
        done = jetbench(
            *("run", "small=board:models/small.prototxt", *QUICK, "--format", "json"),
            *("-i", real_boards.inventory, "--results", tmp_path),
            *("-b", here.name, "-b", missing.name),
        )
        original = here.run("cat caffe/models/small.prototxt").stdout
    finally:
        here.run("rm -r caffe/models")
    assert done.status == 1, done.said
    record = done.records[here.name, "small"]
    assert doubts(record) == []
    assert record["input_shapes"] == {"data": [1, 1, 28, 28]}
    assert original == SMALL
    refused = done.records[missing.name, "small"]
    assert refused["status"] == "failed"
    assert refused["reasons"] == ["there is no file /home/nvidia/caffe/models/small.prototxt"]


def test_login_shell_that_prints_noise(
    real_boards: RealBoards, pair: tuple[RealBoard, ...], tmp_path: Path
) -> None:
    """Whatever a login shell prints, on both its outputs, the board is measured."""
    board = pair[0]
    board.run_as_root(
        "cat >/usr/local/bin/noisy && chmod 755 /usr/local/bin/noisy && "
        "usermod -s /usr/local/bin/noisy nvidia",
        stdin=NOISY_SHELL,
    )
    try:
        assert "Welcome!" in board.run("true").stdout
        small = tmp_path / "small.prototxt"
        small.write_text(SMALL, encoding="utf-8")
        done = jetbench(
            *("run", small, *QUICK, "--format", "json", "-b", board.name),
            *("-i", real_boards.inventory, "--results", tmp_path / "results"),
        )
    finally:
        board.run_as_root("usermod -s /bin/bash nvidia; rm /usr/local/bin/noisy")
    assert done.status == 0, done.said
    assert doubts(done.records[board.name, "small"]) == []
    assert done.document["boards"][board.name]["restored"] is True


@root_here
def test_sudo_password_is_nowhere(start_boards: StartBoards, tmp_path: Path) -> None:
    """With it a board is measured; no process, no disk and no result ever shows it."""
    boards = start_boards(2, sudo="password")
    secret = boards.boards[0].sudo_password
    assert secret is not None
    shown: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            shown.update(path.name for path in _showing(secret.encode()))

    watcher = threading.Thread(target=watch)
    with Sweep(boards.inventory, tmp_path, "bvlc_alexnet", *QUICK) as sweep:
        watcher.start()
        try:
            await_trial(boards.boards[0], 1)
            on_disk = _on_disk(boards.boards[0], secret)
            done = sweep.done()
        finally:
            over.set()
            watcher.join()
    assert done.status == 0, done.said
    for board in boards.boards:
        assert done.records[board.name, "bvlc_alexnet"]["power_mode"]["name"] == "MAXN"
        assert done.document["boards"][board.name]["restored"] is True
        assert left_on(board) == []
    assert shown == set()
    assert on_disk == ""
    assert [_on_disk(board, secret) for board in boards.boards] == ["", ""]
    assert secret not in done.out + done.said
    assert all(secret.encode() not in f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())


def _showing(secret: bytes) -> Iterator[Path]:
    """The processes of this machine, and so of its boards, with a secret for all to see."""
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                found = secret in (process / file).read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if found:
                yield process


def _on_disk(board: RealBoard, secret: str) -> str:
    """The files with a secret in them, where a board can be written to, memory's too."""
    places = [board.root / place for place in ("home", "root", "etc", "var", "tmp", "run", "dev")]
    return subprocess.run(
        ["grep", "-rlF", "--devices=skip", "-f", "-", *places],
        input=secret,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout


def test_trust_enrols_a_key_unseen(
    real_boards: RealBoards, pair: tuple[RealBoard, ...], tmp_path: Path
) -> None:
    """An unknown board is refused; after ``boards trust --yes`` it is not."""
    inventory = _stranger(real_boards, pair[0], tmp_path)
    refused = jetbench("boards", "check", pair[0].name, "-i", inventory)
    assert refused.status == 3
    assert "jetbench boards trust" in refused.out
    trusted = jetbench("boards", "trust", pair[0].name, "--yes", "-i", inventory)
    assert trusted.status == 0, trusted.said
    assert _fingerprint(real_boards, pair[0]) in trusted.out
    assert jetbench("boards", "check", pair[0].name, "-i", inventory).status == 0


def test_trust_takes_only_the_key_that_was_named(
    real_boards: RealBoards, pair: tuple[RealBoard, ...], tmp_path: Path
) -> None:
    """With another fingerprint nothing is enrolled; with the board's own one it is."""
    inventory = _stranger(real_boards, pair[0], tmp_path)
    right, wrong = (_fingerprint(real_boards, board) for board in pair)
    command = ("boards", "trust", pair[0].name, "-i", inventory, "--fingerprint")
    done = jetbench(*command, wrong)
    assert done.status == 1
    assert "another key than the one asked for" in done.said
    assert not (tmp_path / "known_hosts").exists()
    assert jetbench(*command, right).status == 0
    assert jetbench("boards", "check", pair[0].name, "-i", inventory).status == 0


def _stranger(boards: RealBoards, board: RealBoard, folder: Path) -> Path:
    """The inventory, with a file of known hosts that does not exist."""
    text = boards.inventory.read_text(encoding="utf-8")
    assert board.known_hosts in text
    inventory = folder / "inventory.yaml"
    fresh = text.replace(board.known_hosts, str(folder / "known_hosts"))
    inventory.write_text(fresh, encoding="utf-8")
    return inventory


def _fingerprint(boards: RealBoards, board: RealBoard) -> str:
    """Of a board's host key, as OpenSSH's own tool prints it."""
    key = boards.folder / "keys" / f"host-{board.name}.pub"
    said = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True)
    return said.stdout.split()[1]
