"""What the options of ``jetbench run`` do to what is measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.program import NET, Done, Program, power_state

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualFleet

ONE = ("run", "-b", "virt-01", "--repeats", "1", "--format", "json")


def record(done: Done) -> dict[str, Any]:
    """The only one."""
    (only,) = done.document["records"]
    assert isinstance(only, dict)
    return only


def test_a_case_for_every_batch_in_a_phase(jetbench: Program) -> None:
    """Batch 1 and 4 of a net, in the TRAIN phase: the log says both, and 4 takes longer."""
    done = jetbench(*ONE, "resnet50", "--batch", "1,4", "--phase", "TRAIN", "--iterations", "7")
    assert done.status == 0, done.err
    single, four = done.document["records"]
    assert (single["batch"], four["batch"]) == (1, 4)
    assert single["input_shapes"] == {"data": [1, 3, 224, 224]}
    assert four["input_shapes"] == {"data": [4, 3, 224, 224]}
    assert single["forward_ms"]["median"] < four["forward_ms"]["median"]
    for one in (single, four):
        assert (one["phase"], one["iterations"], one["status"]) == ("TRAIN", 7, "ok")


def test_a_case_for_every_shape_of_an_input(jetbench: Program) -> None:
    """Two resolutions of a net are two cases, named by their shapes; the larger takes longer."""
    shapes = ("--shape", "data=1x3x224x224", "--shape", "data=2x3x448x448")
    done = jetbench(*ONE, "resnet50", *shapes)
    assert done.status == 0, done.err
    small, large = done.document["records"]
    assert (small["model"], small["batch"]) == ("resnet50@1x3x224x224", 1)
    assert (large["model"], large["batch"]) == ("resnet50@2x3x448x448", 2)
    assert large["input_shapes"] == {"data": [2, 3, 448, 448]}
    assert small["forward_ms"]["median"] < large["forward_ms"]["median"]
    assert small["prototxt_sha256"] != large["prototxt_sha256"]


def test_a_stage_is_handed_to_caffe(jetbench: Program) -> None:
    """It decides which input the net has, here and on the board, and stands in the record."""
    staged = NET.replace('top: "data"', 'top: "data" include { stage: "deploy" }')
    (jetbench.folder / "staged.prototxt").write_text(staged)
    assert "--stage deploy" in jetbench("run", "staged.prototxt").err
    done = jetbench(*ONE, "staged.prototxt", "--stage", "deploy")
    assert done.status == 0, done.err
    only = record(done)
    assert (only["model"], only["stages"]) == ("staged+deploy", ["deploy"])
    assert only["input_shapes"] == {"data": [1, 3, 32, 32]}


def test_what_a_user_should_know_of_a_net_is_said_before_it_is_measured(
    jetbench: Program,
) -> None:
    """A batch that was found further down, on standard error."""
    net = NET + (
        'layer { name: "flat" type: "Reshape" bottom: "conv" top: "flat" '
        "reshape_param { shape { dim: 10 dim: -1 } } }\n"
    )
    (jetbench.folder / "held.prototxt").write_text(net)
    done = jetbench(*ONE, "held.prototxt")
    assert record(done)["status"] == "ok"
    assert "note: held: The layer 'flat' (Reshape) held the batch" in done.err


def test_a_lower_mode_and_free_clocks_are_slower(jetbench: Program, fleet: VirtualFleet) -> None:
    """MAXQ by number and by name is slower than MAXN, unlocked clocks than locked ones."""
    before = power_state(fleet.boards[0])
    maxn = record(jetbench(*ONE, "vgg16"))
    by_number = record(jetbench(*ONE, "vgg16", "--power-mode", "1"))
    by_name = record(jetbench(*ONE, "vgg16", "--power-mode", "maxq"))
    assert by_number["power_mode"] == by_name["power_mode"] == {"id": 1, "name": "MAXQ"}
    for slow in (by_number, by_name):
        assert slow["forward_ms"]["median"] > 1.2 * maxn["forward_ms"]["median"]
    assert power_state(fleet.boards[0]) == before


def test_a_board_can_be_measured_as_it_is(jetbench: Program, fleet: VirtualFleet) -> None:
    """With keep and --no-clocks nothing is touched, and the record says what was found."""
    before = power_state(fleet.boards[0])
    done = jetbench(*ONE, "vgg16", "--power-mode", "keep", "--no-clocks")
    board = done.document["boards"]["virt-01"]
    assert (board["changed"], board["restored"]) == (False, True)
    kept = record(done)
    assert kept["power_mode"] == {"id": 3, "name": "MAXP_CORE_ARM"}
    assert kept["clocks_locked"] is False
    assert kept["conditions"]["gpu_mhz_max"] is None
    assert power_state(fleet.boards[0]) == before
    locked = record(jetbench(*ONE, "vgg16", "--power-mode", "3"))
    assert locked["clocks_locked"] is True
    assert locked["forward_ms"]["median"] <= kept["forward_ms"]["median"]


def test_a_model_is_a_file_a_folder_a_name_or_lies_on_the_board(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """What only one of the boards has fails on the other, which measures the rest."""
    jetbench.net("alone.prototxt")
    jetbench.net("nets/deploy.prototxt")
    there = fleet.boards[0].home / "project/ssd-caffe/models/there.prototxt"
    there.parent.mkdir(exist_ok=True)
    there.write_text(NET)
    done = jetbench(
        "run", "alone.prototxt", "nets", "mine=alone.prototxt", "vgg=vgg16",
        "board:models/there.prototxt", "--repeats", "1", "--format", "json",
    )  # fmt: skip
    assert done.status == 1, done.err
    status = {(r["model"], r["board"]): r["status"] for r in done.document["records"]}
    names = ["alone", "nets", "mine", "vgg", "there"]
    assert [name for name, board in status if board == "virt-01"] == names
    assert [key for key, one in status.items() if one != "ok"] == [("there", "virt-02")]
    good, bad = (r for r in done.document["records"] if r["model"] == "there")
    assert good["input_shapes"] == {"data": [1, 3, 32, 32]}
    assert bad["status"] == "failed"
    assert [trial["failure"]["kind"] for trial in bad["trials"]] == ["no_such_file"]
    assert "models/there.prototxt" in bad["reasons"][0]
    assert bad["forward_ms"] is None
    assert "virt-02: there refused: " in done.err
    kept = jetbench.sweep() / "models/virt-01/4.prototxt"
    assert kept.read_text() == NET.replace("dim: 10", "dim: 1")


def test_a_dry_run_shows_the_plan_and_touches_nothing(jetbench: Program) -> None:
    """Not even the boards need to be there; batch sizes are told apart."""
    done = jetbench("run", "vgg16", "x=resnet50", "--batch", "1,2", "--dry-run")
    assert done.status == 0
    assert "2 boards: virt-01, virt-02" in done.out
    assert "data 1x3x224x224" in done.out
    assert "data 2x3x224x224" in done.out
    assert not jetbench.results.exists()
    one = jetbench("run", "vgg16", "--dry-run", "-b", "virt-01", "--repeats", "1")
    assert one.out.startswith("1 board: virt-01\n1 case, 1 process of 50 iterations")


def test_the_seed_decides_the_order(jetbench: Program) -> None:
    """The same seed gives the same order, another one another; each round holds every case."""
    rounds = {
        seed: jetbench(
            "run", "vgg16", "resnet50", "bvlc_alexnet", "--dry-run", "--seed", seed
        ).out.partition("round 1")[2]
        for seed in ("1", "2")
    }
    again = jetbench("run", "vgg16", "resnet50", "bvlc_alexnet", "--dry-run", "--seed", "1")
    assert again.out.endswith(rounds["1"])
    assert rounds["1"] != rounds["2"]


def test_the_board_runs_the_trials_in_the_order_of_the_plan(jetbench: Program) -> None:
    """Repeats of a case are not run in a row, but a round after the other."""
    jetbench("run", "a=vgg16", "b=vgg16", "-b", "virt-01", "--repeats", "3", "--seed", "4")
    plan = json.loads((jetbench.sweep() / "plan.json").read_text())
    repeats = [trial["repeat"] for trial in plan["trials"]]
    assert repeats == [1, 1, 2, 2, 3, 3]
    logs = sorted((jetbench.sweep() / "logs/virt-01").iterdir())
    names = ["ab"[trial["case"]] for trial in plan["trials"]]
    assert [log.stem for log in logs] == [f"{i:03d}-{n}" for i, n in enumerate(names, 1)]
    assert all(log.stat().st_size for log in logs)


@pytest.mark.parametrize("tag", ["@r32", "virt-02"])
def test_boards_are_picked_by_name_or_tag(jetbench: Program, tag: str) -> None:
    """Only these are asked for."""
    done = jetbench("run", "vgg16", "--dry-run", "-b", tag)
    assert done.out.startswith("1 board: virt-02\n")


def test_results_go_where_it_is_said(jetbench: Program, tmp_path: Path) -> None:
    """By option, or by the environment."""
    net = jetbench.net("net.prototxt")
    jetbench(*ONE, net, "--results", "deep/er", JETBENCH_RESULTS="elsewhere")
    jetbench(*ONE, net, JETBENCH_RESULTS=str(tmp_path / "deep/er"))
    assert len([path for path in (tmp_path / "deep/er").iterdir() if path.is_dir()]) == 2
    assert not jetbench.results.exists()
