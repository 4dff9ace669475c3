"""The JSON of a sweep's result, schema 1, back into values.

The reader is as strict as a number needs to be believed, and no stricter: a key that is missing
is None or empty (older versions of the program wrote fewer), a key that is not known is left
(newer ones write more), and what contradicts itself is an error that names the place.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from jetbench.domain.errors import ResultError
from jetbench.domain.facts import PowerMode
from jetbench.domain.finding import Finding
from jetbench.domain.kept import KeptBoard, KeptSweep
from jetbench.domain.record import (
    SCHEMA,
    FleetOutlier,
    LayerTime,
    Provenance,
    Record,
    RecordConditions,
    Summary,
    TrialResult,
)
from jetbench.domain.timing import Failure
from jetbench.formats.json_node import JsonNode, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.domain.finding import CheckName
    from jetbench.domain.plan import Phase
    from jetbench.domain.record import Status
    from jetbench.domain.timing import FailureKind

_CLOSE = 1e-9
"""How far the numbers of a summary may be from what its values give: rounding only."""
_LAYER = ("name", "type", "forward_ms", "backward_ms")
_READERS: dict[str, Callable[[JsonNode], Any]] = {
    "bool": lambda node: node.flag(),
    "float": lambda node: node.number(),
    "int": lambda node: node.whole(),
    "str": lambda node: node.text(),
}
"""By the type of a field that may be None."""


def parse_result(text: str, source: str) -> KeptSweep:
    """The document that ``jetbench run --format json`` prints, as values.

    Args:
        text: The document.
        source: The name of its file, for messages.

    Raises:
        ResultError: It is no such document, or one of a newer version, or damaged.
    """
    return sweep_of(document_node(text, source))


def document_node(text: str, source: str) -> JsonNode:
    """The document of a sweep, seen to be one, and not yet read.

    Raises:
        ResultError: It is no such document, or one of a newer version.
    """
    document = parse_json(text, source)
    _check_kind(document)
    return document


def sweep_of(document: JsonNode) -> KeptSweep:
    """What a document says.

    Raises:
        ResultError: It contradicts itself, or is damaged.
    """
    sweep = document["sweep"]
    boards = document["boards"]
    return KeptSweep(
        id=sweep["id"].text(),
        source=document.source,
        started_utc=_text(sweep["started_utc"]),
        finished_utc=_text(sweep["finished_utc"]),
        command=tuple(word.text() for word in sweep["command"].items()),
        jetbench=_text(sweep["jetbench"]),
        simulated=sweep["simulated"].maybe(lambda node: node.flag()) or False,
        interrupted=sweep["interrupted"].maybe(lambda node: node.flag()) or False,
        second_look_of=_text(sweep["second_look_of"]),
        boards=tuple(
            KeptBoard(
                name=name,
                reached=board["reached"].flag(),
                error=_text(board["error"]),
                hint=_text(board["hint"]),
                changed=board["changed"].maybe(JsonNode.flag) or False,
                restored=board["restored"].maybe(JsonNode.flag),
            )
            for name, board in boards.entries()
        ),
        records=tuple(record_of(record, boards) for record in document["records"].items()),
        fleet=tuple(_outlier(outlier) for outlier in document["fleet"].items()),
    )


def _check_kind(document: JsonNode) -> None:
    """Refuse what is not ours, and what is newer than this program."""
    source = document.source
    other = ResultError(
        f"{source}: JSON, but not the result of a sweep",
        hint="name a sweep's folder, its result.json, or what `jetbench run --format json` wrote",
    )
    if not isinstance(document.value, dict) or not document.has("schema"):
        raise other
    schema = document["schema"].value
    if isinstance(schema, int) and schema > SCHEMA:
        message = (
            f"{source}: written by a newer jetbench (schema {schema}; this one reads {SCHEMA})"
        )
        raise ResultError(message, hint="upgrade jetbench here")
    if schema != SCHEMA:
        raise other
    if not isinstance(document["records"].value, list) or not document.has("sweep"):
        raise other


def record_of(node: JsonNode, boards: JsonNode) -> Record:
    """A record, as it stands in a document.

    Args:
        node: The record.
        boards: The boards of its document: older versions kept provenance there.

    Raises:
        ResultError: It contradicts itself, or is damaged.
    """
    board = node["board"].text()
    status = cast("Status", node["status"].word("ok", "suspect", "failed", "lost"))
    forward_ms = node["forward_ms"].maybe(_summary)
    if forward_ms is None and status in {"ok", "suspect"}:
        raise node["forward_ms"].wrong(f"what a record has whose status is {status}")
    return Record(
        board=board,
        model=node["model"].text(),
        source=_text(node["source"]) or "",
        batch=node["batch"].whole(),
        phase=cast("Phase", node["phase"].word("TEST", "TRAIN")),
        stages=tuple(stage.text() for stage in node["stages"].items()),
        iterations=node["iterations"].whole(),
        gpu=_whole(node["gpu"]),
        power_mode=node["power_mode"].maybe(_power_mode),
        clocks_locked=node["clocks_locked"].maybe(lambda flag: flag.flag()),
        simulated=node["simulated"].flag(),
        status=status,
        reasons=tuple(reason.text() for reason in node["reasons"].items()),
        input_shapes=tuple(
            (name, tuple(size.whole() for size in shape.items()))
            for name, shape in node["input_shapes"].entries()
        ),
        prototxt_sha256=_text(node["prototxt_sha256"]),
        forward_ms=forward_ms,
        backward_ms=node["backward_ms"].maybe(_summary),
        forward_backward_ms=node["forward_backward_ms"].maybe(_summary),
        layers=_layers(node["layers"]),
        conditions=_fields(node["conditions"], RecordConditions),
        bound_ms=_number(node["bound_ms"]),
        trials=tuple(_trial(trial) for trial in node["trials"].items()),
        findings=tuple(_finding(finding) for finding in node["findings"].items()),
        provenance=(
            _fields(node["provenance"], Provenance)
            if node.has("provenance") or not boards.has(board)
            else _provenance(boards[board])
        ),
    )


def _summary(node: JsonNode) -> Summary:
    """Statistics that agree with their own values."""
    values = tuple(value.number() for value in node["values"].items())
    if not values:
        raise node["values"].wrong("a list of times")
    n = node["n"].whole()
    if n != len(values):
        raise node["n"].wrong(f"the number of values, {len(values)}")
    ends = [end.number() for end in node["ci95"].items()]
    if ends and len(ends) != len(("low", "high")):
        raise node["ci95"].wrong("two numbers")
    return Summary(
        n=n,
        median=_like(node["median"], statistics.median(values)),
        mean=_like(node["mean"], statistics.fmean(values)),
        min=_like(node["min"], min(values)),
        max=_like(node["max"], max(values)),
        stdev=node["stdev"].maybe(lambda stdev: _like(stdev, _stdev(values) if n > 1 else None)),
        ci95=(ends[0], ends[1]) if ends else None,
        values=values,
    )


def _stdev(values: Sequence[float]) -> float:
    """As statistics.stdev, without its fractions: this is compared to nine digits."""
    mean = statistics.fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _like(node: JsonNode, value: float | None) -> float:
    """A number that is what the values give: somebody may have changed one of the two."""
    number = node.number()
    if value is None or not math.isclose(number, value, rel_tol=_CLOSE, abs_tol=_CLOSE):
        raise node.wrong(f"what its values give, {value}")
    return number


def _trial(node: JsonNode) -> TrialResult:
    return TrialResult(
        id=node["id"].whole(),
        repeat=node["repeat"].whole(),
        started_utc=_text(node["started_utc"]),
        wall_s=_number(node["wall_s"]),
        exit_status=_whole(node["exit_status"]),
        forward_ms=_number(node["forward_ms"]),
        backward_ms=_number(node["backward_ms"]),
        forward_backward_ms=_number(node["forward_backward_ms"]),
        total_ms=_number(node["total_ms"]),
        failure=node["failure"].maybe(_failure),
        lost=node["lost"].maybe(lambda flag: flag.flag()) or False,
        log=None,
    )


def _failure(node: JsonNode) -> Failure:
    # A kind that a later version has added is a text like all others.
    return Failure(cast("FailureKind", node["kind"].text()), node["message"].text())


def _finding(node: JsonNode) -> Finding:
    # As with the kinds of failure.
    check = cast("CheckName", node["check"].text())
    return Finding(check, node["evidence"].text(), node["advice"].text())


def _layers(node: JsonNode) -> tuple[LayerTime, ...]:
    """A night has tens of thousands: what is plainly right is taken without a node for each."""
    layers = node.value if isinstance(node.value, list) else []
    plain = tuple(LayerTime(*map(each.get, _LAYER)) for each in layers if _is_plain(each))
    if len(plain) == len(layers) and layers:
        return plain
    return tuple(_layer(layer) for layer in node.items())


def _is_plain(layer: Any) -> bool:  # noqa: ANN401 - JSON may be anything
    """Whether a layer is what the program writes."""
    if type(layer) is not dict:
        return False
    name, kind, forward_ms, backward_ms = map(layer.get, _LAYER)
    return (
        type(name) is str
        and (kind is None or type(kind) is str)
        and (forward_ms is None or (type(forward_ms) is float and math.isfinite(forward_ms)))
        and (backward_ms is None or (type(backward_ms) is float and math.isfinite(backward_ms)))
    )


def _layer(node: JsonNode) -> LayerTime:
    return LayerTime(
        name=node["name"].text(),
        type=_text(node["type"]),
        forward_ms=_number(node["forward_ms"]),
        backward_ms=_number(node["backward_ms"]),
    )


def _outlier(node: JsonNode) -> FleetOutlier:
    return FleetOutlier(
        board=node["board"].text(),
        ratio=node["ratio"].number(),
        cases=node["cases"].whole(),
        peers=node["peers"].whole(),
        evidence=node["evidence"].text(),
    )


def _provenance(board: JsonNode) -> Provenance:
    """Of records of versions that only kept it with the board."""
    caffe = board["caffe"]
    if caffe.value is None:
        caffe = JsonNode({}, caffe.source, caffe.path)
    return Provenance(
        hardware=_text(board["hardware"]),
        serial=_text(board["serial"]),
        l4t=_text(board["l4t"]),
        cuda=_text(board["cuda"]),
        cudnn=_text(board["cudnn"]),
        caffe_path=_text(caffe["path"]),
        caffe_version=_text(caffe["version"]),
        caffe_fork=_text(caffe["fork"]),
        caffe_build=_text(caffe["build_id"]),
        uptime_s=_number(board["uptime_s"]),
    )


def _fields(node: JsonNode, kind: Callable[..., Any]) -> Any:  # noqa: ANN401 - it is of `kind`
    """A value all of whose fields may be None, each under its own name."""
    if node.value is None:
        return kind()
    return kind(
        **{
            field.name: node[field.name].maybe(_READERS[str(field.type).partition(" ")[0]])
            for field in fields(cast("Any", kind))
        }
    )


def _power_mode(node: JsonNode) -> PowerMode:
    return PowerMode(node["id"].whole(), _text(node["name"]))


def _text(node: JsonNode) -> str | None:
    return node.maybe(lambda one: one.text())


def _number(node: JsonNode) -> float | None:
    return node.maybe(lambda one: one.number())


def _whole(node: JsonNode) -> int | None:
    return node.maybe(lambda one: one.whole())
