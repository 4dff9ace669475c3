"""Values for tests: each with defaults that are a plain, good case."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from jetbench.analysis.statistics import summarize
from jetbench.bench.plan import interleave
from jetbench.domain.board import Board
from jetbench.domain.evidence import CaseEvidence, Cooling, TrialEvidence, Usage
from jetbench.domain.facts import BoardFacts, CaffeFacts, Conditions, PowerMode
from jetbench.domain.kept import as_kept
from jetbench.domain.plan import Case, Options, Plan, Prototxt
from jetbench.domain.record import (
    BoardResult,
    FleetOutlier,
    Record,
    RecordConditions,
    SweepResult,
    TrialResult,
)
from jetbench.domain.telemetry import Telemetry
from jetbench.domain.timing import LayerTiming, ParsedLog
from jetbench.report.table import result_csv, result_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.timing import Failure


def facts(**changes: Any) -> BoardFacts:
    """A TX2 in good health."""
    good = BoardFacts(
        simulated=False,
        user="nvidia",
        hostname="tegra-ubuntu",
        hardware="quill",
        serial="0320818000001",
        l4t="28.1.0",
        cuda="8.0.72",
        cudnn="6.0.21",
        tensorrt="2.1.2",
        caffe=CaffeFacts(
            "/home/nvidia/ssd/build/tools/caffe",
            "1.0.0-rc3",
            "ssd",
            has_phase=True,
            gpu_build=True,
            build_id="1-2",
        ),
        caffe_wanted="/home/nvidia/ssd/build/tools/caffe",
        caffe_found=(),
        sudo="nopasswd",
        nvpmodel="/usr/sbin/nvpmodel",
        power_mode=PowerMode(3, "MAXP_CORE_ARM"),
        power_modes=(PowerMode(0, "MAXN"), PowerMode(1, "MAXQ"), PowerMode(3, "MAXP_CORE_ARM")),
        jetson_clocks="/home/nvidia/jetson_clocks.sh",
        clocks_locked=False,
        tegrastats="/home/nvidia/tegrastats",
        conditions=Conditions(gpu_temp_c=38.5),
        mem_total_bytes=8 * 2**30,
        mem_available_bytes=6 * 2**30,
        disk_free_bytes=9 * 2**30,
        home_writable=True,
        uptime_s=812.3,
        load="0.1 0.1 0.1",
        gpu_users=(),
        held_by=None,
        left_behind=False,
        missing_tools=(),
        utc_s=1500000000,
        clock_skew_s=0.4,
        files=(),
    )
    return replace(good, **changes)


def plan(
    *,
    models: tuple[str, ...] = ("alpha", "beta"),
    boards: tuple[str, ...] = ("one",),
    **options: Any,
) -> Plan:
    """A plan of nets that are only names."""
    settings = Options(**options)
    cases = tuple(
        Case(
            name,
            f"{name}.prototxt",
            batch,
            Prototxt("", "ab" * 32, batch, (("data", (batch, 3, 8, 8)),), ((0, 2.0),)),
        )
        for name in models
        for batch in settings.batches
    )
    return Plan(
        sweep_id="20260102-030405-a1b2c3",
        created_utc="2026-01-02T03:04:05Z",
        command=("jetbench", "run", *models),
        options=settings,
        boards=tuple(Board(name, f"10.0.0.{number}") for number, name in enumerate(boards, 1)),
        cases=cases,
        trials=interleave([range(len(cases))], settings.repeats, settings.seed),
    )


def record(**changes: Any) -> Record:
    """A case that was measured well."""
    good = Record(
        board="one",
        model="alpha",
        source="alpha.prototxt",
        batch=1,
        phase="TEST",
        stages=(),
        iterations=50,
        gpu=0,
        power_mode=PowerMode(0, "MAXN"),
        clocks_locked=True,
        simulated=False,
        status="ok",
        reasons=(),
        input_shapes=(("data", (1, 3, 8, 8)),),
        prototxt_sha256="ab" * 32,
        forward_ms=summarize([7.1, 7.25, 7.2]),
        backward_ms=summarize([14.0, 14.5, 14.25]),
        forward_backward_ms=summarize([21.5, 22.0, 21.75]),
        layers=(),
        conditions=RecordConditions(gpu_temp_c_max=48.25),
        bound_ms=2.0,
        trials=(trial(1), trial(2), trial(3)),
    )
    return replace(good, **changes)


def trial(repeat: int, *, failure: Failure | None = None) -> TrialResult:
    """A trial, good unless it is given a failure."""
    number = 7.2 if failure is None else None
    return TrialResult(
        id=repeat,
        repeat=repeat,
        started_utc="2026-01-02T03:05:00Z",
        wall_s=4.5,
        exit_status=0 if failure is None else 134,
        forward_ms=number,
        backward_ms=number,
        forward_backward_ms=number,
        total_ms=number,
        failure=failure,
        lost=False,
        log=None,
    )


def board_result(name: str = "one", **changes: Any) -> BoardResult:
    """A board that was reached, measured and put back."""
    good = BoardResult(
        name=name,
        facts=facts(),
        error=None,
        hint=None,
        power_before=PowerMode(3, "MAXP_CORE_ARM"),
        clocks_before=False,
        changed=True,
        restored=True,
        notes=(),
    )
    return replace(good, **changes)


def result(
    *records: Record,
    boards: tuple[BoardResult, ...] = (),
    fleet: tuple[FleetOutlier, ...] = (),
    **options: Any,
) -> SweepResult:
    """A sweep of these records."""
    return SweepResult(
        plan=plan(**options),
        started_utc="2026-01-02T03:04:05Z",
        finished_utc="2026-01-02T03:14:05Z",
        jetbench="0.1.0",
        boards=boards or (board_result(),),
        records=records,
        fleet=fleet,
    )


def as_table(result: SweepResult, **more: Any) -> str:
    """The table of a sweep."""
    return result_table(as_kept(result), **more)


def as_csv(result: SweepResult) -> str:
    """The same as CSV."""
    return result_csv(as_kept(result))


def log(forward_ms: float = 7.2, **changes: Any) -> ParsedLog:
    """What a good log of the plan's nets says, its time spread over two layers."""
    half_ms = forward_ms / 2
    good = ParsedLog(
        forward_ms=forward_ms,
        backward_ms=2 * forward_ms,
        forward_backward_ms=3 * forward_ms,
        total_ms=150 * forward_ms,
        iterations=50,
        batch=1,
        input_shapes=(("data", (1, 3, 8, 8)),),
        phase="TEST",
        gpu=True,
        layers=tuple(LayerTiming(name, "ReLU", half_ms, half_ms) for name in ("up", "down")),
        iteration_ms=(3 * forward_ms,) * 50,
        complete=True,
    )
    return replace(good, **changes)


