"""From journals to records: what a board has said becomes numbers, or reasons why not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jetbench.analysis.doubts import judge
from jetbench.analysis.statistics import summarize
from jetbench.bench.guard import Guard
from jetbench.domain.events import Finished, JournalComplete, Note, Planned, PutBack, Reached
from jetbench.domain.facts import PowerMode
from jetbench.domain.record import (
    BoardResult,
    LayerTime,
    Record,
    RecordConditions,
    TrialResult,
)
from jetbench.domain.timing import Failure
from jetbench.formats.caffe_log import classify, parse_log
from jetbench.formats.journal import EventReader, JournalReader
from jetbench.formats.words import whole
from jetbench.nets.peaks import tx2_mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jetbench.domain.board import Board
    from jetbench.domain.errors import BoardError
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Case, Plan, Trial
    from jetbench.domain.timing import FailureKind, ParsedLog
    from jetbench.formats.journal import JournalTrial


@dataclass(slots=True)
class BoardOutcome:
    """What is known of a board at the end of a sweep, as its events have told it."""

    board: Board
    facts: BoardFacts | None = None
    cases: Mapping[int, Case] = field(default_factory=dict)
    """The cases that were run there, with the board's own files filled in."""
    refused: tuple[tuple[int, Failure], ...] = ()
    complete: bool = False
    """Whether the journal is here to its end."""
    error: BoardError | None = None
    notes: tuple[str, ...] = ()
    put_back: bytes = b""
    """What a later guard said that put back what this sweep's could not."""

    def learn(self, event: SweepEvent) -> None:
        """Take up what an event of this board tells."""
        match event:
            case Reached():
                self.facts = event.facts
            case Planned():
                self.cases = dict(event.cases)
                self.refused = event.refused
            case JournalComplete():
                self.complete = True
            case PutBack() if event.of_this_sweep:
                self.put_back = event.said
            case Note():
                self.notes = (*self.notes, event.message)
            case Finished():
                self.error = event.error
            case _:
                pass


@dataclass(frozen=True, slots=True)
class _Measured:
    """A trial of the plan with what came of it."""

    result: TrialResult
    parsed: ParsedLog | None
    entry: JournalTrial | None


def ingest_board(
    plan: Plan, outcome: BoardOutcome, lines: Iterable[bytes]
) -> tuple[BoardResult, tuple[Record, ...]]:
    """Make the records of one board.

    Args:
        plan: What was to be measured.
        outcome: How the board's part went.
        lines: The journal's lines; none where there is no journal.
    """
    reader = JournalReader()
    wanted = {trial.id: trial for trial in plan.trials}
    measured: dict[int, _Measured] = {}
    for entry in reader.trials(lines):
        trial = wanted.get(entry.id)
        if trial is not None and entry.id not in measured:
            measured[entry.id] = _measure(trial, entry)
    guard = Guard.read([*reader.events, *EventReader().feed(outcome.put_back)])
    reasons = _Reasons(outcome, guard, reader)
    if reasons.cuts_off:
        cut_off = Failure(reasons.kind, reasons.message)
        measured |= {
            number: replace(each, result=replace(each.result, failure=cut_off))
            for number, each in measured.items()
            if each.result.exit_status is None
        }
    board = BoardResult(
        name=outcome.board.name,
        facts=outcome.facts,
        error=outcome.error.message if outcome.error else reasons.of_board or guard.failure,
        hint=outcome.error.hint if outcome.error else reasons.hint,
        power_before=guard.mode_before or (outcome.facts.power_mode if outcome.facts else None),
        clocks_before=(
            guard.locked_before
            if guard.locked_before is not None
            else (outcome.facts.clocks_locked if outcome.facts else None)
        ),
        changed=guard.touched,
        restored=guard.restored if guard.started else (True if outcome.facts else None),
        notes=outcome.notes,
    )
    records = tuple(
        _record(plan, outcome, number, outcome.cases.get(number, case), measured, guard, reasons)
        for number, case in enumerate(plan.cases)
    )
    return board, records


def _measure(trial: Trial, entry: JournalTrial) -> _Measured:
    parsed = None if entry.log is None else parse_log(entry.log)
    failure: Failure | None
    if parsed is None:
        failure = Failure("truncated", entry.problem or "its log is missing")
    elif entry.stopped:
        failure = Failure("interrupted", "the sweep was stopped while it ran")
    elif _timed_out(entry):
        message = f"it was ended after {entry.limit_s:.0f} s; allow more with --timeout"
        failure = Failure("timeout", message)
    else:
        failure = classify(parsed, entry.exit_status)
    good = parsed if failure is None else None
    result = TrialResult(
        id=trial.id,
        repeat=trial.repeat,
        started_utc=entry.started_utc,
        wall_s=entry.wall_s,
        exit_status=entry.exit_status,
        forward_ms=good.forward_ms if good else None,
        backward_ms=good.backward_ms if good else None,
        forward_backward_ms=good.forward_backward_ms if good else None,
        total_ms=good.total_ms if good else None,
        failure=failure,
        lost=parsed is None,
        log=entry.log,
    )
    return _Measured(result, good, entry)


def _timed_out(entry: JournalTrial) -> bool:
    """Whether the board's `timeout` ended it: 137 alone could be the kernel's doing."""
    if entry.exit_status not in {124, 137} or entry.wall_s is None or entry.limit_s is None:
        return False
    return entry.wall_s > entry.limit_s - 0.5


_AS_IT_IS = "measure the board as it is, with --power-mode keep --no-clocks"


