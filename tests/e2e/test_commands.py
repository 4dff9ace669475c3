"""The other commands, as a user types them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

import jetbench as package
from jetbench.nets.zoo import MODELS
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import NET, WITHIN_S, Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = (
    "run",
    "demo",
    "init",
    "patch",
    "estimate",
    "parse",
    "compare",
    "models",
    "boards list",
    "boards check",
    "boards sudoers",
    "boards trust",
    "virtual up",
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """A good board, one without Caffe, one that is off."""
    faults = (Faults(), Faults(no_caffe=True), Faults(stays_off=True))
    options = [BoardOptions(faults=fault, time_scale=0) for fault in faults]
    with VirtualFleet(3, tmp_path_factory.mktemp("fleet"), options) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


def test_check_says_of_each_board_whether_it_can_measure(jetbench: Program) -> None:
    """In words, with what to do; exit code 1 where some cannot, 0 and 3 for all and none."""
    done = jetbench("boards", "check")
    assert done.status == 1
    good, without, off = done.out.split("\n\n")
    assert good.startswith("virt-01: ready\n  simulated ")
    for fact in ("L4T 28.2.1", "CUDA 9.0.252", "cuDNN 7.1.5", "without a password", "free"):
        assert fact in good
    assert without.startswith("virt-02: cannot measure\n")
    assert "no program at" in without
    assert "→ build Caffe there" in without
    assert off.startswith("virt-03: not reached\n")
    assert jetbench("boards", "check", "virt-01").status == 0
    assert jetbench("boards", "check", "virt-02", "-b", "virt-03").status == 3


def test_check_as_json_is_one_document(jetbench: Program) -> None:
    """The facts of the boards that answer, the lacks of each, the error of the others."""
    done = jetbench("boards", "check", "--format", "json")
    assert done.status == 1
    good, without, off = done.document.values()
    assert good["can_measure"] is True
    assert good["lacks"] == []
    assert good["facts"]["simulated"] is True
    assert [lack["name"] for lack in without["lacks"] if lack["stops"]] == ["caffe"]
    assert off["facts"] is None
    assert off["error"]
    assert off["hint"]


def test_list_connects_to_nothing(jetbench: Program) -> None:
    """Also the board that is off is there."""
    done = jetbench("boards", "list")
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()[2:]] == [
        "virt-01",
        "virt-02",
        "virt-03",
    ]
    listed = jetbench("boards", "list", "--format", "json").document
    assert [board["name"] for board in listed] == ["virt-01", "virt-02", "virt-03"]


def test_trust_enrols_a_key_after_which_the_board_is_reached(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """Not unseen: without a terminal, the fingerprint must be given."""
    text = fleet.inventory_text().replace(str(fleet.known_hosts), "known_hosts")
    (jetbench.folder / "inventory.yaml").write_text(text)
    asked = ("virt-01", "-i", "inventory.yaml")
    refused = jetbench("boards", "trust", *asked)
    assert refused.status == 1
    fingerprint = re.search(r"--fingerprint (SHA256:\S+)", refused.err)
    assert fingerprint
    taken = jetbench("boards", "trust", *asked, "--fingerprint", fingerprint[1])
    assert taken.status == 0, taken.err
    assert "trusted from now on" in taken.out
    assert jetbench("boards", "check", *asked).status == 0


def test_the_demo_needs_nothing(jetbench: Program) -> None:
    """No inventory, no hardware: the table of the four models, marked as simulated; the report."""
    del jetbench.environment["JETBENCH_INVENTORY"]
    done = jetbench("demo", "--boards", "1", "--repeats", "1")
    assert done.status == 0, done.err
    for model in ("bvlc_alexnet", "bvlc_googlenet", "vgg16", "resnet50"):
        assert re.search(rf"^{model} +virt-01 +\d.* ms +simulated, MAXN", done.out, re.MULTILINE)
    assert "Simulated" in done.out
    assert "The report: jetbench-demo/index.html" in done.err
    front = (jetbench.folder / "jetbench-demo" / "index.html").read_text()
    assert "4 models on 1 board, 1 sweep" in front


def test_virtual_boards_can_be_measured_from_another_terminal(jetbench: Program) -> None:
    """`virtual up` in one, `run` in the other, as it says; Ctrl-C ends it well."""
    with jetbench.started("virtual", "up", "--boards", "1") as serving:
        while "Ctrl-C" not in serving.out.read_text():
            assert serving.process.poll() is None
        done = jetbench(
            "run", "vgg16", "-i", "virtual-inventory.yaml", "--repeats", "1", "--iterations", "3"
        )
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(WITHIN_S) == 0
    assert done.status == 0, done.err


def test_what_init_writes_is_an_inventory(jetbench: Program) -> None:
    """Its example board can be listed; a second time, it is not overwritten."""
    del jetbench.environment["JETBENCH_INVENTORY"]
    assert jetbench("init").status == 0
    assert jetbench("boards", "list").status == 0
    again = jetbench("init")
    assert again.status == 2
    assert "inventory.yaml" in again.err


def test_patch_changes_the_digits_of_the_batch_only(jetbench: Program) -> None:
    """On standard output byte for byte, or as the difference."""
    jetbench.net("net.prototxt", NET)
    done = jetbench("patch", "net.prototxt", "--batch", "2")
    assert (done.status, done.out) == (0, NET.replace("dim: 10", "dim: 2"))
    diff = jetbench("patch", "net.prototxt", "--diff").out.splitlines()
    assert [line[:1] for line in diff if line[:1] in "+-"] == ["-", "+", "-", "+"]
    assert jetbench("patch", "resnet50", "--batch", "8").status == 0


def test_parse_reads_the_logs_that_run_has_kept(jetbench: Program) -> None:
    """With the same numbers, also from standard input."""
    record = json.loads(
        jetbench("run", "vgg16", "-b", "virt-01", "--repeats", "1", "--format", "jsonl").out
    )
    (log,) = jetbench.sweep().glob("logs/*/*")
    (parsed,) = jetbench("parse", log, "--format", "json").document
    assert parsed["forward_ms"] == record["forward_ms"]["median"]
    assert (parsed["batch"], parsed["phase"], parsed["complete"]) == (1, "TEST", True)
    (piped,) = jetbench("parse", "-", "--format", "json", stdin=log.read_text()).document
    assert {**piped, "file": None} == {**parsed, "file": None}
    assert jetbench("parse", "-", stdin="no log").status == 1


def test_models_lists_those_that_come_along(jetbench: Program) -> None:
    """With what they are known by."""
    out = jetbench("models").out
    assert [line.split()[0] for line in out.splitlines()[2 : 2 + len(MODELS)]] == list(MODELS)
    assert "60,965,224" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(jetbench: Program, command: str) -> None:
    """A summary, examples that begin with the program's name, and lines that fit."""
    done = jetbench(*command.split(), "--help", COLUMNS="80", TERMINAL_WIDTH="80")
    assert done.status == 0
    assert re.search(rf"\n  Examples:\n    jetbench {command}", done.out)
    assert max(map(len, done.out.splitlines())) <= 100
    assert "\x08" not in done.out


def test_the_version_and_the_way_to_complete_words(jetbench: Program) -> None:
    """One line; a script for the shell that is used; no command shows the help."""
    assert jetbench("--version").out == f"jetbench {package.__version__}\n"
    completion = jetbench("--show-completion", "bash")
    assert "complete" in completion.out
    nothing = jetbench()
    assert "jetbench demo                 # no hardware" in nothing.out + nothing.err


def test_a_reader_that_leaves_early_is_no_error(jetbench: Program, tmp_path: Path) -> None:
    """As with `jetbench patch resnet50 | head`."""
    line = " ".join(jetbench.command("patch", "resnet50", "--batch", "2")) + " | head -n 1"
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=tmp_path,
        env=jetbench.environment,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.stdout.startswith("#")
    assert done.stderr == ""
