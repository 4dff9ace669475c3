"""What the gate of a night says, as text for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from jetbench.formats.words import printable
from jetbench.report.table import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from jetbench.domain.gate import Gate, GateLayer, NoVerdict, Suspicion

    T = TypeVar("T")

_NAME = 60
_REASON = 200
_MOST = 8
"""Of models that are told in one line."""


def gate_text(gate: Gate) -> str:
    """The verdict, and what it stands on; lines of 80 columns, ends with a line end."""
    lines = [gate_line(gate), *_told(gate)]
    return (
        "\n".join(
            line
            for text in lines
            for line in textwrap.wrap(
                text, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=True
            )
        )
        + "\n"
    )


def gate_line(gate: Gate) -> str:
    """One line that says it all: for a mail's subject, a log, a chat."""
    cases = f"{gate.compared} {'case' if gate.compared == 1 else 'cases'}"
    against = f"against {printable(gate.baseline, _NAME)} ({printable(gate.baseline_id, _NAME)})"
    slow = len(gate.regressions)
    match gate.verdict:
        case "red":
            boards = ", ".join(_names(one.board for one in gate.regressions))
            found = f"{slow} of {cases} slower, twice, on {boards}"
        case "unconfirmed":
            count = sum(one.belief == "not measured again" for one in gate.suspicions)
            found = f"{count} of {cases} looked slower and could not be measured again"
        case "green":
            found = f"nothing of {cases} is slower"
        case _:
            found = "nothing could be compared"
    return f"Gate {gate.verdict} {against}: {found}"


def _told(gate: Gate) -> Iterator[str]:
    for belief, meaning in (
        ("confirmed", "slower"),
        ("not measured again", "looked slower, and could not be measured again"),
        ("not confirmed", "looked slower once, and not when measured again"),
        ("as usual", "slower, by no more than its nights usually differ"),
    ):
        of_one = [one for one in gate.suspicions if one.belief == belief]
        for some in _groups(of_one, lambda one: (one.board, one.changed)):
            board = printable(some[0].board, _NAME)
            yield f"{meaning}: {board}: {_sizes(some)}{_changed(some[0])}"
    for one in gate.regressions:
        if one.layers:
            layers = ", ".join(map(_layer, one.layers))
            yield f"carried by: {printable(one.board, _NAME)}, {_model(one)}: {layers}"
    for undecided in _groups(gate.no_verdict, lambda one: (one.board, one.why)):
        models = ", ".join(_names(_model(one) for one in undecided))
        why = printable(undecided[0].why, _REASON)
        yield f"no verdict: {printable(undecided[0].board, _NAME)}: {models}: {why}"
    if gate.faster:
        yield f"faster: {gate.faster} {'case' if gate.faster == 1 else 'cases'}"


def _sizes(some: Sequence[Suspicion]) -> str:
    told = []
    for one in some[:_MOST]:
        low, high = (_percent(end) for end in one.ratio_ci95)
        again = "" if one.second_ratio is None else f", again {_percent(one.second_ratio)}"
        told.append(f"{_model(one)} {_percent(one.ratio)} % ({low} to {high}{again})")
    left = len(some) - _MOST
    return ", ".join(told) + (f" and {left} more" if left > 0 else "")


def _changed(one: Suspicion) -> str:
    changed = ", ".join(printable(each, _REASON) for each in one.changed)
    return f"; changed: {changed}" if changed else "; nothing else is known to have changed"


def _layer(layer: GateLayer) -> str:
    more_ms = layer.now_ms - layer.before_ms
    return f"{printable(layer.name, _NAME)} {more_ms:+.3g} ms ({100 * layer.share:.0f} % of it)"


def _model(one: Suspicion | NoVerdict) -> str:
    name = printable(one.model, _NAME)
    return name if one.batch == 1 else f"{name} x{one.batch}"


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f}"


def _names(names: Iterable[str]) -> list[str]:
    """Each once, and not too many."""
    once = list(dict.fromkeys(printable(name, _NAME) for name in names))
    left = len(once) - _MOST
    return [*once[:_MOST], *([f"{left} more"] if left > 0 else [])]


def _groups(items: Iterable[T], key: Callable[[T], Hashable]) -> Iterable[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups.values()