class _Reasons:
    """Why a trial that never ran has no number."""

    def __init__(self, outcome: BoardOutcome, guard: Guard, reader: JournalReader) -> None:
        end = next((e.fields.get("reason") for e in reader.events if e.kind == "end"), None)
        noise = next((line for line in reader.noise if "sudo" in line), None)
        self.kind: FailureKind = "truncated"
        self.of_board: str | None = None
        """What the whole board suffers from."""
        self.hint: str | None = None
        if guard.failure is not None and not guard.proved:
            self.message = f"power mode and clocks could not be set: {guard.failure}"
            self.of_board, self.hint = self.message, _AS_IT_IS
        elif end in {"guard-failed", "guard-timeout"}:
            why = guard.failure or noise or end
            self.message = f"power mode and clocks could not be set: {why}"
            self.of_board = self.message
            self.hint = f"mend sudo there, or `sudo:` in the inventory; or {_AS_IT_IS}"
        elif end == "stopped":
            self.kind, self.message = "interrupted", "the sweep was stopped before it ran"
        elif end == "deadline":
            self.kind, self.message = "timeout", "the sweep's --deadline passed before it ran"
        elif end == "no-space":
            self.message = self.of_board = "the board's disk is full"
        elif end == "guard-gone":
            self.message = "the guard of its power state died, so measuring was ended"
            self.of_board = self.message
        elif outcome.error is not None:
            self.message = outcome.error.message
        elif not outcome.complete:
            self.kind, self.message = "interrupted", "the sweep was stopped before it ran"
        elif end is None:
            self.message = _broken_off(guard)
        else:
            self.message = "the board ended the sweep before it ran"
        self.cuts_off = outcome.complete and end in {None, "no-space"}
        """Whether it is also why a trial that had begun has no end."""


def _broken_off(guard: Guard) -> str:
    """Why a whole journal has no last word: only what no program can answer does that."""
    killed = "the runner on the board was killed"
    return killed if guard.restored else f"the board went down, or {killed}"


def _record(  # noqa: PLR0913, PLR0917 - what a record is made of
    plan: Plan,
    outcome: BoardOutcome,
    number: int,
    case: Case,
    measured: Mapping[int, _Measured],
    guard: Guard,
    reasons: _Reasons,
) -> Record:
    options = plan.options
    facts = outcome.facts
    refusal = dict(outcome.refused).get(number)
    absent = refusal or Failure(reasons.kind, reasons.message)
    trials = [
        measured.get(trial.id) or _missing(trial, absent, lost=refusal is None)
        for trial in plan.trials
        if trial.case == number
    ]
    good = [trial.parsed for trial in trials if trial.parsed is not None]
    proved = guard.proof_of(case.power_mode)
    locked = proved.locked if proved else (facts.clocks_locked if facts else None)
    mode = proved.mode if proved else _unproved_mode(case, facts, measured=bool(good))
    if locked is None and facts is not None and not options.clocks:
        locked = facts.conditions.gpu_locked
    gpu = options.gpu_on(outcome.board)
    prototxt = case.prototxt
    peak = None if facts is None or gpu == "none" else tx2_mode(facts.hardware, mode)
    status, why = judge(options, case, [trial.result for trial in trials], good, peak)
    return Record(
        board=outcome.board.name,
        model=case.model,
        source=case.source,
        batch=case.batch,
        phase=options.phase,
        stages=options.stages,
        iterations=options.iterations,
        gpu=None if gpu == "none" else gpu,
        power_mode=mode,
        clocks_locked=locked,
        simulated=facts is not None and facts.simulated,
        status=status,
        reasons=why,
        input_shapes=good[0].input_shapes if good else (),
        prototxt_sha256=prototxt.sha256 if prototxt else None,
        forward_ms=summarize([p.forward_ms for p in good if p.forward_ms is not None]),
        backward_ms=summarize([p.backward_ms for p in good if p.backward_ms is not None]),
        forward_backward_ms=summarize(
            [p.forward_backward_ms for p in good if p.forward_backward_ms is not None]
        ),
        layers=_layers(good, dict(prototxt.layer_types if prototxt else ())),
        conditions=_conditions(trials, locked=locked),
        bound_ms=dict(prototxt.bound_ms).get(peak.mode_id) if prototxt and peak else None,
        trials=tuple(trial.result for trial in trials),
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


def _missing(trial: Trial, failure: Failure, *, lost: bool) -> _Measured:
    result = TrialResult(
        id=trial.id,
        repeat=trial.repeat,
        started_utc=None,
        wall_s=None,
        exit_status=None,
        forward_ms=None,
        backward_ms=None,
        forward_backward_ms=None,
        total_ms=None,
        failure=failure,
        lost=lost,
        log=None,
    )
    return _Measured(result, None, None)


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


def _conditions(trials: Sequence[_Measured], *, locked: bool | None) -> RecordConditions:
    """The extremes of what the sensors said right before and after each trial.

    A clock that may move has sunk by the time the trial is over, so that it would say
    nothing of the trial: it is given only where it is locked.
    """
    seen = [
        sensors
        for trial in trials
        if trial.entry is not None and trial.parsed is not None
        for sensors in (trial.entry.before, trial.entry.after)
    ]
    clocks = [s.gpu_mhz for s in seen if s.gpu_mhz is not None] if locked else []
    temperatures = [s.gpu_temp_c for s in seen if s.gpu_temp_c is not None]
    return RecordConditions(
        gpu_mhz_min=min(clocks, default=None),
        gpu_mhz_max=max(clocks, default=None),
        gpu_temp_c_max=max(temperatures, default=None),
    )
