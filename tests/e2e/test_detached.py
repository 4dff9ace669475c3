"""Sweeps that nobody waits for: detached, looked at, followed, stopped, taken up again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import WITHIN_S, Program, Started, at_rest, power_state, wait_until
from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.virtual.fleet import VirtualBoard

SLOW = BoardOptions(time_scale=0.1)
"""AlexNet takes about half a second then."""
REPEATS = 4
RUN = ("run", "bvlc_alexnet", "--repeats", str(REPEATS), "--warm-up", "0")
IDS = [str(number) for number in range(1, REPEATS + 1)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards that take a while."""
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), SLOW) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


@pytest.fixture
def other(fleet: VirtualFleet, tmp_path: Path) -> Program:
    """Another host: the same boards, and nothing of the first one's results."""
    folder = tmp_path / "other"
    folder.mkdir()
    return Program(folder, fleet.directory / "inventory.yaml")


@pytest.fixture(autouse=True)
def as_before(fleet: VirtualFleet) -> Iterator[None]:
    """Whatever happens: afterwards the boards are as they were, and nothing of ours is there."""
    before = [power_state(board) for board in fleet.boards]
    yield
    assert [power_state(board) for board in fleet.boards] == before
    for board in fleet.boards:
        assert at_rest(board), processes_of(board.root)


@contextmanager
def trials_held(boards: Sequence[VirtualBoard]) -> Iterator[None]:
    """Let no trial come to its end meanwhile, however busy this machine is."""
    held = []
    for board in boards:
        give_up_s = time.monotonic() + WITHIN_S
        while (pid := stopped_caffe(board)) is None:
            assert time.monotonic() < give_up_s, f"{board.name} measures nothing"
            time.sleep(0.01)
        held.append(pid)
    try:
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


def stopped_caffe(board: VirtualBoard) -> int | None:
    """The trial that runs on a board, stopped; None where there is none at this moment."""
    for pid in processes_of(board.root):
        folder = Path("/proc", pid)
        with suppress(OSError):
            if b"jetbench.virtual.caffe" in (folder / "cmdline").read_bytes():
                os.kill(int(pid), signal.SIGSTOP)
                if (folder / "stat").read_text().rpartition(")")[2].split()[0] in "Tt":
                    return int(pid)
    return None


def measured(program: Program) -> dict[str, list[str]]:
    """The trials that a host's journals say are done, board by board, with repetitions."""
    done: dict[str, list[str]] = {}
    for journal in sorted((program.sweep() / "journals").iterdir()):
        ids = re.findall(r"^@done id=([1-9]\d*) ", journal.read_text(), re.MULTILINE)
        done.setdefault(journal.name.partition("~")[0], []).extend(ids)
    return done


def test_boards_are_left_at_work_and_found_again(jetbench: Program, fleet: VirtualFleet) -> None:
    """Detach prints the id alone; status tells how far it is; attach brings every trial."""
    left = jetbench(*RUN, "--detach")
    assert left.status == 0, left.err
    sweep = left.out.strip()
    assert sweep == jetbench.sweep().name
    assert f"jetbench status, attach or stop {sweep}" in left.err
    assert not (jetbench.sweep() / "result.json").exists()
    with trials_held(fleet.boards):
        told = jetbench("status", "latest")
        document = jetbench("status", "--format", "json").document
    assert told.status == 0
    assert len(re.findall(rf"virt-0\d +{sweep} .*[0-{REPEATS}]/{REPEATS} ", told.out)) == 2
    part = document["boards"]["virt-01"]["sweeps"][0]
    assert (part["sweep_id"], part["running"], part["total"]) == (sweep, True, REPEATS)
    assert document["boards"]["virt-01"]["held_by"]["sweep"] == sweep
    assert part["who"] == document["boards"]["virt-01"]["held_by"]["who"]
    done = jetbench("attach", "latest", "--format", "json")
    assert done.status == 0, done.err
    assert [record["forward_ms"]["n"] for record in done.document["records"]] == [REPEATS] * 2
    assert measured(jetbench) == {"virt-01": IDS, "virt-02": IDS}
    assert all(board["restored"] for board in done.document["boards"].values())


def test_another_host_follows_with_the_sweeps_id(
    jetbench: Program, other: Program, fleet: VirtualFleet
) -> None:
    """It sees and keeps all of it; the journals stay for the host that has started the sweep."""
    sweep = jetbench(*RUN, "--detach").out.strip()
    theirs = other("attach", sweep, "--format", "json")
    assert theirs.status == 0, theirs.err
    assert measured(other) == {"virt-01": IDS, "virt-02": IDS}
    assert all((board.home / ".jetbench/sweeps" / sweep).exists() for board in fleet.boards)
    shown = jetbench("status")
    assert "ended: finished\n" in shown.out
    assert f"virt-01: fetch what was measured with: jetbench attach {sweep}" in shown.out
    ours = jetbench("attach", sweep, "--format", "json")
    assert ours.status == 0, ours.err
    for key in ("board", "forward_ms", "prototxt_sha256", "bound_ms", "provenance"):
        assert [record[key] for record in ours.document["records"]] == [
            record[key] for record in theirs.document["records"]
        ]
    again = jetbench("attach", sweep, "--format", "json")
    assert again.status == 0, "all of it is here"


