"""From journals to records: what a board has said becomes numbers, or reasons why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jetbench.analysis.checks.clock import clock_was_set
from jetbench.analysis.telemetry import summarize_all, summarize_samples, to_uptime
from jetbench.bench.guard import Guard
from jetbench.bench.outcome import Reasons
from jetbench.bench.records import make_record
from jetbench.domain.evidence import TrialEvidence
from jetbench.domain.facts import Conditions
from jetbench.domain.record import BoardResult, TrialResult
from jetbench.domain.timing import Failure
from jetbench.formats.caffe_log import classify, parse_log
from jetbench.formats.journal import JournalReader
from jetbench.formats.words import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jetbench.bench.outcome import BoardOutcome
    from jetbench.domain.plan import Plan, Trial
    from jetbench.domain.record import Record
    from jetbench.domain.telemetry import Telemetry
    from jetbench.domain.timing import ParsedLog
    from jetbench.formats.journal import JournalTrial


def ingest_board(
    plan: Plan,
    outcome: BoardOutcome,
    lines: Iterable[bytes],
    keep_log: Callable[[Trial, bytes], None] | None = None,
) -> tuple[BoardResult, tuple[Record, ...]]:
    """Make the records of one board.

    Args:
        plan: What was to be measured.
        outcome: How the board's part went.
        lines: The lines of its journals, part by part, each followed by what was said when its
            power state was put back later; none where there is no journal.
        keep_log: Where the raw log of each trial goes, one at a time: all of a board's can
            be more than memory holds. Without it, they are in the records.
    """
    reader = JournalReader()
    measured = _measured(plan, reader, lines, keep_log)
    guard = Guard.read(reader.events)
    reasons = Reasons(outcome, guard, reader)
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
        notes=outcome.notes if reader.overflow is None else (*outcome.notes, reader.overflow),
    )
    skipped = {whole(event.fields.get("id")) for event in reader.events if event.kind == "skip"}
    refused = dict(outcome.refused)
    records = []
    for number, planned in enumerate(plan.cases):
        case = outcome.cases.get(number, planned)
        absent = refused.get(number) or Failure(reasons.kind, reasons.message)
        trials = [
            measured.get(trial.id) or _missing(trial, absent, lost=number not in refused)
            for trial in plan.trials
            if trial.case == number and _is_due(plan, trial, measured, skipped)
        ]
        idle = summarize_all(reader.rests.get(case.power_mode, []))
        proved = guard.proof_of(case.power_mode)
        records.append(make_record(plan.options, outcome, case, trials, proved=proved, idle=idle))
    return board, tuple(records)


def _is_due(
    plan: Plan, trial: Trial, measured: Mapping[int, TrialEvidence], skipped: set[int | None]
) -> bool:
    """Whether a trial belongs to its case: one that was not needed, or not promised, does not."""
    if trial.id in measured:
        return True
    return trial.id not in skipped and trial.repeat <= plan.options.repeats


def _measured(
    plan: Plan,
    reader: JournalReader,
    lines: Iterable[bytes],
    keep_log: Callable[[Trial, bytes], None] | None,
) -> dict[int, TrialEvidence]:
    """The trials of the plan that the journal knows, by their id.

    The first that is settled counts: what was cut off is made good by a later part.
    """
    wanted = {trial.id: trial for trial in plan.trials}
    measured: dict[int, TrialEvidence] = {}
    settled: set[int] = set()
    for entry in reader.trials(lines):
        trial = wanted.get(entry.id)
        if trial is not None and entry.id not in settled:
            found = _measure(trial, entry)
            if keep_log is not None and entry.log is not None:
                keep_log(trial, entry.log)
                found = replace(found, result=replace(found.result, log=None))
            measured[entry.id] = found
            if entry.settled:
                settled.add(entry.id)
    return measured


def _measure(trial: Trial, entry: JournalTrial) -> TrialEvidence:
    parsed = None if entry.log is None else parse_log(entry.log)
    failure: Failure | None
    if parsed is None:
        failure = Failure("truncated", entry.problem or "its log is missing")
    elif parsed.complete:
        # What happens to a process after it has printed its result does not spoil the result.
        failure = None
    elif entry.stopped:
        failure = Failure("interrupted", "the sweep was stopped while it ran")
    elif _timed_out(entry):
        message = f"it was ended after {entry.limit_s:.0f} s; allow more with --timeout"
        failure = Failure("timeout", message)
    else:
        failure = classify(parsed, entry.exit_status)
    good = parsed if failure is None else None
    telemetry = _telemetry(entry, good)
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
        telemetry=telemetry,
    )
    return TrialEvidence(
        result=result,
        log=good,
        before=entry.before,
        after=entry.after,
        telemetry=telemetry,
        usage=entry.usage,
        cooling=entry.cooling,
        clock_step_s=entry.clock_step_s,
    )


def _telemetry(entry: JournalTrial, log: ParsedLog | None) -> Telemetry | None:
    """What the sensors said while the log says that it was measured."""
    if log is None or not entry.samples or clock_was_set(entry.clock_step_s, entry.wall_s):
        return None
    window = to_uptime(log.window, entry.started_local, entry.started_up_s, entry.ended_up_s)
    return None if window is None else summarize_samples(entry.samples, *window)


def _timed_out(entry: JournalTrial) -> bool:
    """Whether the board's `timeout` ended it: 137 alone could be the kernel's doing."""
    if entry.exit_status not in {124, 137} or entry.wall_s is None or entry.limit_s is None:
        return False
    return entry.wall_s > entry.limit_s - 0.5


def _missing(trial: Trial, failure: Failure, *, lost: bool) -> TrialEvidence:
    """A trial that never ran."""
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
    return TrialEvidence(result=result, log=None, before=Conditions(), after=Conditions())
