"""From the trials of a case to its record: statistics, conditions, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.statistics import summarize
from jetbench.analysis.telemetry import conditions_of
from jetbench.analysis.verdict import judge
from jetbench.domain.evidence import CaseEvidence
from jetbench.domain.facts import PowerMode
from jetbench.domain.record import LayerTime, Provenance, Record
from jetbench.formats.words import whole
from jetbench.nets.peaks import tx2_mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jetbench.bench.guard import Proved
    from jetbench.bench.outcome import BoardOutcome
    from jetbench.domain.evidence import TrialEvidence
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Case, Options
    from jetbench.domain.telemetry import Telemetry
    from jetbench.domain.timing import ParsedLog


def make_record(  # noqa: PLR0913 - what a record is made of
    options: Options,
    outcome: BoardOutcome,
    case: Case,
    trials: Sequence[TrialEvidence],
    *,
    proved: Proved | None,
    idle: Telemetry | None,
) -> Record:
    """The record of one case on one board.

    Args:
        options: What was asked of all cases.
        outcome: The board's part in the sweep.
        case: The case, with its net where that is known.
        trials: Its processes, those that did not run among them.
        proved: Power mode and clocks as they were read back; None where nothing was set.
        idle: What the board's sensors said at rest, in the same mode.
    """
    facts = outcome.facts
    good = [trial.log for trial in trials if trial.log is not None]
    mode = proved.mode if proved else _unproved_mode(case, facts, measured=bool(good))
    locked = _locked(options, proved, facts)
    gpu = options.gpu_on(outcome.board)
    device = None if gpu == "none" else gpu
    prototxt = case.prototxt
    peak = None if facts is None or device is None else tx2_mode(facts.hardware, mode)
    evidence = CaseEvidence(
        options=options,
        case=case,
        gpu=device,
        locked=locked,
        trials=tuple(trials),
        floor_ms=dict(prototxt.floor_ms).get(peak.mode_id) if prototxt and peak else None,
        mode_name=peak.mode_name if peak else None,
        idle=idle,
        simulated=facts is not None and facts.simulated,
        gpu_users=facts.gpu_users if facts else (),
    )
    status, reasons, findings = judge(evidence)
    return Record(
        board=outcome.board.name,
        model=case.model,
        source=case.source,
        batch=case.batch,
        phase=options.phase,
        stages=options.stages,
        iterations=options.iterations,
        gpu=device,
        power_mode=mode,
        clocks_locked=locked,
        simulated=facts is not None and facts.simulated,
        status=status,
        reasons=reasons,
        input_shapes=good[0].input_shapes if good else (),
        prototxt_sha256=prototxt.sha256 if prototxt else None,
        forward_ms=summarize([log.forward_ms for log in good if log.forward_ms is not None]),
        backward_ms=summarize([log.backward_ms for log in good if log.backward_ms is not None]),
        forward_backward_ms=summarize(
            [log.forward_backward_ms for log in good if log.forward_backward_ms is not None]
        ),
        layers=_layers(good, dict(prototxt.layer_types if prototxt else ())),
        conditions=conditions_of(trials, idle=idle, iterations=options.iterations, locked=locked),
        bound_ms=dict(prototxt.bound_ms).get(peak.mode_id) if prototxt and peak else None,
        trials=tuple(trial.result for trial in trials),
        findings=findings,
        provenance=_provenance(facts, trials),
    )


def _locked(options: Options, proved: Proved | None, facts: BoardFacts | None) -> bool | None:
    """Whether the clocks were locked; None where the board does not say."""
    if proved:
        return proved.locked
    if facts is None:
        return None
    if facts.clocks_locked is None and not options.clocks:
        return facts.conditions.gpu_locked
    return facts.clocks_locked


def _provenance(facts: BoardFacts | None, trials: Sequence[TrialEvidence]) -> Provenance:
    if facts is None:
        return Provenance()
    caffe = facts.caffe
    temperatures = (trial.before.gpu_temp_c for trial in trials)
    return Provenance(
        hardware=facts.hardware,
        serial=facts.serial,
        l4t=facts.l4t,
        cuda=facts.cuda,
        cudnn=facts.cudnn,
        caffe_path=caffe.path if caffe else None,
        caffe_version=caffe.version if caffe else None,
        caffe_fork=caffe.fork if caffe else None,
        caffe_build=caffe.build_id if caffe else None,
        uptime_s=facts.uptime_s,
        gpu_temp_c_start=next((celsius for celsius in temperatures if celsius is not None), None),
    )


def _unproved_mode(case: Case, facts: BoardFacts | None, *, measured: bool) -> PowerMode | None:
    """The mode that holds where none was set; where nothing was measured, the one asked for."""
    if facts is None or measured or case.power_mode == "keep":
        return facts.power_mode if facts else None
    for mode in facts.power_modes:
        if case.power_mode in {str(mode.id), mode.name}:
            return mode
    number = whole(case.power_mode)
    return None if number is None else PowerMode(number, None)


def _layers(logs: Sequence[ParsedLog], types: Mapping[str, str]) -> tuple[LayerTime, ...]:
    """Each layer's mean over the processes, in the order of the net.

    Its type is the log's word, or else that of the net (`types`).
    """
    if not logs:
        return ()
    first = logs[0].layers
    same = [log for log in logs if [la.name for la in log.layers] == [la.name for la in first]]

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return tuple(
        LayerTime(
            name=layer.name,
            type=layer.type or types.get(layer.name),
            forward_ms=mean([log.layers[index].forward_ms for log in same]),
            backward_ms=mean([log.layers[index].backward_ms for log in same]),
        )
        for index, layer in enumerate(first)
    )