def test_ctrl_c_leaves_what_is_only_followed(jetbench: Program) -> None:
    """Following ends with 130; the sweep goes on, and can be followed again."""
    sweep = jetbench(*RUN, "--detach").out.strip()
    with jetbench.started("attach", sweep) as started:
        started.wait_for(r"virt-0\d: [1-9]/")
        started.process.send_signal(signal.SIGINT)
        left = started.end()
    assert left.status == 130
    assert f"jetbench attach {sweep}" in left.err
    done = jetbench("attach", sweep, "--format", "json")
    assert done.status == 0, done.err
    assert measured(jetbench) == {"virt-01": IDS, "virt-02": IDS}


def test_a_sweep_is_stopped_from_anywhere_and_finished_later(
    jetbench: Program, other: Program
) -> None:
    """Stop puts the boards back; what was measured is kept; resume measures only the rest."""
    sweep = jetbench("run", "bvlc_alexnet", "--repeats", "12", "--detach").out.strip()
    stopped = other("stop", sweep)
    assert stopped.status == 0, stopped.err
    assert stopped.out == "virt-01: ended, and put back\nvirt-02: ended, and put back\n"
    assert f"jetbench attach {sweep}" in stopped.err
    assert other("stop", sweep).out.count("had ended already") == 2
    cut = jetbench("attach", sweep, "--format", "json")
    assert cut.status in {1, 3}
    kinds = {
        t["failure"]["kind"] for r in cut.document["records"] for t in r["trials"] if t["failure"]
    }
    assert kinds == {"interrupted"}
    done = jetbench("run", "--resume", sweep, "--format", "json")
    assert done.status == 0, done.err
    assert [record["forward_ms"]["n"] for record in done.document["records"]] == [12, 12]
    for ids in measured(jetbench).values():
        assert len(set(ids)) == 12
    assert (jetbench.sweep() / "journals/virt-01~2").exists()
    assert jetbench("stop", sweep).status == 3, "nobody knows it any more"


KILLED_AT = (
    r"reached",
    r"virt-01: power mode and clocks set",
    r"virt-01: 1/4",
    r"virt-01: 4/4",
    r"virt-01: done",
)


@pytest.mark.parametrize("words", KILLED_AT)
def test_a_killed_host_loses_nothing(jetbench: Program, words: str) -> None:
    """Whenever it is killed: resume fetches, follows and measures, each trial just once."""
    with jetbench.started(*RUN) as started:
        started.wait_for(words)
        started.process.kill()
        started.process.wait()
    done = jetbench("run", "--resume", "latest", "--format", "json")
    assert done.status == 0, done.err
    assert [record["forward_ms"]["n"] for record in done.document["records"]] == [REPEATS] * 2
    assert {board: sorted(ids) for board, ids in measured(jetbench).items()} == {
        "virt-01": IDS,
        "virt-02": IDS,
    }
    assert json.loads((jetbench.sweep() / "result.json").read_text()) == done.document


def test_another_host_finishes_what_a_lost_one_has_begun(
    jetbench: Program, other: Program, fleet: VirtualFleet
) -> None:
    """It takes the sweep over from the boards, which have nothing left of it afterwards."""
    with jetbench.started(*RUN) as started:
        started.wait_for(r"virt-01: 1/4(.|\n)*virt-02: 1/4|-02: 1/4(.|\n)*-01: 1/4")
        started.process.kill()
        started.process.wait()
    fleet.boards[0].reboot()
    done = other("run", "--resume", jetbench.sweep().name, "--format", "json")
    assert done.status == 0, done.err
    assert [record["forward_ms"]["n"] for record in done.document["records"]] == [REPEATS] * 2
    assert measured(other)["virt-02"] == IDS
    assert sorted(set(measured(other)["virt-01"])) == IDS
    late = jetbench("attach", "latest")
    assert late.status in {1, 3}
    assert "it keeps nothing of this sweep any more" in late.err


def test_parts_that_another_host_has_are_no_gap(
    jetbench: Program, other: Program, fleet: VirtualFleet
) -> None:
    """A host takes over a later part than the first, and the first host comes back."""
    with jetbench.started(*RUN, "-b", "virt-01") as started:
        started.wait_for(r"virt-01: 1/4")
        _kill_runner(fleet)
        started.wait_for(r"trials that are left(.|\n)*virt-01: \d/4")
        started.process.kill()
        started.process.wait()
    theirs = other("run", "--resume", jetbench.sweep().name, "--format", "json")
    assert theirs.status == 0, theirs.err
    assert [record["forward_ms"]["n"] for record in theirs.document["records"]] == [REPEATS]
    assert sorted(measured(other)["virt-01"]) == IDS
    assert not (other.sweep() / "journals/virt-01").exists()
    again = other("run", "--resume", "latest")
    assert again.status == 0, again.err
    assert sorted(measured(other)["virt-01"]) == IDS, "nothing is measured again"
    ours = jetbench("run", "--resume", "latest", "--format", "json")
    assert ours.status == 0, ours.err
    assert [record["forward_ms"]["n"] for record in ours.document["records"]] == [REPEATS]


