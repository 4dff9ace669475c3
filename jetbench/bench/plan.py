"""The plan: which nets, at which batch, in which order. Made before any connection."""

from __future__ import annotations

import hashlib
import random
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from jetbench.bench.models import resolve
from jetbench.domain.errors import ModelError, UsageError
from jetbench.domain.plan import Case, Options, Plan, Prototxt, Trial
from jetbench.nets.batch import patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.peaks import TX2_PEAKS, bound_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.board import Board
    from jetbench.domain.plan import Phase


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
    cases = tuple(case for model in models for case in _cases(model, options))
    _refuse_twins(cases)
    return Plan(
        sweep_id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        created_utc=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        command=tuple(command),
        options=options,
        boards=tuple(boards),
        cases=cases,
        trials=interleave(len(cases), options.repeats, options.seed),
    )


def interleave(cases: int, repeats: int, seed: int) -> tuple[Trial, ...]:
    """Round by round, each case once a round, in an order that the seed decides.

    A drift of the board (it warms up, its clock sinks) then hits all cases alike, and no
    case always follows the same other one.
    """
    order = random.Random(seed)  # noqa: S311 - an order of trials, not a secret
    rounds = [order.sample(range(cases), cases) for _ in range(repeats)]
    return tuple(
        Trial(id=number, case=case, repeat=repeat)
        for number, (repeat, case) in enumerate(
            ((repeat, case) for repeat, row in enumerate(rounds, start=1) for case in row),
            start=1,
        )
    )


def prepare(text: str, batch: int, phase: Phase, source: str) -> Prototxt:
    """Patch a net to a batch size, and work out what it should cost.

    Raises:
        ModelError: The text is no net, or the batch cannot be set with certainty.
    """
    try:
        patched = patch_batch(text, batch, phase=phase)
    except ModelError as error:
        raise error.at(source) from error
    try:
        net = build_net(patched.text, phase=phase)
        types = tuple((layer.name, layer.type) for layer in net.layers)
        bounds = tuple(
            (mode, bound)
            for mode, peak in TX2_PEAKS.items()
            if (bound := bound_ms(net, peak)) is not None
        )
    except ModelError:
        # Caffe decides what is a net; a bound that cannot be worked out is only missing.
        bounds, types = (), ()
    return Prototxt(
        text=patched.text,
        sha256=hashlib.sha256(patched.text.encode("utf-8", "surrogateescape")).hexdigest(),
        input_shapes=tuple(patched.input_shapes),
        bound_ms=bounds,
        layer_types=types,
        notes=tuple(patched.notes),
    )


def _cases(model: str, options: Options) -> list[Case]:
    found = resolve(model)
    return [
        Case(
            model=found.name,
            source=found.source,
            batch=batch,
            prototxt=(
                None
                if found.text is None
                else prepare(found.text, batch, options.phase, found.source)
            ),
            board_path=found.board_path,
        )
        for batch in options.batches
    ]


def _refuse_twins(cases: Sequence[Case]) -> None:
    seen: dict[tuple[str, int], Case] = {}
    for case in cases:
        twin = seen.setdefault((case.model, case.batch), case)
        if twin is not case:
            message = f"{twin.source} and {case.source} would both be called {case.model}"
            if twin.source == case.source:
                message = f"{case.source} is named twice"
            raise UsageError(message, hint=f"name one of them: other={case.source}")
