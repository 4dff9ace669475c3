"""What `from jetbench import …` gives, on virtual boards over real SSH."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import jetbench
from jetbench import (
    JetbenchError,
    Results,
    Sweep,
    SweepInterruptedError,
    check,
    compare,
    estimate,
    load_inventory,
    parse,
    patch,
    resume,
    run,
    status,
    stop,
)
from jetbench.domain.errors import (
    ChoiceError,
    InventoryError,
    ModelError,
    NotReadyError,
    ResultError,
    UsageError,
)
from jetbench.domain.events import JournalBytes
from jetbench.virtual.faults import Faults
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import at_rest, wait_until
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.board import Inventory
    from jetbench.domain.events import SweepEvent


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards that take no time."""
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), FAST) as served:
        yield served


@pytest.fixture
def boards(fleet: VirtualFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    """They, in a folder of its own that is the current one, and the home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "inventory.yaml").write_text(fleet.inventory_text())
    return load_inventory("inventory.yaml")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """`import jetbench` costs nothing, and pandas is only for who wants a DataFrame."""
    code = (
        "import sys, jetbench; assert not any(m.startswith('jetbench.') for m in sys.modules);"
        "from jetbench import Results, run; assert 'pandas' not in sys.modules;"
        "assert set(jetbench.__all__) <= set(dir(jetbench))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_all_that_is_promised_is_there() -> None:
    """And a name that is not says so as any module does."""
    for name in jetbench.__all__:
        assert getattr(jetbench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        _ = jetbench.rnu  # type: ignore[attr-defined]


def test_a_sweep_is_measured_kept_and_found_again(
    boards: Inventory, capfd: pytest.CaptureFixture[str]
) -> None:
    """As values, as JSON, as the table; and nothing is printed."""
    seen: list[SweepEvent] = []
    sweep = run(["bvlc_alexnet", "resnet50"], inventory=boards, repeats=2, on_event=seen.append)
    assert capfd.readouterr() == ("", "")
    assert sweep.ok
    assert sweep.simulated
    assert len(sweep.records) == 4
    assert sweep.folder is not None
    assert len(list((sweep.folder / "logs").rglob("*.log"))) == 8
    assert any(isinstance(event, JournalBytes) for event in seen)
    assert str(sweep).startswith("Model ")
    assert sweep.document["schema"] == 1
    again = Results().sweep()
    assert (again.id, again.records) == (sweep.id, again.records)
    assert again.table() == sweep.table()
    assert again.folder is not None
    assert again.folder.samefile(sweep.folder)
    assert [line.id for line in Results().sweeps()] == [sweep.id]
    assert repr(again) == f"<simulated sweep {sweep.id}: 4 records>"


def test_options_are_those_of_the_command(boards: Inventory) -> None:
    """Typed: several modes and shapes, one board, no guard, a name of its own."""
    sweep = run(
        "small=bvlc_alexnet",
        inventory=boards,
        boards="virt-01",
        shapes=[{"data": (1, 3, 227, 227)}, {"data": (2, 3, 227, 227)}],
        power_mode=["MAXN", 1],
        repeats=1,
        warm_up=0,
        iterations=5,
        cooldown_c=None,
    )
    assert {record.board for record in sweep.records} == {"virt-01"}
    assert sorted(record.batch for record in sweep.records) == [1, 1, 2, 2]
    modes = {record.power_mode.name for record in sweep.records if record.power_mode}
    assert modes == {"MAXN", "MAXQ"}
    assert all(record.iterations == 5 for record in sweep.records)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"repeats": 0}, "repeats is 0: a whole number, 1 or more"),
        ({"batch": [1, 0]}, "batch is 0"),
        ({"batch": "two"}, "batch is 't'"),
        ({"iterations": 2.5}, r"iterations is 2\.5"),
        ({"precision": 1.0}, "precision is 1.0: a part, such as 0.01"),
        ({"phase": "test"}, "phase is 'test': TEST or TRAIN"),
        ({"boards": "@nobody"}, "nobody"),
        ({"baseline": "nightly"}, "no baseline 'nightly'"),
    ],
)
def test_what_is_wrong_is_said_before_a_board_is_touched(
    boards: Inventory, options: dict[str, object], told: str
) -> None:
    """As an error of usage, and no sweep is kept."""
    with pytest.raises(UsageError, match=told):
        run("vgg16", inventory=boards, **options)  # type: ignore[arg-type]
    assert not Path("jetbench-results").exists()


def test_a_model_or_an_inventory_that_is_not_there_is_said(boards: Inventory) -> None:
    """With what to do about it."""
    for wrong in ((), ("no-such-model",)):
        with pytest.raises(UsageError):
            run(wrong, inventory=boards)
    with pytest.raises(InventoryError) as raised:
        run("vgg16", inventory="elsewhere.yaml")
    assert raised.value.hint is not None
    Path("odd.prototxt").write_text('input: "data"\nlayer { name: "r" type: "ReLU" }\n')
    with pytest.raises(ModelError, match=r"odd\.prototxt"):
        estimate("odd.prototxt")


def test_one_record_is_chosen_or_what_there_is_told(boards: Inventory) -> None:
    """By model, board, batch, mode; by number or name."""
    sweep = run("vgg16", inventory=boards, repeats=1, power_mode=[0, 1])
    record = sweep.record(board="virt-02", power_mode="MAXQ")
    assert record == sweep.record("vgg16", "virt-02", power_mode=1, batch=1)
    with pytest.raises(ChoiceError, match="2 records fit") as raised:
        sweep.record(board="virt-02")
    assert raised.value.choices[0] == "vgg16 on virt-02, batch=1, power_mode='MAXN'"
    with pytest.raises(ChoiceError, match="no record fits"):
        sweep.record("resnet50")


def test_a_board_that_fails_is_no_exception(tmp_path: Path) -> None:
    """Its cases say so, and the others are there."""
    options = [FAST.numbered(1), BoardOptions(time_scale=0, faults=Faults(stays_off=True))]
    with VirtualFleet(2, tmp_path / "fleet", options) as fleet:
        (tmp_path / "inventory.yaml").write_text(fleet.inventory_text())
        sweep = run(
            "vgg16", inventory=tmp_path / "inventory.yaml", repeats=1, results=tmp_path / "results"
        )
        found = check(tmp_path / "inventory.yaml")
    assert [record.status for record in sweep.records] == ["ok", "lost"]
    assert not sweep.ok
    assert [one.can_measure for one in found] == [True, False]


def test_results_are_narrowed(boards: Inventory) -> None:
    """By what `jetbench results list` takes."""
    first = run(["vgg16", "resnet50"], inventory=boards, repeats=1)
    second = run("vgg16", inventory=boards, boards="virt-01", repeats=1)
    results = Results()
    assert [line.id for line in results.sweeps()] == [second.id, first.id]
    assert [line.id for line in results.where(models="resnet50").sweeps()] == [first.id]
    assert len(results.records()) == 5
    assert len(results.where(boards=["virt-02"], statuses="ok").records()) == 2
    assert results.where(real=True).sweeps() == []
    assert len(results.where(models="vgg16").history()) == 2
    with pytest.raises(UsageError, match=r"^since 'yesterday' is no date"):
        results.where(since="yesterday")


def test_a_baseline_is_set_and_held_against(boards: Inventory) -> None:
    """`run` gives what the gate says; a comparison has the cases and their verdicts."""
    before = run("vgg16", inventory=boards)
    results = Results()
    assert results.set_baseline("nightly") == before.id
    assert results.baselines() == {"nightly": before.id}
    after = run("vgg16", inventory=boards, baseline="nightly")
    assert after.gate is not None
    assert after.gate.verdict == "green"
    assert after.gate.baseline_id == before.id
    comparison = compare(results.sweep("nightly"), after)
    assert [case.verdict for case in comparison.cases] == ["same", "same"]
    assert (comparison.slower, comparison.faster) == ((), ())
    assert comparison.to_json()["counts"] == {"same": 2}
    assert "Verdict" in str(comparison)
    assert repr(comparison) == f"<comparison {before.id} → {after.id}: 2 same>"
    with pytest.raises(ResultError):
        results.sweep("yesterdays")


def test_a_report_is_written(boards: Inventory, tmp_path: Path) -> None:
    """Of everything, or of some; of nothing it is said that there is nothing."""
    sweep = run("vgg16", inventory=boards, repeats=1)
    assert Results().report("site") == Path("site/index.html")
    assert (tmp_path / "site" / "sweeps" / f"{sweep.id}.html").exists()
    assert Results().report("one", ["latest"], logs=0).exists()
    with pytest.raises(ResultError, match="nothing of that was measured"):
        Results().where(models="resnet50").report("none")


def test_frames_have_types_and_say_what_is_not_known(boards: Inventory) -> None:
    """A row a record or a process; times as numbers, moments with their zone."""
    run("vgg16", inventory=boards, repeats=2)
    frame = Results().to_dataframe()
    assert list(frame["board"]) == ["virt-01", "virt-02"]
    assert frame["forward_ms_median"].dtype == "float64"
    assert str(frame["sweep_started"].dtype).endswith("UTC]")
    assert frame["simulated"].all()
    assert frame["gpu_temp_c_max"].dtype == "float64"
    trials = Results().sweep().to_dataframe(trials=True)
    assert len(trials) == 4
    assert str(trials["started_utc"].dtype).endswith("UTC]")
    assert trials["failure"].isna().all()
    empty = Results().where(models="resnet50").to_dataframe()
    assert list(empty.columns) == list(frame.columns)
    assert empty.empty


def test_without_pandas_it_is_said_what_to_install(
    boards: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And everything else works."""
    sweep = run("vgg16", inventory=boards, repeats=1)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError) as raised:
        sweep.to_dataframe()
    assert raised.value.hint == "pip install 'jetbench[pandas]'"


