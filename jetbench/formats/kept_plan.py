"""A plan as JSON, schema 1, and back: kept beside the journals here, and on each board.

The texts of the nets are files of their own; here stand their hashes. On a board the plan
names no other board: what a second host needs to follow is what was asked for, not where.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from jetbench.domain.board import Board
from jetbench.domain.plan import Case, KeptPrototxt, Options, Plan, Trial
from jetbench.domain.record import SCHEMA
from jetbench.formats.json_node import JsonNode, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from jetbench.domain.board import Gpu
    from jetbench.domain.plan import Phase, Prototxt, Shapes

Json = dict[str, Any]


def plan_to_json(plan: Plan, *, boards: bool = True) -> Json:
    """What was asked for.

    Args:
        plan: The plan.
        boards: Whether it says where; not for other people's eyes.
    """
    return {
        "schema": SCHEMA,
        "sweep_id": plan.sweep_id,
        "created_utc": plan.created_utc,
        "command": list(plan.command),
        "options": asdict(plan.options),
        "boards": [asdict(board) for board in plan.boards] if boards else [],
        "cases": [_case_to_json(case) for case in plan.cases],
        "trials": [asdict(trial) for trial in plan.trials],
        "second_look_of": plan.second_look_of,
    }


def parse_plan(
    text: str, source: str, fill: Callable[[int, KeptPrototxt, Options], Prototxt]
) -> Plan:
    """A plan that was kept.

    Args:
        text: The JSON.
        source: Its file, for messages.
        fill: Makes a net of a case's number and of what is kept of it: its text, read from
            where it lies, and its costs, worked out again.

    Raises:
        ResultError: It is no plan; the message names the file and the place.
    """
    node = parse_json(text, source)
    if node["schema"].value != SCHEMA:
        raise node["schema"].wrong(f"{SCHEMA}, the schema that this jetbench reads")
    options = _options(node["options"])
    cases = []
    for number, each in enumerate(node["cases"].items()):
        kept = each["prototxt"].maybe(_kept)
        cases.append(
            Case(
                model=each["model"].text(),
                source=each["source"].text(),
                batch=each["batch"].whole(),
                prototxt=None if kept is None else fill(number, kept, options),
                board_path=each["board_path"].maybe(JsonNode.text),
                shapes=_shapes(each["shapes"]),
                power_mode=each["power_mode"].text(),
            )
        )
    trials = tuple(
        Trial(each["id"].whole(), each["case"].whole(), each["repeat"].whole())
        for each in node["trials"].items()
    )
    if not cases or any(not 0 <= trial.case < len(cases) or trial.id < 1 for trial in trials):
        raise node["trials"].wrong("a list of trials of the cases")
    return Plan(
        sweep_id=node["sweep_id"].text(),
        created_utc=node["created_utc"].text(),
        command=tuple(each.text() for each in node["command"].items()),
        options=options,
        boards=tuple(_board(each) for each in node["boards"].items()),
        cases=tuple(cases),
        trials=trials,
        second_look_of=node["second_look_of"].maybe(JsonNode.text),
    )


def parse_tags(text: str, source: str) -> dict[str, tuple[str, ...]]:
    """The tags of each board of a plan, as the inventory had them then.

    Raises:
        ResultError: It is no plan.
    """
    boards = parse_json(text, source)["boards"]
    return {board["name"].text(): _texts(board["tags"]) for board in boards.items()}


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial on a board, as a plan has it."""

    board: str
    id: int
    case: int
    model: str
    batch: int
    power_mode: str
    repeat: int


def parse_trials(text: str, source: str) -> list[PlannedTrial]:
    """Every trial of a plan on every board of it; its nets need not be here.

    Raises:
        ResultError: It is no plan.
    """
    node = parse_json(text, source)
    cases = list(node["cases"].items())
    found = []
    for board in node["boards"].items():
        for trial in node["trials"].items():
            number = trial["case"].whole()
            if not 0 <= number < len(cases):
                raise trial["case"].wrong("the number of a case")
            case = cases[number]
            found.append(
                PlannedTrial(
                    board=board["name"].text(),
                    id=trial["id"].whole(),
                    case=number,
                    model=case["model"].text(),
                    batch=case["batch"].whole(),
                    power_mode=case["power_mode"].text(),
                    repeat=trial["repeat"].whole(),
                )
            )
    return found


