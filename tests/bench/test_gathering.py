"""What a report is made of, read from a history and from the folders of sweeps."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from jetbench.bench.gathering import gather, profile_of
from jetbench.domain.history import Wanted
from jetbench.domain.record import LayerTime, Provenance
from jetbench.nets import zoo
from jetbench.nets.batch import patch_batch
from jetbench.store.database.history import open_history
from tests.e2e.program import NET
from tests.store.nights import document, record, sweep_id

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.material import Material

TX2 = Provenance(hardware="quill")
LAYERS = (LayerTime("conv", "Convolution", 1.0, None), LayerTime("conv1", None, 1.0, None))


def sha256(text: str) -> str:
    """Of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()


def gathered(results: Path, saw: list[str]) -> Material:
    """Of two nights, of which the first one's folder is here."""
    with open_history(None, results, create=True) as history:
        for day in (1, 2):
            history.add(document(day, [record(7.0 + day)]), "")
        return gather(
            history,
            Wanted(),
            lambda each: results / each if (results / each).is_dir() else None,
            logs=10,
            saw=saw.append,
        )


def test_the_bound_of_a_layer_is_that_of_the_net_that_was_run(tmp_path: Path) -> None:
    """From the sweep's folder, by its hash; a net that is another one has no bound."""
    (tmp_path / "models" / "one").mkdir(parents=True)
    (tmp_path / "models" / "0.prototxt").write_text("layer {")
    (tmp_path / "models" / "one" / "1.prototxt").write_text(NET)
    known = record(7.0, provenance=TX2, layers=LAYERS, prototxt_sha256=sha256(NET))
    assert set(profile_of(known, "s", tmp_path).bounds_ms) >= {"conv", "relu"}
    assert profile_of(known, "s", None).bounds_ms == {}
    other = record(7.0, provenance=TX2, layers=LAYERS, prototxt_sha256=sha256("other"))
    assert profile_of(other, "s", tmp_path).bounds_ms == {}


@pytest.mark.parametrize(
    "changes",
    [{"provenance": Provenance(hardware="nano")}, {"gpu": None}, {"prototxt_sha256": None}],
)
def test_a_model_that_comes_along_needs_no_folder(changes: dict[str, object]) -> None:
    """Its bound is known by its name and batch; not on another board, and not on the CPU."""
    text = patch_batch(zoo.text_of("bvlc_alexnet"), 1).text
    one = {"source": "bvlc_alexnet", "prototxt_sha256": sha256(text), "provenance": TX2}
    assert profile_of(record(7.0, **one), "s", None).bounds_ms["conv1"] > 0
    assert profile_of(record(7.0, **{**one, **changes}), "s", None).bounds_ms == {}


def test_a_plan_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    """It may come from anybody: a board's name is no path."""
    folder = tmp_path / "results" / sweep_id(1)
    (folder / "logs").mkdir(parents=True)
    (outside := tmp_path / "results" / "logs").mkdir()
    (outside / "001-secret.log").write_text("secret")
    plan = {
        "boards": [{"name": "../../logs"}],
        "cases": [{"model": "alpha", "batch": 1, "power_mode": "0"}],
        "trials": [{"id": 1, "case": 0, "repeat": 1}],
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    assert gathered(tmp_path / "results", []).logs == {}


def test_what_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    """A gate's verdict that somebody has edited; a plan that is none."""
    (folder := tmp_path / sweep_id(1)).mkdir()
    (folder / "gate.json").write_text("{")
    (folder / "plan.json").write_text("[]")
    saw: list[str] = []
    found = gathered(tmp_path, saw)
    assert len(found.sweeps) == 2
    assert found.gates == {}
    assert len(saw) == 1
    assert "gate.json" in saw[0]
