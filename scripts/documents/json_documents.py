"""docs/reference/json.md: the keys of every JSON document that a command prints."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jetbench.analysis.comparable import Difference
from jetbench.analysis.difference import LayerDifference
from jetbench.analysis.readiness import Lack
from jetbench.analysis.speed import RelativeSpeed
from jetbench.bench.running import Looked
from jetbench.bench.survey import Surveyed
from jetbench.cli import boards_list, models, parse
from jetbench.domain.board import Board
from jetbench.domain.facts import BoardFacts
from jetbench.domain.gate import Gate
from jetbench.domain.history import SweepLine, ToldSeries
from jetbench.domain.kept import KeptSweep
from jetbench.domain.part import BoardStatus
from jetbench.domain.record import Record, SweepResult
from jetbench.domain.timing import ParsedLog
from jetbench.formats.gate import gate_to_json
from jetbench.formats.result import result_to_json
from jetbench.nets.build import build_net
from jetbench.nets.peaks import TX2_PEAKS
from jetbench.nets.zoo import MODELS, text_of
from jetbench.report.compare_data import comparison_to_json
from jetbench.report.estimate import Estimate, estimate_to_json
from jetbench.report.history import history_to_json
from jetbench.report.layers import ProfileLine, layers_to_json
from jetbench.report.status import status_to_json
from jetbench.report.survey import survey_to_json
from jetbench.report.sweeps import line_to_json
from scripts.documents.json_words import WORDS
from scripts.documents.markdown import code, heading, plain, table
from scripts.documents.specimens import Lacks, Text, specimen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = Any

_THE_SAME = (
    "records[].backward_ms",
    "records[].forward_backward_ms",
    "cases[].b",
    "b",
    "at_least",
)
"""What has the same keys as another one, which stands before it."""
_UNKNOWN_NET = """
input: "data" input_dim: [1, 3, 8, 8]
layer { name: "odd" type: "Odd" bottom: "data" top: "odd" }
"""


_FOUND_BY = {
    "NAME": {"NAME", "data"},
    "MODE": {peak.mode_name for peak in TX2_PEAKS.values()},
    "STATUS": {"ok", "suspect", "failed", "lost"},
    "VERDICT": {"slower"},
}
"""What stands in a path for names that are not always the same, and such names."""


@dataclass(frozen=True)
class Document:
    """One document, made with everything in it, or with something missing."""

    title: str
    about: str
    made: Callable[[Lacks], Json]


def page() -> str:
    """The text of the page.

    Raises:
        KeyError: A key has no meaning: neither where its value comes from, nor in `json_words`.
    """
    top = heading(
        "JSON",
        "What commands print with `--format json`: one document on standard output, and nothing "
        "else. Keys never change their meaning; more may come. What is not known is `null`, never "
        "0. Times are in the unit that their name ends in; ratios and parts are fractions.",
        "`NAME`, where it stands in a key's path, is any name, `MODE`, `STATUS` and `VERDICT` "
        "likewise; `[]` is each entry of a list.",
    )
    used: set[str] = set()
    sections = [_section(document, used) for document in DOCUMENTS]
    if forgotten := {key for key in WORDS if key not in used}:
        raise KeyError(f"there is no such key any more: {', '.join(sorted(forgotten))}")
    return "\n\n".join([top, *sections]) + "\n"


def _section(document: Document, used: set[str]) -> str:
    missing = {
        path
        for lacks in ("leaves", "all")
        for path, value in _walk(document.made(lacks))
        if value is None
    }
    rows: dict[str, tuple[str, str, str]] = {}
    for path, value in _walk(document.made("nothing")):
        beside = any(path.startswith(f"{one}.") for one in _THE_SAME)
        if path in rows or not path or path.endswith("[]") or beside:
            continue
        kind = _kind(value) + (" or null" if path in missing else "")
        rows[path] = (code(path), kind, plain(_meaning(document.title, path, value, used)))
    lines = table(("key", "type", "meaning"), rows.values())
    return f"## {document.title}\n\n{document.about}\n\n{lines}"


def _walk(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every path of a document with a value that is there, the outer ones first."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in _by_any_name(value).items():
            yield from _walk(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            if isinstance(inner, dict):
                yield from _walk(inner, f"{path}[]")


def _by_any_name(value: Json) -> Json:
    """An object by whose keys something is found, with one key for all of them."""
    for name, names in _FOUND_BY.items():
        if value and names.issuperset(value):
            return {name: next(iter(value.values()))}
    return value


def _kind(value: Json) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list | tuple):
        return f"list of {_kind(value[0])}s" if value else "list"
    if isinstance(value, Text) and value.choices:
        return " or ".join(f'`"{one}"`' for one in value.choices)
    names = {"Flag": "true or false", "bool": "true or false", "Whole": "whole number",
             "int": "whole number", "Number": "number", "float": "number"}  # fmt: skip
    return names.get(type(value).__name__, "text")


def _meaning(title: str, path: str, value: Json, used: set[str]) -> str:
    """What a key says: by its place, by its field in the code, or else by its name."""
    said = str(getattr(value, "meaning", "")).replace("None", "null")
    last = path.rpartition(".")[2]
    for key in (f"{title}: {path}", path, *([] if said else [last])):
        if key in WORDS:
            used.add(key)
            return WORDS[key]
    if not said:
        raise KeyError(f"{title}: {path}")
    return said


def _comparison(lacks: Lacks) -> Json:
    record = specimen(Record, lacks=lacks)
    case = SimpleNamespace(
        a=record, b=record, verdict=Text("slower"), why=("",), suspect=False, p_value=0.5,
        speed=specimen(RelativeSpeed, lacks=lacks), differences=(), layers=(), changed=(),
    )  # fmt: skip
    if lacks == "nothing":
        case.differences = case.changed = (specimen(Difference, lacks=lacks),)
        case.layers = (specimen(LayerDifference, lacks=lacks),)
    else:
        case.speed = case.p_value = None
    both: Any = SimpleNamespace(
        cases=[case], only_a=[record], only_b=[record], counts={"slower": 1},
        geometric_mean=1.0 if lacks == "nothing" else None,
    )  # fmt: skip
    kept = specimen(KeptSweep, lacks=lacks)
    return comparison_to_json(both, kept, kept)


def _status(lacks: Lacks) -> Json:
    status = specimen(BoardStatus, lacks=lacks)
    return status_to_json([Looked(specimen(Board, lacks=lacks), status, None)], None)


def _survey(lacks: Lacks) -> Json:
    facts, lack = specimen(BoardFacts, lacks=lacks), specimen(Lack, lacks=lacks)
    return survey_to_json([Surveyed(specimen(Board, lacks=lacks), facts, (lack,), None)])


def _layers(lacks: Lacks) -> Json:
    record = specimen(Record, lacks=lacks)
    return layers_to_json(record, record, [specimen(ProfileLine, lacks=lacks)])


def _estimate(lacks: Lacks) -> Json:
    net = build_net(text_of("bvlc_alexnet") if lacks == "nothing" else _UNKNOWN_NET)
    return estimate_to_json(Estimate("NAME", 1, net))


DOCUMENTS = (
    Document(
        "`run`, `demo`, `attach`, `results show`",
        "Schema 1. With `--baseline`, and where a gate has spoken, it has the key `gate`, too.",
        lambda lacks: {
            **result_to_json(specimen(SweepResult, lacks=lacks)),
            "gate": gate_to_json(specimen(Gate, lacks=lacks)),
        },
    ),
    Document("`compare`", "Two sweeps, case by case; A is what it was before.", _comparison),
    Document(
        "`history`",
        "Each case over the nights.",
        lambda lacks: history_to_json([specimen(ToldSeries, lacks=lacks)]),
    ),
    Document("`estimate`", "What a net costs, and the least time it takes.", _estimate),
    Document(
        "`parse`",
        "A list with an object for each log.",
        lambda lacks: [parse._as_json("NAME", specimen(ParsedLog, lacks=lacks))],  # noqa: SLF001
    ),
    Document(
        "`results list`",
        "The sweeps, the newest first.",
        lambda lacks: {"schema": 1, "sweeps": [line_to_json(specimen(SweepLine, lacks=lacks))]},
    ),
    Document("`results layers`", "The profile of a case, or of two side by side.", _layers),
    Document(
        "`baseline list`",
        "Names of baselines.",
        lambda _: {"schema": 1, "names": {"NAME": "20260102-030405-a1b2c3"}},
    ),
    Document("`status`", "What runs where.", _status),
    Document(
        "`boards list`",
        "A list with an object for each board of the inventory.",
        lambda lacks: [boards_list._as_json(specimen(Board, lacks=lacks))],  # noqa: SLF001
    ),
    Document("`boards check`", "An object for each board, by its name.", _survey),
    Document(
        "`models`",
        "A list with an object for each model that comes along.",
        lambda _: [models._as_json(MODELS["vgg16"])],  # noqa: SLF001
    ),
)
