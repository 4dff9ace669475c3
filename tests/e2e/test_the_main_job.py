"""The four models on two boards, as JSON: the contract, held against the evidence."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jetbench.formats.caffe_log import parse_log
from tests.e2e.program import SUMMARY_KEYS, Done, Program, at_rest, power_state

if TYPE_CHECKING:
    from jetbench.virtual.fleet import VirtualFleet

MODELS = ("bvlc_alexnet", "bvlc_googlenet", "vgg16", "resnet50")
SIDES = {"bvlc_alexnet": 227, "bvlc_googlenet": 224, "vgg16": 224, "resnet50": 224}
PUBLISHED_MS = {
    "bvlc_alexnet": 12.9396,
    "bvlc_googlenet": 24.6415,
    "vgg16": 91.82,
    "resnet50": 64.0829,
}
BOARDS = ("virt-01", "virt-02")
REPEATS = 2


class Job:
    """The run that all tests of this file look at."""

    def __init__(self, program: Program, fleet: VirtualFleet) -> None:
        self.fleet = fleet
        self.before = [power_state(board) for board in fleet.boards]
        self.done: Done = program("run", *MODELS, "--repeats", str(REPEATS), "--format", "json")
        self.document: dict[str, Any] = self.done.document
        self.records: list[dict[str, Any]] = self.document["records"]
        self.sweep = program.sweep()


@pytest.fixture(scope="module")
def job(fleet: VirtualFleet, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """One run for them all."""
    inventory = fleet.directory / "inventory.yaml"
    return Job(Program(tmp_path_factory.mktemp("job"), inventory), fleet)


def test_it_ends_well_and_standard_output_is_one_document(job: Job) -> None:
    """Exit code 0, every case measured, and the same document is kept."""
    assert job.done.status == 0, job.done.err
    cases = [(record["model"], record["board"]) for record in job.records]
    assert cases == [(model, board) for model in MODELS for board in BOARDS]
    assert {record["status"] for record in job.records} == {"ok"}
    assert not any(record["reasons"] for record in job.records)
    assert json.loads((job.sweep / "result.json").read_text()) == job.document


def test_every_key_of_the_contract_is_there(job: Job) -> None:
    """At every level; schema 1."""
    document = job.document
    assert document["schema"] == 1
    assert set(document) >= {"schema", "sweep", "boards", "records"}
    assert set(document["sweep"]) >= {
        "id", "started_utc", "finished_utc", "command", "jetbench", "simulated",
    }  # fmt: skip
    assert document["sweep"]["command"][:3] == ["jetbench", "run", "bvlc_alexnet"]
    for board in document["boards"].values():
        assert set(board) >= {
            "reached", "error", "hardware", "l4t", "cuda", "cudnn", "tensorrt", "caffe",
            "power_before", "clocks_before", "restored",
        }  # fmt: skip
        assert set(board["caffe"]) >= {"path", "version", "fork"}
    for record in job.records:
        assert set(record) >= {
            "board", "model", "engine", "batch", "phase", "iterations", "power_mode",
            "clocks_locked", "simulated", "status", "reasons", "input_shapes",
            "prototxt_sha256", "forward_ms", "backward_ms", "forward_backward_ms", "layers",
            "conditions", "bound_ms", "trials",
        }  # fmt: skip
        for sort in ("forward_ms", "backward_ms", "forward_backward_ms"):
            assert set(record[sort]) == SUMMARY_KEYS
        assert set(record["conditions"]) >= {
            "gpu_mhz_min", "gpu_mhz_max", "gpu_temp_c_max", "power_w_mean",
        }  # fmt: skip
        for layer in record["layers"]:
            assert set(layer) == {"name", "type", "forward_ms", "backward_ms"}
        for trial in record["trials"]:
            assert set(trial) >= {
                "repeat", "started_utc", "wall_s", "exit_status", "forward_ms", "backward_ms",
                "forward_backward_ms", "total_ms", "failure",
            }  # fmt: skip


def test_a_record_says_what_was_run_and_how(job: Job) -> None:
    """Batch 1, the phase, the power mode and the clocks as read back, the net's hash."""
    for record in job.records:
        side = SIDES[record["model"]]
        assert record["input_shapes"] == {"data": [1, 3, side, side]}
        assert (record["engine"], record["batch"], record["phase"]) == ("caffe", 1, "TEST")
        assert record["iterations"] == 50
        assert record["power_mode"] == {"id": 0, "name": "MAXN"}
        assert record["clocks_locked"] is True
        assert record["conditions"]["gpu_mhz_min"] == record["conditions"]["gpu_mhz_max"]
        assert 0 < record["bound_ms"] < record["forward_ms"]["min"]
        assert [trial["repeat"] for trial in record["trials"]] == list(range(1, REPEATS + 1))
        net = job.sweep / "models" / f"{MODELS.index(record['model'])}.prototxt"
        assert record["prototxt_sha256"] == hashlib.sha256(net.read_bytes()).hexdigest()


