"""The plan: which nets, at which batch, in which order. Made before any connection."""

from __future__ import annotations

import hashlib
import random
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from jetbench.bench.models import ResolvedModel, decode, resolve
from jetbench.domain.errors import ModelError, UsageError
from jetbench.domain.plan import Case, KeptPrototxt, Options, Plan, Prototxt, Trial
from jetbench.domain.timing import Failure
from jetbench.nets.batch import patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.net import shape_text
from jetbench.nets.peaks import TX2_PEAKS, bound_ms, floor_ms, precision_of
from jetbench.nets.rules import FORWARD_ONLY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from jetbench.domain.board import Board
    from jetbench.domain.facts import BoardFile
    from jetbench.domain.plan import Shapes

_NO_BACKWARD = (
    "Layer {!r} has no backward pass, which `caffe time` runs as well: where this fails, pass "
    "--phase TRAIN if the net leaves it out there."
)


def make_plan(
    boards: Sequence[Board],
    models: Sequence[str],
    options: Options,
    command: Sequence[str],
) -> Plan:
    """Resolve, patch and hash every model, and lay down the order of the trials.

    Raises:
        UsageError: A model cannot be found, read, or patched with certainty.
    """
    now = datetime.now(timezone.utc)
    cases = tuple(
        replace(case, power_mode=mode)
        for model in models
        for case in _cases(model, options)
        for mode in options.power_modes
    )
    _refuse_twins(cases)
    return Plan(
        sweep_id=_new_id(now),
        created_utc=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        command=tuple(command),
        options=options,
        boards=tuple(boards),
        cases=cases,
        trials=_ordered(cases, options),
    )


def _new_id(now: datetime) -> str:
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _ordered(cases: Sequence[Case], options: Options) -> tuple[Trial, ...]:
    return interleave(
        [
            [number for number, case in enumerate(cases) if case.power_mode == mode]
            for mode in options.power_modes
        ],
        options.rounds,
        options.seed,
    )


def second_look(plan: Plan, wanted: Collection[tuple[str, str, int]]) -> Plan:
    """The plan that measures some cases of another one again, as it did.

    Args:
        plan: The first one.
        wanted: Board, model and batch of each of them. Each board measures what any of them is
            to measure: boards have one list of trials.
    """
    boards = {board for board, _, _ in wanted}
    models = {(model, batch) for _, model, batch in wanted}
    cases = tuple(case for case in plan.cases if (case.model, case.batch) in models)
    now = datetime.now(timezone.utc)
    return replace(
        plan,
        sweep_id=_new_id(now),
        created_utc=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        boards=tuple(board for board in plan.boards if board.name in boards),
        cases=cases,
        trials=_ordered(cases, plan.options),
        second_look_of=plan.sweep_id,
    )


def interleave(groups: Sequence[Sequence[int]], repeats: int, seed: int) -> tuple[Trial, ...]:
    """Group by group; within one round by round, each case once a round, in a seed's order.

    A drift of the board (it warms up, its clock sinks) then hits all cases of a group alike,
    and no case always follows the same other one. Between groups the power mode changes.

    Args:
        groups: The cases of each power mode, by number.
        repeats: Rounds in each group.
        seed: Decides the order; the same seed gives the same.
    """
    order = random.Random(seed)  # noqa: S311 - an order of trials, not a secret
    rows = [
        (repeat, case)
        for group in groups
        for repeat in range(1, repeats + 1)
        for case in order.sample(group, len(group))
    ]
    return tuple(
        Trial(id=number, case=case, repeat=repeat)
        for number, (repeat, case) in enumerate(rows, start=1)
    )


def prepare(
    text: str, source: str, batch: int | None, shapes: Shapes, options: Options
) -> Prototxt:
    """Patch a net to a batch size, and work out what it should cost.

    Args:
        text: The prototxt.
        source: Where it came from, for messages.
        batch: The batch; None for that of `shapes`.
        shapes: Whole shapes, by input.
        options: Phase, stages, and whether data layers are set.

    Raises:
        ModelError: The text is no net, or the batch cannot be set with certainty.
    """
    try:
        patched = patch_batch(
            text,
            batch,
            phase=options.phase,
            stages=options.stages,
            shapes=dict(shapes),
            data_layers=options.data_layers,
        )
    except ModelError as error:
        raise error.at(source) from error
    costs = _costs(patched.text, options)
    return Prototxt(
        text=patched.text,
        sha256=hashlib.sha256(patched.text.encode("utf-8", "surrogateescape")).hexdigest(),
        batch=patched.batch,
        input_shapes=patched.input_shapes,
        bound_ms=costs.bound_ms,
        floor_ms=costs.floor_ms,
        layer_types=costs.layer_types,
        notes=patched.notes + costs.notes,
    )