def has_hash(data: bytes, kept: KeptPrototxt) -> bool:
    """Whether a net is the one that was kept."""
    return hashlib.sha256(data).hexdigest() == kept.sha256


def _case_to_json(case: Case) -> Json:
    net = case.prototxt
    return {
        "model": case.model,
        "source": case.source,
        "batch": case.batch,
        "board_path": case.board_path,
        "shapes": [[name, list(shape)] for name, shape in case.shapes],
        "power_mode": case.power_mode,
        "prototxt_sha256": net.sha256 if net else None,
        "prototxt": None
        if net is None
        else {
            "sha256": net.sha256,
            "batch": net.batch,
            "input_shapes": [[name, list(shape)] for name, shape in net.input_shapes],
            "notes": list(net.notes),
        },
    }


def _kept(node: JsonNode) -> KeptPrototxt:
    return KeptPrototxt(
        sha256=node["sha256"].text(),
        batch=node["batch"].whole(),
        input_shapes=_shapes(node["input_shapes"]),
        notes=_texts(node["notes"]),
    )


def _options(node: JsonNode) -> Options:
    return Options(
        batches=tuple(each.whole() for each in node["batches"].items()),
        shapes=tuple(_shapes(each) for each in node["shapes"].items()),
        data_layers=node["data_layers"].flag(),
        iterations=node["iterations"].whole(),
        repeats=node["repeats"].whole(),
        phase=cast("Phase", node["phase"].word("TEST", "TRAIN")),
        stages=_texts(node["stages"]),
        gpu=node["gpu"].maybe(_gpu),
        power_modes=_texts(node["power_modes"]),
        clocks=node["clocks"].flag(),
        warm_ups=node["warm_ups"].whole(),
        cooldown_c=node["cooldown_c"].maybe(JsonNode.number),
        cooldown_wait_s=node["cooldown_wait_s"].whole(),
        telemetry=node["telemetry"].flag(),
        precision=node["precision"].maybe(JsonNode.number),
        max_repeats=node["max_repeats"].whole(),
        timeout_s=node["timeout_s"].whole(),
        deadline_s=node["deadline_s"].maybe(JsonNode.whole),
        seed=node["seed"].whole(),
    )


def _board(node: JsonNode) -> Board:
    return Board(
        name=node["name"].text(),
        host=node["host"].text(),
        port=node["port"].maybe(JsonNode.whole),
        user=node["user"].maybe(JsonNode.text),
        key=node["key"].maybe(JsonNode.text),
        jump=node["jump"].maybe(JsonNode.text),
        known_hosts=node["known_hosts"].maybe(JsonNode.text),
        tags=_texts(node["tags"]),
        site=node["site"].maybe(JsonNode.text),
        caffe_root=node["caffe_root"].maybe(JsonNode.text),
        caffe=node["caffe"].maybe(JsonNode.text),
        gpu=node["gpu"].maybe(_gpu),
        env=tuple(_pair(each) for each in node["env"].items()),
        sudo=node["sudo"].text(),
    )


def _gpu(node: JsonNode) -> Gpu:
    return "none" if node.value == "none" else node.whole()


def _texts(node: JsonNode) -> tuple[str, ...]:
    return tuple(each.text() for each in node.items())


def _pair(node: JsonNode) -> tuple[str, str]:
    items = list(node.items())
    if len(items) != 2:  # noqa: PLR2004 - a name and a value
        raise node.wrong("a name and a value")
    return items[0].text(), items[1].text()


def _shapes(node: JsonNode) -> Shapes:
    shapes = []
    for each in node.items():
        items = list(each.items())
        if len(items) != 2:  # noqa: PLR2004 - a name and a shape
            raise each.wrong("an input and its shape")
        shapes.append((items[0].text(), tuple(axis.whole() for axis in items[1].items())))
    return tuple(shapes)