def test_it_is_marked_as_simulated_everywhere(job: Job) -> None:
    """In the sweep, in every board, in every record, and in every raw log."""
    assert job.document["sweep"]["simulated"] is True
    assert all(board["simulated"] is True for board in job.document["boards"].values())
    assert all(record["simulated"] is True for record in job.records)
    assert all(b"SIMULATED" in log.read_bytes() for log in _logs(job.sweep))


def test_the_numbers_are_those_of_the_raw_logs(job: Job) -> None:
    """Each trial's times stand in its own log; a summary is made of its trials."""
    assert len(_logs(job.sweep)) == len(job.records) * REPEATS
    for record in job.records:
        for trial in record["trials"]:
            folder = job.sweep / "logs" / record["board"]
            log = parse_log((folder / f"{trial['id']:03d}-{record['model']}.log").read_bytes())
            for sort in ("forward_ms", "backward_ms", "forward_backward_ms", "total_ms"):
                assert trial[sort] == getattr(log, sort) is not None
            assert trial["exit_status"] == 0
            assert trial["failure"] is None
        values = [trial["forward_ms"] for trial in record["trials"]]
        assert record["forward_ms"]["values"] == values
        assert record["forward_ms"]["median"] == pytest.approx(sum(values) / REPEATS)
        total_ms = sum(layer["forward_ms"] for layer in record["layers"])
        assert total_ms == pytest.approx(record["forward_ms"]["mean"], rel=0.1)


def test_the_times_are_near_the_published_ones(job: Job) -> None:
    """Within 15 %, in MAXN."""
    for record in job.records:
        published_ms = PUBLISHED_MS[record["model"]]
        assert record["forward_ms"]["median"] == pytest.approx(published_ms, rel=0.15)


def test_the_boards_are_as_they_were(job: Job) -> None:
    """Mode, clocks and fan are put back, nothing runs there, and no file is left."""
    for board, before in zip(job.fleet.boards, job.before, strict=True):
        told = job.document["boards"][board.name]
        assert told["reached"] is told["changed"] is told["restored"] is True
        assert told["error"] is None
        assert told["power_before"] == {"id": 3, "name": "MAXP_CORE_ARM"}
        assert told["clocks_before"] is False
        assert power_state(board) == before
        assert at_rest(board)


def test_a_board_says_what_is_installed_on_it(job: Job) -> None:
    """The two releases differ; nothing is taken from this machine."""
    told = [job.document["boards"][name] for name in BOARDS]
    assert [board["l4t"] for board in told] == ["28.2.1", "32.3.1"]
    assert [board["cuda"] for board in told] == ["9.0.252", "10.0.326"]
    assert [board["cudnn"] for board in told] == ["7.1.5", "7.6.3"]
    assert [board["tensorrt"] for board in told] == ["4.1.3", "6.0.1"]
    assert [board["caffe"]["version"] for board in told] == ["1.0.0", "1.0.0"]


def test_what_is_kept_is_for_its_owner_only(job: Job) -> None:
    """Files are 0600 and folders 0700: logs tell about a lab."""
    for path in (job.sweep, *job.sweep.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_progress_is_a_line_an_event_on_standard_error(job: Job) -> None:
    """Every trial of every board is told, with no control character."""
    lines = job.done.err.splitlines()
    for board in BOARDS:
        told = [line for line in lines if line.startswith(f"{board}: ")]
        assert sum(": done in " in line for line in told) == len(MODELS) * REPEATS
        assert told[-1] == f"{board}: done"
    assert "\x1b" not in job.done.err
    assert str(Path(job.sweep.parent.name, job.sweep.name)) in lines[-1]


def _logs(sweep: Path) -> list[Path]:
    return sorted(sweep.glob("logs/*/*.log"))
