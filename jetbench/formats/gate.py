"""What a gate says, as JSON and back: ``gate.json`` in the sweep's folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from jetbench.domain.gate import Belief, Gate, GateLayer, NoVerdict, Suspicion
from jetbench.domain.record import SCHEMA
from jetbench.formats.json_node import JsonNode, parse_json

Json = dict[str, Any]

_BELIEFS = ("confirmed", "not confirmed", "not measured again", "as usual")


def gate_to_json(gate: Gate) -> Json:
    """The document, also the key ``gate`` of ``jetbench run --format json``."""
    return {
        "schema": SCHEMA,
        "verdict": gate.verdict,
        "baseline": gate.baseline,
        "baseline_id": gate.baseline_id,
        "sweep_id": gate.sweep_id,
        "second_look_id": gate.second_look_id,
        "compared": gate.compared,
        "faster": gate.faster,
        "suspicions": [_suspicion(one) for one in gate.suspicions],
        "no_verdict": [asdict(one) for one in gate.no_verdict],
    }


def parse_gate(text: str, source: str) -> Gate:
    """A gate that was kept.

    Raises:
        ResultError: It is none, or was changed by hand; the message names the file.
    """
    node = parse_json(text, source)
    if node["schema"].value != SCHEMA:
        raise node["schema"].wrong(f"{SCHEMA}, the schema that this jetbench reads")
    return Gate(
        baseline=node["baseline"].text(),
        baseline_id=node["baseline_id"].text(),
        sweep_id=node["sweep_id"].text(),
        compared=node["compared"].whole(),
        faster=node["faster"].whole(),
        suspicions=tuple(_read_suspicion(one) for one in node["suspicions"].items()),
        no_verdict=tuple(
            NoVerdict(
                one["board"].text(), one["model"].text(), one["batch"].whole(), one["why"].text()
            )
            for one in node["no_verdict"].items()
        ),
        second_look_id=node["second_look_id"].maybe(JsonNode.text),
    )


def _suspicion(one: Suspicion) -> Json:
    return {
        **asdict(one),
        "ratio_ci95": list(one.ratio_ci95),
        "changed": list(one.changed),
        "layers": [asdict(layer) for layer in one.layers],
    }


def _read_suspicion(node: JsonNode) -> Suspicion:
    ends = [end.number() for end in node["ratio_ci95"].items()]
    if len(ends) != len(("low", "high")):
        raise node["ratio_ci95"].wrong("two numbers")
    return Suspicion(
        board=node["board"].text(),
        model=node["model"].text(),
        batch=node["batch"].whole(),
        power_mode=node["power_mode"].maybe(JsonNode.text),
        before_ms=node["before_ms"].number(),
        now_ms=node["now_ms"].number(),
        ratio=node["ratio"].number(),
        ratio_ci95=(ends[0], ends[1]),
        belief=cast("Belief", node["belief"].word(*_BELIEFS)),
        second_ratio=node["second_ratio"].maybe(JsonNode.number),
        changed=tuple(each.text() for each in node["changed"].items()),
        layers=tuple(
            GateLayer(
                layer["name"].text(),
                layer["before_ms"].number(),
                layer["now_ms"].number(),
                layer["share"].number(),
            )
            for layer in node["layers"].items()
        ),
    )
