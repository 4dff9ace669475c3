"""A month of nights with something of everything in it, for the pages of a report."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jetbench.analysis.statistics import summarize
from jetbench.domain.facts import PowerMode
from jetbench.domain.finding import Finding
from jetbench.domain.record import LayerTime, Provenance, RecordConditions
from tests import make
from tests.store.nights import document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.record import Record

DAYS = range(1, 31)
STEP_DAY = 16
BOARDS = ("tx2-01", "tx2-02", "tx2-03")
MODES = (PowerMode(0, "MAXN"), PowerMode(1, "MAXQ"))
HOSTILE = "</script><img src=x onerror=alert(1)>&\"'"
MODELS = {"resnet50": 62.0, "vgg16": 92.0, HOSTILE: 7.0}
EVIDENCE = f"GPU clock fell to 828 MHz {HOSTILE}"
ADVICE = "let it cool, and look at its fan"


def month(*, simulated: bool = False) -> Iterator[str]:
    """The document of each night of a January.

    vgg16 is slower by 8 % on tx2-02 from the 16th on; on the last night a case is doubtful, one
    has failed, and tx2-03 was not reached.
    """
    for day in DAYS:
        dice = random.Random(day)  # noqa: S311 - noise, and the same each time
        yield document(day, list(_night(day, dice, simulated=simulated)), simulated=simulated)


def _night(day: int, dice: random.Random, *, simulated: bool) -> Iterator[Record]:
    for place, board in enumerate(BOARDS):
        for model, middle_ms in MODELS.items():
            for mode in MODES:
                slow = 1.08 if (model, board) == ("vgg16", "tx2-02") and day >= STEP_DAY else 1.0
                time_ms = middle_ms * (1 + 0.01 * place) * (1 + 0.4 * mode.id) * slow
                record = replace(_record(board, model, mode, time_ms, dice), simulated=simulated)
                yield _marred(record) if day == DAYS[-1] else record


def _record(
    board: str, model: str, mode: PowerMode, time_ms: float, dice: random.Random
) -> Record:
    times = summarize([time_ms * dice.gauss(1, 0.004) for _ in range(3)])
    return make.record(
        board=board, model=model, source=model, power_mode=mode, forward_ms=times,
        prototxt_sha256=f"{len(model):064x}", bound_ms=time_ms / 3,
        layers=tuple(
            LayerTime(f"layer{number}", "Convolution", time_ms / 60, time_ms / 30)
            for number in range(60)
        ),
        conditions=RecordConditions(
            gpu_mhz_min=1300.5, gpu_mhz_max=1300.5, gpu_temp_c_max=dice.uniform(44, 52),
            power_w_mean=9.0, power_w_max=12.0, power_w_idle=3.0,
        ),
        provenance=Provenance(hardware="quill", serial=f"032-{board}", l4t="28.2.1"),
    )  # fmt: skip


def _marred(record: Record) -> Record:
    none: dict[str, Any] = {
        "forward_ms": None, "backward_ms": None, "forward_backward_ms": None, "layers": (),
    }  # fmt: skip
    about = (record.board, record.model, record.power_mode)
    if about == ("tx2-01", "resnet50", MODES[0]):
        finding = Finding("throttled", EVIDENCE, ADVICE)
        return replace(record, status="suspect", reasons=(EVIDENCE,), findings=(finding,))
    if about == ("tx2-02", HOSTILE, MODES[1]):
        reason = "out of memory: cudaMalloc failed"
        return replace(record, status="failed", reasons=(reason,), **none)
    if record.board == "tx2-03":
        none |= {"power_mode": None, "clocks_locked": None, "prototxt_sha256": None}
        return replace(record, status="lost", reasons=("no route to host",), **none)
    return record