NOTEBOOK = """
import asyncio
from jetbench import run

async def cell():
    return run("vgg16", inventory="inventory.yaml", repeats=1)

assert asyncio.run(cell()).ok
"""
"""The main thread of a notebook, in which a loop runs."""


def test_it_runs_in_a_notebook_whose_loop_runs_and_in_any_thread(boards: Inventory) -> None:
    """No loop of its own, and no signals where there are none to have."""
    subprocess.run([sys.executable, "-c", NOTEBOOK], check=True, timeout=120)
    found: list[Sweep] = []
    thread = threading.Thread(
        target=lambda: found.append(run("vgg16", inventory=boards, repeats=1))
    )
    thread.start()
    thread.join(120)
    assert found[0].ok


def test_ctrl_c_ends_a_sweep_and_resume_measures_the_rest(
    boards: Inventory, fleet: VirtualFleet
) -> None:
    """What was finished is there, the boards are put back, and nothing is measured twice."""
    pressed = threading.Event()

    def press(event: SweepEvent) -> None:
        ended = isinstance(event, JournalBytes) and b"@done id=3" in event.data
        if ended and not pressed.is_set():
            pressed.set()
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SweepInterruptedError) as raised:
        run("vgg16", inventory=boards, repeats=40, on_event=press)
    assert signal.getsignal(signal.SIGINT) is before
    cut_off = raised.value.sweep
    assert raised.value.hint is not None
    assert cut_off.id in raised.value.hint
    assert not cut_off.ok
    wait_until(lambda: all(map(at_rest, fleet.boards)))
    whole = resume("latest")
    assert whole.id == cut_off.id
    assert [record.forward_ms.n for record in whole.records if record.forward_ms] == [40, 40]
    with pytest.raises(ResultError, match="no such sweep"):
        resume("20200101-000000-000000")


