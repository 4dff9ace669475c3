"""The JSON of a sweep's result, read back."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.statistics import summarize
from jetbench.domain.errors import ResultError
from jetbench.domain.facts import PowerMode
from jetbench.domain.finding import Finding
from jetbench.domain.record import (
    FleetOutlier,
    LayerTime,
    Provenance,
    RecordConditions,
    TrialResult,
)
from jetbench.domain.timing import Failure
from jetbench.formats.result import result_to_json
from jetbench.formats.result_read import parse_result
from tests import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from jetbench.domain.kept import KeptSweep

NUMBERS = st.floats(0, 1e12)
MAYBE = st.none() | NUMBERS
TEXTS = st.text(max_size=8)
MAYBE_TEXT = st.none() | TEXTS
SUMMARIES = st.none() | st.lists(st.floats(0.001, 1e6), min_size=1, max_size=5).map(summarize)
TRIALS = st.builds(
    TrialResult,
    id=st.integers(0),
    repeat=st.integers(0),
    started_utc=MAYBE_TEXT,
    wall_s=MAYBE,
    exit_status=st.none() | st.integers(),
    forward_ms=MAYBE,
    backward_ms=MAYBE,
    forward_backward_ms=MAYBE,
    total_ms=MAYBE,
    failure=st.none() | st.builds(Failure, st.just("killed"), TEXTS),
    lost=st.booleans(),
    log=st.none(),
    telemetry=st.none(),
)
RECORDS = st.builds(
    make.record,
    board=TEXTS,
    model=TEXTS,
    batch=st.integers(1),
    phase=st.sampled_from(["TEST", "TRAIN"]),
    stages=st.lists(TEXTS, max_size=2).map(tuple),
    gpu=st.none() | st.integers(0),
    power_mode=st.none() | st.builds(PowerMode, st.integers(), MAYBE_TEXT),
    clocks_locked=st.none() | st.booleans(),
    simulated=st.booleans(),
    status=st.sampled_from(["failed", "lost"]),
    reasons=st.lists(TEXTS, max_size=2).map(tuple),
    prototxt_sha256=MAYBE_TEXT,
    forward_ms=SUMMARIES,
    backward_ms=SUMMARIES,
    layers=st.lists(st.builds(LayerTime, TEXTS, MAYBE_TEXT, MAYBE, MAYBE), max_size=2).map(tuple),
    conditions=st.builds(RecordConditions, *[MAYBE for _ in fields(RecordConditions)]),
    bound_ms=MAYBE,
    trials=st.lists(TRIALS, max_size=2).map(tuple),
    findings=st.lists(st.builds(Finding, st.just("heat"), TEXTS, TEXTS), max_size=2).map(tuple),
    provenance=st.builds(Provenance, l4t=MAYBE_TEXT, caffe_build=MAYBE_TEXT, uptime_s=MAYBE),
)


def document(**changes: Any) -> Any:  # noqa: ANN401 - JSON is anything
    """A good document of one record, with changed keys of that record."""
    good = json.loads(json.dumps(result_to_json(make.result(make.record()))))
    good["records"][0].update(changes)
    return good


def read(found: object) -> KeptSweep:
    """What the reader makes of a document."""
    return parse_result(json.dumps(found), "night.json")


@given(records=st.lists(RECORDS, max_size=3))
def test_what_is_written_is_read_back_as_it_was(records: list[Any]) -> None:
    """Every number to its last bit, and every None."""
    outlier = FleetOutlier("one", 1.06, 4, 11, "one is 6 % slower")
    result = make.result(*records, fleet=(outlier,))
    kept = read(result_to_json(result))
    assert list(kept.records) == records
    assert kept.fleet == (outlier,)
    assert (kept.id, kept.command) == (result.plan.sweep_id, result.plan.command)
    assert (kept.started_utc, kept.finished_utc) == (result.started_utc, result.finished_utc)
    assert (kept.boards[0].name, kept.boards[0].reached) == ("one", True)


def test_findings_provenance_and_conditions_stand_in_the_document() -> None:
    """Under the names of their fields."""
    record = make.record(
        findings=(Finding("heat", "the GPU had 71 °C", "wait longer"),),
        provenance=Provenance(l4t="28.2.1"),
    )
    (found,) = result_to_json(make.result(record))["records"]
    assert found["findings"] == [
        {"check": "heat", "evidence": "the GPU had 71 °C", "advice": "wait longer"}
    ]
    assert found["provenance"].keys() == {field.name for field in fields(Provenance)}
    assert found["provenance"]["l4t"] == "28.2.1"
    assert found["conditions"].keys() == {field.name for field in fields(RecordConditions)}


def test_keys_of_older_and_newer_versions_do_no_harm() -> None:
    """What is missing is None or empty; what is not known is left."""
    found = document(invented={"some": "thing"})
    old = ("findings", "stages", "layers", "trials", "reasons", "bound_ms", "conditions")
    for key in old:
        del found["records"][0][key]
    del found["fleet"], found["sweep"]["interrupted"]
    (record,) = read(found).records
    assert (record.findings, record.stages, record.layers, record.trials) == ((), (), (), ())
    assert record.conditions == RecordConditions()
    assert record.forward_ms == make.record().forward_ms


def test_provenance_of_older_versions_is_that_of_the_board() -> None:
    """It stood there before it stood in each record."""
    found = document()
    del found["records"][0]["provenance"]
    (record,) = read(found).records
    assert record.provenance == Provenance(
        hardware="quill",
        serial="0320818000001",
        l4t="28.1.0",
        cuda="8.0.72",
        cudnn="6.0.21",
        caffe_path="/home/nvidia/ssd/build/tools/caffe",
        caffe_version="1.0.0-rc3",
        caffe_fork="ssd",
        caffe_build="1-2",
        uptime_s=812.3,
    )
    found["boards"]["one"]["caffe"] = None
    assert read(found).records[0].provenance.caffe_build is None
    found["boards"] = {}
    assert read(found).records[0].provenance == Provenance()


def _summary(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    return {**document()["records"][0]["forward_ms"], **changes}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"board": 7}, "records[0].board: 7, which is not a text"),
        ({"batch": "8"}, 'records[0].batch: "8", which is not a whole number'),
        ({"batch": True}, "records[0].batch: true, which is not a whole number"),
        ({"batch": None}, "records[0].batch: missing, which is not a whole number"),
        ({"phase": "BOTH"}, "records[0].phase"),
        ({"status": "great"}, "one of ok, suspect, failed, lost"),
        ({"simulated": "no"}, "records[0].simulated"),
        ({"stages": "deploy"}, "records[0].stages"),
        ({"input_shapes": [1]}, "records[0].input_shapes"),
        ({"input_shapes": {"data": [1.5]}}, "records[0].input_shapes.data[0]"),
        ({"power_mode": {"name": "MAXN"}}, "records[0].power_mode.id: missing"),
        ({"forward_ms": None}, "records[0].forward_ms: missing"),
        ({"forward_ms": 7.2}, "records[0].forward_ms: 7.2, which is not an object"),
        ({"forward_ms": _summary(mean=7.0)}, "records[0].forward_ms.mean: 7.0"),
        ({"forward_ms": _summary(median=7.0)}, "records[0].forward_ms.median"),
        ({"forward_ms": _summary(stdev=7.0)}, "records[0].forward_ms.stdev"),
        ({"forward_ms": _summary(n=4)}, "the number of values, 3"),
        ({"forward_ms": _summary(values=[])}, "records[0].forward_ms.values"),
        ({"forward_ms": _summary(ci95=[1])}, "records[0].forward_ms.ci95"),
        ({"forward_ms": _summary(values=[10**400])}, "values[0]"),
        ({"conditions": {"gpu_mhz_max": "fast"}}, "records[0].conditions.gpu_mhz_max"),
        ({"trials": [{}]}, "records[0].trials[0].id: missing"),
        ({"findings": [{"check": "heat"}]}, "records[0].findings[0].evidence"),
        ({"layers": [None]}, "records[0].layers[0]"),
        ({"model": "x", "board": ["\x1b[2J" * 99]}, "\\u001b[2J"),
    ],
)
def test_what_was_changed_by_hand_is_refused_with_its_place(
    change: dict[str, Any], message: str
) -> None:
    """File, place in the JSON, what stands there; never a character that moves a cursor."""
    with pytest.raises(ResultError) as caught:
        read(document(**change))
    assert caught.value.message.startswith("night.json: ")
    assert message in caught.value.message
    assert caught.value.message.isprintable()
    assert "changed by hand" in (caught.value.hint or "")


def _without(key: str) -> Any:  # noqa: ANN401 - JSON is anything
    found = document()
    del found[key]
    return found


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "not the result of a sweep"),
        ([{"file": "a.log", "forward_ms": 7.2}], "not the result of a sweep"),
        ({}, "not the result of a sweep"),
        ({"schema": 1, "cases": []}, "not the result of a sweep"),
        (_without("records"), "not the result of a sweep"),
        (_without("sweep"), "not the result of a sweep"),
        ({**document(), "schema": 0}, "not the result of a sweep"),
        ({**document(), "schema": "draft-07"}, "not the result of a sweep"),
        ({"schema": 2, "anything": 1}, "written by a newer jetbench (schema 2; this one reads 1)"),
        ({**document(), "boards": {"one": 1}}, "boards.one"),
        ({**document(), "sweep": {}}, "sweep.id: missing"),
    ],
)
def test_what_is_not_ours_or_newer_is_named_for_what_it_is(found: object, message: str) -> None:
    """Another tool's JSON, and one that this version cannot know."""
    with pytest.raises(ResultError, match=r"^night\.json") as caught:
        read(found)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "night.json:1:"),
        (lambda _: "", "night.json:1:1: no JSON"),
        (lambda _: "Model    Board\n-----", "no JSON"),
        (lambda text: text.replace('"batch": 1', '"batch": NaN'), "no JSON that jetbench writes"),
        (lambda text: text.replace('"batch": 1', '"batch": ' + "1" * 5000), "no JSON"),
        (lambda _: "[" * 100_000, "no JSON"),
    ],
    ids=["half", "empty", "table", "NaN", "digits", "deep"],
)
def test_what_is_no_json_is_refused(change: Callable[[str], str], message: str) -> None:
    """With its line where it has one."""
    with pytest.raises(ResultError) as caught:
        parse_result(change(json.dumps(document())), "night.json")
    assert message in caught.value.message


@given(data=st.data())
def test_no_change_of_one_value_ends_in_anything_but_values_or_our_error(
    data: st.DataObject,
) -> None:
    """Whatever stands at whatever place."""
    found = document(findings=[{"check": "heat", "evidence": "", "advice": ""}])
    at, key = found, "records"
    while isinstance(at[key], (dict, list)) and at[key] and data.draw(st.booleans()):
        at = at[key]
        key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
    at[key] = data.draw(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | TEXTS
        | st.lists(st.integers(), max_size=2)
        | st.dictionaries(TEXTS, st.none(), max_size=1)
    )
    with suppress(ResultError):
        read(found)
