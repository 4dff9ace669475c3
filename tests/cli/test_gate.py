"""The gate of a night, with nights that nobody has measured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.synthetic import Noise, synthetic_sweep
from jetbench.bench.gating import Baseline, pass_gate
from jetbench.cli.gate import gate_exit_code
from jetbench.domain.errors import StoreError, UsageError
from jetbench.formats.result import result_to_json
from jetbench.formats.result_read import parse_result
from jetbench.store.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jetbench.domain.errors import JetbenchError
    from jetbench.domain.gate import Gate
    from jetbench.domain.plan import Plan
    from jetbench.domain.record import SweepResult

NOISE = Noise(1, 0.002)


def baseline() -> Baseline:
    """A good night."""
    document = json.dumps(result_to_json(synthetic_sweep(2, 3, NOISE)))
    return Baseline("nightly", parse_result(document, "synthetic"))


def judged(
    tmp_path: Path,
    slowdown: float,
    error: JetbenchError | None = None,
    say: Callable[[str], None] = print,
) -> tuple[SweepResult, Gate]:
    """A night that is slower, and what the gate says; the second look fails with an error."""
    night = synthetic_sweep(2, 3, NOISE, slowdown)
    folder = SweepFolder.create(tmp_path, night.plan.sweep_id, "{}")

    def again(plan: Plan) -> SweepResult:
        if error is not None:
            raise error
        return replace(synthetic_sweep(2, 3, NOISE, slowdown), plan=plan)

    return night, pass_gate(baseline(), night.plan, night, folder.path, again, say=say)[0]


@pytest.mark.parametrize("error", [StoreError("disk full"), UsageError("no room for a folder")])
def test_a_second_look_that_cannot_begin_leaves_the_night_what_it_is(
    tmp_path: Path, error: JetbenchError
) -> None:
    """It is said, kept, and no green night: what looked slower was not looked at again."""
    said: list[str] = []
    night, gate = judged(tmp_path, 0.10, error, said.append)
    assert gate.verdict == "unconfirmed"
    assert {one.belief for one in gate.suspicions} == {"not measured again"}
    assert f"error: {error.message}" in said
    kept = json.loads((tmp_path / night.plan.sweep_id / "gate.json").read_text())
    assert kept["verdict"] == "unconfirmed"
    assert gate_exit_code(night, gate, 0, fail=True) == 1


def test_a_second_look_that_is_interrupted_is_an_interrupted_night(tmp_path: Path) -> None:
    """Exit code 130, whatever was found until then."""
    night, gate = judged(tmp_path, 0.10)
    assert gate.verdict == "red"
    for fail in (True, False):
        cut_off = replace(night, interrupted=True)
        assert gate_exit_code(night, gate, 0, fail=fail, second=cut_off) == 130
    assert gate_exit_code(night, gate, 0, fail=True, second=night) == 4
