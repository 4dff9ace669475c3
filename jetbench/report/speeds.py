"""Which model is how many times as fast as another, as sentences."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from jetbench.analysis.speed import relative_speed
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from jetbench.analysis.speed import RelativeSpeed
    from jetbench.domain.record import Record, Summary

_LEGEND = "Relative speed, of the mean times, ± 95 % confidence interval:"
_MOST_SENTENCES = 3
_MOST_MODELS = 4
"""Told in one sentence, beside the slowest."""
_NAME_WIDTH = 60
_MOST_DECIMALS = 3
_GLUE = "\N{NO-BREAK SPACE}"


def speed_lines(records: Iterable[Record], width: int) -> list[str]:
    """Each model against the slowest that was measured on the same board in the same way.

    Only times that nobody doubts are compared, and only those of several processes. There
    are a few sentences at most: further ones are counted.
    """
    groups = _comparable(records)
    several_modes = len({slowest.power_mode for (slowest, _), *_ in groups}) > 1
    sentences = [
        sentence for group in groups if (sentence := _sentence(group, several_modes=several_modes))
    ]
    if not sentences:
        return []
    if left := len(sentences[_MOST_SENTENCES:]):
        sentences[_MOST_SENTENCES:] = [
            f"Not told here: {left} more boards, batches or power modes."
        ]
    lines = [line for sentence in sentences for line in _wrapped(sentence, width)]
    return [_LEGEND, *(line.replace(_GLUE, " ") for line in lines)]


def speed_text(speed: RelativeSpeed) -> str:
    """``3.73 ± 0.05``: as many decimals as the uncertainty's first figure needs."""
    # Rounding makes nothing certain.
    half_width = max(speed.half_width, 10**-_MOST_DECIMALS)
    _, _, exponent = f"{half_width:.0e}".partition("e")
    decimals = max(0, -int(exponent))
    return f"{speed.ratio:.{decimals}f} ± {half_width:.{decimals}f}"


def _comparable(records: Iterable[Record]) -> list[list[tuple[Record, Summary]]]:
    """Two records or more that differ in the model only, with their times, slowest first."""
    groups: dict[Hashable, list[tuple[Record, Summary]]] = {}
    for record in records:
        summary = record.forward_ms
        if record.status != "ok" or summary is None or summary.ci95 is None:
            continue
        conditions = (
            record.board,
            record.batch,
            record.phase,
            record.stages,
            record.iterations,
            record.gpu,
            record.power_mode,
            record.clocks_locked,
            record.simulated,
        )
        groups.setdefault(conditions, []).append((record, summary))
    return [
        sorted(group, key=lambda timed: -timed[1].mean)
        for group in groups.values()
        if len(group) > 1
    ]


def _sentence(group: Sequence[tuple[Record, Summary]], *, several_modes: bool) -> str | None:
    """``a is 3.73 ± 0.05 times as fast as c on one, b 1.20 ± 0.02.``, or None for one alone."""
    (slowest, slow), *others = group
    speeds = [
        (_name(record.model), speed_text(speed).replace(" ", _GLUE))
        for record, summary in reversed(others)
        if (speed := relative_speed(summary, slow))
    ]
    if not speeds:
        return None
    (fastest, text), *rest = speeds
    parts = [f"{fastest} is {text} times as fast as {_name(slowest.model)}"]
    parts[0] += _where(slowest, several_modes=several_modes)
    parts += [f"{name}{_GLUE}{text}" for name, text in rest[: _MOST_MODELS - 1]]
    if left := len(rest[_MOST_MODELS - 1 :]):
        parts.append(f"the other {left} less")
    return ", ".join(parts) + "."


def _where(record: Record, *, several_modes: bool) -> str:
    """`` on tx2-01 at batch 16 in MAXQ``: what tells the sentences apart."""
    where = f" on {_name(record.board)}"
    if record.batch != 1:
        where += f" at batch {record.batch}"
    if several_modes and record.power_mode is not None:
        where += f" in {_name(record.power_mode.name or f'mode {record.power_mode.id}')}"
    return where


def _wrapped(sentence: str, width: int) -> list[str]:
    return textwrap.wrap(sentence, width, subsequent_indent="  ", break_on_hyphens=False)


def _name(text: str) -> str:
    return printable(text, _NAME_WIDTH).replace(" ", _GLUE)