def test_boards_are_looked_at(boards: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts and lacks, what runs, and that a sweep which is not there is not ended."""
    monkeypatch.setenv("JETBENCH_INVENTORY", "inventory.yaml")
    (found, _) = check()
    assert found.facts is not None
    assert found.facts.simulated
    assert [one.status.parts for one in status() if one.status] == [(), ()]
    assert [one.found for one in stop("20200101-000000-000000", boards)] == [False, False]


def test_passwords_are_asked_for_where_somebody_says_how(tmp_path: Path) -> None:
    """Once for all boards; where nobody does, the board says what it wants."""
    options = [BoardOptions(time_scale=0, faults=Faults(password=True)).numbered(1)]
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "nvidia"

    with VirtualFleet(1, tmp_path / "fleet", options) as fleet:
        (tmp_path / "inventory.yaml").write_text(fleet.inventory_text())
        inventory, results = load_inventory(tmp_path / "inventory.yaml"), tmp_path / "results"
        nobody = run("vgg16", inventory=inventory, repeats=1, results=results)
        sweep = run("vgg16", inventory=inventory, repeats=1, results=results, ask=answer)
    assert nobody.records[0].status == "lost"
    assert "sudo wants a password" in str(nobody.boards[0].error)
    assert sweep.ok
    assert len(asked) == 1
    assert issubclass(NotReadyError, JetbenchError)


def test_nets_and_logs_need_no_board(tmp_path: Path) -> None:
    """Patched, estimated, read: as the commands do."""
    patched = patch("bvlc_alexnet", batch=4)
    assert (patched.before, patched.batch) == (10, 4) or patched.batch == 4
    assert "dim: 4" in patched.text
    assert patch("bvlc_alexnet", shapes={"data": (2, 3, 227, 227)}).batch == 2
    cost = estimate("vgg16", until="pool5")
    assert cost.batch == 1
    assert cost.bound_ms["MAXN"] == pytest.approx(48.4, abs=1)
    assert str(cost).startswith("Layer ")
    assert repr(cost) == f"<estimate of vgg16, batch 1: {len(cost.net.layers)} layers>"
    log = tmp_path / "time.log"
    log.write_bytes(b"I0102 03:04:05.123456  1 caffe.cpp:412] Average Forward pass: 12.5 ms.\n")
    assert parse(log).forward_ms == parse(log.read_bytes()).forward_ms == 12.5
    with pytest.raises(FileNotFoundError):
        parse(tmp_path / "none.log")