def conditions(**changes: Any) -> Conditions:
    """A TX2 in MAXN with its clocks locked, pleasantly cool."""
    good = Conditions(
        gpu_temp_c=42.0,
        cpu_temp_c=42.5,
        gpu_mhz=1300.5,
        gpu_min_mhz=1300.5,
        gpu_max_mhz=1300.5,
        gpu_load=0.0,
        cpu_online="0-5",
        cpu_max_mhz=2035.2,
        power_mode_id=0,
    )
    return replace(good, **changes)


def telemetry(**changes: Any) -> Telemetry:
    """The same board while it measures, as tegrastats says it: whole MHz, counted for the CPU."""
    good = Telemetry(
        from_up_s=100.0,
        to_up_s=102.0,
        samples=4,
        gpu_mhz_min=1300.0,
        gpu_mhz_max=1300.0,
        gpu_load_mean=0.97,
        emc_mhz_min=1866.0,
        emc_mhz_max=1866.0,
        cpu_mhz_min=1992.0,
        cpu_mhz_max=2035.0,
        gpu_temp_c_max=48.0,
        power_w_mean=11.5,
        power_w_max=12.5,
        energy_j=23.0,
    )
    return replace(good, **changes)


def usage(**changes: Any) -> Usage:
    """Nobody but the trial, which keeps one core busy."""
    return replace(Usage(wall_s=4.5, cores=6, busy_s=4.6, own_s=4.4, swapped_pages=0), **changes)


def cooling(**changes: Any) -> Cooling:
    """No wait was needed."""
    return replace(Cooling(60.0, waited_s=0.0, reached=True, gpu_temp_c=42.0), **changes)


def trial_evidence(forward_ms: float = 7.2, **changes: Any) -> TrialEvidence:
    """A process that nothing disturbed, and that took the time that its log claims."""
    good = TrialEvidence(
        result=replace(trial(1), wall_s=3.4 + 0.15 * forward_ms),
        log=log(forward_ms),
        before=conditions(),
        after=conditions(gpu_temp_c=47.0),
        telemetry=telemetry(),
        usage=usage(),
        cooling=cooling(),
    )
    return replace(good, **changes)


def failed_evidence(failure: Failure) -> TrialEvidence:
    """A process that came to no good end."""
    return trial_evidence(result=trial(1, failure=failure), log=None)


def case_evidence(
    trials: Sequence[float | TrialEvidence] = (7.2, 7.22, 7.19), **changes: Any
) -> CaseEvidence:
    """A case on a board in good health.

    Args:
        trials: Evidence, or the forward time in ms of a trial that is good otherwise.
        changes: Fields of the case's evidence, or of the options.
    """
    own = {field.name for field in fields(CaseEvidence)}
    made = plan(
        models=("alpha",), **{key: value for key, value in changes.items() if key not in own}
    )
    good = CaseEvidence(
        options=made.options,
        case=made.cases[0],
        gpu=0,
        locked=True,
        trials=tuple(
            numbered(number, each if isinstance(each, TrialEvidence) else trial_evidence(each))
            for number, each in enumerate(trials, start=1)
        ),
        floor_ms=2.0,
        mode_name="MAXN",
        idle=telemetry(gpu_load_mean=0.0, power_w_mean=5.0),
        gpu_users=("911:Xorg",),
    )
    return replace(good, **{key: value for key, value in changes.items() if key in own})


def numbered(number: int, evidence: TrialEvidence) -> TrialEvidence:
    """The same as the trial of this number, its result with the time of its log."""
    forward_ms = evidence.log.forward_ms if evidence.log else None
    return replace(
        evidence,
        result=replace(evidence.result, id=number, repeat=number, forward_ms=forward_ms),
    )