def kept_again(data: bytes, kept: KeptPrototxt, options: Options) -> Prototxt:
    """A net of an earlier plan, from its patched text; its costs are worked out again."""
    text = data.decode("utf-8", "surrogateescape")
    costs = _costs(text, options)
    return Prototxt(
        text=text,
        sha256=kept.sha256,
        batch=kept.batch,
        input_shapes=kept.input_shapes,
        bound_ms=costs.bound_ms,
        floor_ms=costs.floor_ms,
        layer_types=costs.layer_types,
        notes=kept.notes,
    )


def filled(
    plan: Plan, kept: Mapping[int, bytes], sent: Mapping[int, BoardFile]
) -> tuple[dict[int, Case], tuple[tuple[int, Failure], ...]]:
    """The cases of a plan with a board's own files in them, or why not, by their number.

    Args:
        plan: What was asked for.
        kept: The board's nets that were run in an earlier part, patched. What was run is run
            again, whatever the board's file says by now.
        sent: What the board has sent.
    """
    cases: dict[int, Case] = {}
    refused: list[tuple[int, Failure]] = []
    for number, case in enumerate(plan.cases):
        file = sent.get(number)
        data = kept.get(number, file.content if file else None)
        if case.board_path is None:
            cases[number] = case
        elif data is None:
            problem = (file.error if file else None) or "it was not sent"
            refused.append((number, Failure("no_such_file", problem)))
        else:
            try:
                text = decode(data, case.source)
                prototxt = prepare(text, case.source, case.batch, case.shapes, plan.options)
            except ModelError as error:
                hint = f" ({error.hint})" if error.hint else ""
                refused.append((number, Failure(error.kind, f"{error.message}{hint}")))
            else:
                cases[number] = case.filled(prototxt)
    return cases, tuple(refused)


@dataclass(frozen=True, slots=True)
class _Costs:
    """What is known of a net beside its text."""

    bound_ms: tuple[tuple[int, float], ...] = ()
    floor_ms: tuple[tuple[int, float], ...] = ()
    layer_types: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def _costs(text: str, options: Options) -> _Costs:
    try:
        net = build_net(text, phase=options.phase, stages=options.stages)
        precision = precision_of(text)
    except ModelError:
        # Caffe decides what is a net; a bound that cannot be worked out is only missing.
        return _Costs()
    bounds = {mode: bound_ms(net, peak, precision=precision) for mode, peak in TX2_PEAKS.items()}
    floors = {mode: floor_ms(net, mode, precision=precision) for mode in TX2_PEAKS}
    forward_only = [layer.name for layer in net.layers if layer.type in FORWARD_ONLY]
    return _Costs(
        bound_ms=tuple((mode, ms) for mode, ms in bounds.items() if ms is not None),
        floor_ms=tuple((mode, ms) for mode, ms in floors.items() if ms is not None),
        layer_types=tuple((layer.name, layer.type) for layer in net.layers),
        notes=tuple(_NO_BACKWARD.format(name) for name in forward_only[:1]),
    )


def _cases(model: str, options: Options) -> list[Case]:
    found = resolve(model)
    return [
        _case(found, batch, shapes, options)
        for shapes in options.shapes or ((),)
        for batch in options.batches or (None,)
    ]


def _case(found: ResolvedModel, batch: int | None, shapes: Shapes, options: Options) -> Case:
    prototxt = None
    if found.text is not None:
        prototxt = prepare(found.text, found.source, batch, shapes, options)
        prototxt = replace(prototxt, notes=found.notes + prototxt.notes)
    elif batch is None:
        # What the board's file makes of it will be known when it is here.
        batch = shapes[0][1][0]
    return Case(
        model=_named(found.name, shapes, options.stages),
        source=found.source,
        batch=prototxt.batch if prototxt else batch or 1,
        prototxt=prototxt,
        board_path=found.board_path,
        shapes=shapes,
    )


def _named(name: str, shapes: Shapes, stages: Sequence[str]) -> str:
    """The model's name, with all that makes it another net than the file's."""
    each = [(blob, shape_text(shape)) for blob, shape in shapes]
    shown = each[0][1] if len(each) == 1 else ",".join(f"{blob}={text}" for blob, text in each)
    return name + (f"@{shown}" if shown else "") + "".join(f"+{stage}" for stage in stages)


def _refuse_twins(cases: Sequence[Case]) -> None:
    seen: dict[tuple[str, int, str], Case] = {}
    for case in cases:
        twin = seen.setdefault((case.model, case.batch, case.power_mode), case)
        if twin is not case:
            message = f"{twin.source} and {case.source} would both be called {case.model}"
            if twin.source == case.source:
                message = f"{case.source} is named twice"
            raise UsageError(message, hint=f"name one of them: other={case.source}")
