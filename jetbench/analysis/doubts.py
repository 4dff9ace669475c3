"""Whether a case's numbers can be believed, and every reason to doubt them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.formats.words import shapes_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.plan import Case, Options
    from jetbench.domain.record import Status, TrialResult
    from jetbench.domain.timing import ParsedLog
    from jetbench.nets.peaks import Peak


def judge(
    options: Options,
    case: Case,
    trials: Sequence[TrialResult],
    logs: Sequence[ParsedLog],
    peak: Peak | None,
) -> tuple[Status, tuple[str, ...]]:
    """The status of a case and the reasons for it; nothing doubtful is silent.

    Args:
        options: What was asked of all cases.
        case: What was asked of this one.
        trials: Its processes.
        logs: What those said that came to a good end.
        peak: The peaks that hold on the board in its power mode; None where it is not known.
    """
    failures = [trial.failure.message for trial in trials if trial.failure is not None]
    why = []
    for message in dict.fromkeys(failures):
        count = failures.count(message)
        every = "" if count == len(trials) else f"{count} of {len(trials)} trials: "
        why.append(f"{every}{message}")
    if len(failures) == len(trials):
        return ("lost" if all(trial.lost for trial in trials) else "failed"), tuple(why)
    for log in logs:
        why += _unlike(options, case, log)
    why += _too_fast(case, logs, peak)
    unique = tuple(dict.fromkeys(why))
    return ("suspect" if unique else "ok"), unique


def _unlike(options: Options, case: Case, log: ParsedLog) -> Iterator[str]:
    """What a log says that is not what was asked for."""
    asked = case.prototxt.input_shapes if case.prototxt else ()
    if not log.input_shapes:
        yield "the log does not say which input shapes were run"
    elif not set(asked) <= set(log.input_shapes):
        yield f"the log says {shapes_text(log.input_shapes)}, asked was {shapes_text(asked)}"
    if log.phase is not None and log.phase != options.phase:
        yield f"the log says phase {log.phase}, not {options.phase}"
    if log.iterations is not None and log.iterations != options.iterations:
        yield f"the log says {log.iterations} iterations"


def _too_fast(case: Case, logs: Sequence[ParsedLog], peak: Peak | None) -> Iterator[str]:
    """A word on a forward time that the board's peaks do not allow, in any of the logs."""
    if peak is None or case.prototxt is None:
        return
    floor_ms = dict(case.prototxt.floor_ms).get(peak.mode_id, 0.0)
    least_ms = min((log.forward_ms for log in logs if log.forward_ms), default=floor_ms)
    if least_ms < floor_ms:
        allowed = f"the peaks of {peak.mode_name} allow {floor_ms:.4g} ms at best"
        yield f"forward took {least_ms:.4g} ms, and {allowed}"