def test_a_board_that_is_rebooted_goes_on(jetbench: Program, fleet: VirtualFleet) -> None:
    """Its runner is told to end, but nobody has stopped the sweep: the host waits for it."""
    with jetbench.started(*RUN, "--format", "json", "-b", "virt-01") as started:
        started.wait_for(r"virt-01: 1/4")
        fleet.boards[0].reboot(in_order=True)
        done = started.end()
    assert done.status == 0, done.err
    assert "as when the board goes down; measuring the " in done.err
    assert [record["forward_ms"]["n"] for record in done.document["records"]] == [REPEATS]
    assert sorted(measured(jetbench)["virt-01"]) in (IDS, sorted([*IDS, "2"]))


def test_a_board_is_tried_three_times_in_a_row(jetbench: Program, fleet: VirtualFleet) -> None:
    """Then it is given up with the reason; what it had measured before is kept."""
    board = fleet.boards[0]
    with jetbench.started(
        "run", "bvlc_alexnet", "resnet50", "--repeats", "9", "-b", "virt-01", "--format", "json"
    ) as started:
        started.wait_for(r"virt-01: 1/18")
        for _ in range(3):
            begun = started.err.read_text().count("clocks set")
            _kill_runner(fleet)
            wait_until(partial(_goes_on, started, begun))
        done = started.end()
    assert done.status == 1, done.err
    assert (
        "given up after it has failed 3 times in a row"
        in done.document["boards"]["virt-01"]["error"]
    )
    assert done.err.count("trials that are left") == 2
    assert any(r["forward_ms"] for r in done.document["records"])
    assert power_state(board)


def _goes_on(started: Started, begun: int) -> bool:
    """Whether the board was made ready once more, or the program has ended."""
    again = started.err.read_text().count("clocks set") > begun
    return again or started.process.poll() is not None


def _kill_runner(fleet: VirtualFleet) -> None:
    subprocess.run(["pkill", "-KILL", "-f", f"{fleet.directory}/virt-01/.*runner.sh"], check=True)


def test_what_makes_no_sense_is_refused(jetbench: Program) -> None:
    """With what to do instead, before any board is touched."""
    for arguments, words in {
        ("attach", "nonsense"): "there is no such sweep",
        ("attach", "latest"): "there is no such folder",
        ("stop", "../x"): "neither a sweep's id nor a sweep in",
        ("run", "--resume", "nonsense"): "there is no such sweep",
        ("run", "vgg16", "--resume", "latest"): "without a MODEL",
        ("run", "--resume", "latest", "--repeats", "5"): "without --repeats",
        ("run",): "no MODEL is named",
        ("attach", "20260102-030405-a1b2c3"): "no board keeps anything of it",
    }.items():
        done = jetbench(*arguments)
        assert done.status == 2, (arguments, done.err)
        assert words in done.err
        assert "hint:" in done.err


def test_hosts_wait_in_line_for_a_board(
    jetbench: Program, other: Program, fleet: VirtualFleet
) -> None:
    """The one that comes second is told who measures, waits, and measures after that."""
    sweep = jetbench(*RUN, "--detach").out.strip()
    with ExitStack() as held:
        held.enter_context(trials_held(fleet.boards))
        refused = other(*RUN)
        with other.started(*RUN, "--wait-for-board", "60", "--format", "json") as waiting:
            waiting.wait_for(re.escape(f"(sweep {sweep}); waiting in line"))
            held.close()
            waited = waiting.end()
    assert refused.status == 3
    assert f"(sweep {sweep})" in refused.err
    assert "busy: " in refused.err
    assert waited.status == 0, waited.err
    assert [record["forward_ms"]["n"] for record in waited.document["records"]] == [REPEATS] * 2
    done = jetbench("attach", sweep, "--format", "json")
    assert done.status == 0, "the board has run another sweep since, and has kept this one"
    assert measured(jetbench) == {"virt-01": IDS, "virt-02": IDS}


def test_a_live_sweep_keeps_its_lock(jetbench: Program, fleet: VirtualFleet) -> None:
    """`boards unlock` says how to end it; with --force it is ended, and the board put back."""
    free = jetbench("boards", "unlock")
    assert (free.status, free.out.count("was not locked")) == (0, 2)
    sweep = jetbench(*RUN, "--detach").out.strip()
    with trials_held(fleet.boards[:1]):
        kept = jetbench("boards", "unlock", "virt-01")
    assert kept.status == 3
    assert f"jetbench stop {sweep}" in kept.out
    broken = jetbench("boards", "unlock", "virt-01", "--force")
    assert (broken.status, broken.out) == (0, "virt-01: unlocked\n")
    done = jetbench("run", "--resume", sweep, "--format", "json")
    assert done.status == 0, done.err
