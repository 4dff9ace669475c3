"""A night as JUnit XML, for CI servers: a suite a board, a test a case.

The form is the one that Jenkins checks files against (its xunit plugin's ``junit-10.xsd``):
``testsuites > testsuite > properties?, testcase > (failure | error | skipped | system-out)*``,
with `tests`, `failures` and `errors` at each suite, and times in seconds.

A case fails where the gate has found it slower, twice; it is an error where it failed or was lost,
and is skipped where the baseline has it and nobody measured it. Why a number is suspect stands in
``system-out``. The time of a test is the mean forward time: Jenkins draws it over the nights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from jetbench.formats.words import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.gate import Gate, Suspicion
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record

_PREFIX = "jetbench"


def junit_xml(sweep: KeptSweep, gate: Gate | None = None) -> str:
    """The whole document, with a line end.

    Args:
        sweep: What was measured.
        gate: What it says, where there is one.
    """
    root = Element("testsuites", name=f"{_PREFIX} {escaped(sweep.id)}")
    records: dict[str, list[Record]] = {board.name: [] for board in sweep.boards}
    for record in sweep.records:
        records.setdefault(record.board, []).append(record)
    for board, of_board in records.items():
        _add_suite(root, sweep, board, of_board, gate)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_suite(
    root: Element, sweep: KeptSweep, board: str, records: Sequence[Record], gate: Gate | None
) -> None:
    suite = SubElement(root, "testsuite", name=f"{_PREFIX}.{escaped(board)}")
    if sweep.started_utc is not None:
        suite.set("timestamp", escaped(sweep.started_utc.removesuffix("Z")))
    suite.set("hostname", escaped(board))
    _add_properties(suite, sweep, gate)
    for record in records:
        _add_case(suite, record, _suspicions(gate, record))
    for missing in gate.no_verdict if gate else ():
        if missing.board == board and missing.why == "only in the baseline":
            name = _name(missing.model, missing.batch, None)
            case = SubElement(suite, "testcase", name=name, classname=_class(board))
            SubElement(case, "skipped", message="in the baseline, and not measured now")
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(kind) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.6f}")


def _add_properties(suite: Element, sweep: KeptSweep, gate: Gate | None) -> None:
    properties = SubElement(suite, "properties")
    for name, value in (
        ("sweep", sweep.id),
        ("jetbench", sweep.jetbench),
        ("simulated", str(sweep.simulated).lower()),
        ("gate", gate.verdict if gate else None),
        ("baseline", f"{gate.baseline} {gate.baseline_id}" if gate else None),
    ):
        if value is not None:
            SubElement(properties, "property", name=name, value=escaped(value))


def _add_case(suite: Element, record: Record, suspicions: Sequence[Suspicion]) -> None:
    mode = record.power_mode
    name = _name(record.model, record.batch, None if mode is None else mode.name or str(mode.id))
    case = SubElement(suite, "testcase", name=name, classname=_class(record.board))
    reasons = escaped("; ".join(record.reasons))
    if record.forward_ms is not None:
        case.set("time", f"{record.forward_ms.mean / 1000:.6f}")
    if record.status in {"failed", "lost"}:
        SubElement(case, "error", type=record.status, message=reasons or record.status)
    for one in suspicions:
        text = (
            f"{one.before_ms:.6g} -> {one.now_ms:.6g} ms, {100 * (one.ratio - 1):+.1f} % "
            f"({one.belief}); changed: {'; '.join(one.changed) or 'nothing that is known'}"
        )
        if one.belief == "confirmed":
            failure = SubElement(case, "failure", type="regression", message=escaped(text))
            failure.text = escaped(
                "; ".join(f"{layer.name} {layer.before_ms:.4g} -> {layer.now_ms:.4g} ms"
                          for layer in one.layers)
            )  # fmt: skip
        else:
            SubElement(case, "system-out").text = escaped(f"looked slower: {text}")
    if record.status == "suspect":
        SubElement(case, "system-out").text = f"suspect: {reasons}"
    if record.simulated:
        SubElement(case, "system-out").text = "simulated: computed, not measured"


def _suspicions(gate: Gate | None, record: Record) -> list[Suspicion]:
    mode = record.power_mode
    shown = None if mode is None else mode.name or str(mode.id)
    return [
        one
        for one in (gate.suspicions if gate else ())
        if (one.board, one.model, one.batch, one.power_mode)
        == (record.board, record.model, record.batch, shown)
    ]


def _name(model: str, batch: int, mode: str | None) -> str:
    parts = [model, f"x{batch}" if batch != 1 else None, mode]
    return escaped(" ".join(part for part in parts if part))


def _class(board: str) -> str:
    return f"{_PREFIX}.{escaped(board)}"
