"""The first page: the fleet and the models at a glance, what changed, what failed."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from jetbench.analysis.compare import compare
from jetbench.formats.words import printable
from jetbench.report.site.cases import MARKS, day, ms, percent
from jetbench.report.site.links import board_page, model_page, sweep_page
from jetbench.report.site.plots import models_plot, nights_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.report.site.cases import Case
    from jetbench.report.site.overview import Overview

Json = dict[str, Any]

_NAME = 80
_RECENT = 14
"""Nights within which a step is news."""
_MOST_STEPS = 25
_MOST_PROBLEMS = 25
_MOST_NAMED = 6
_STATUSES = ("ok", "suspect", "failed", "lost")


def context(overview: Overview) -> Json:
    """What its template wants."""
    sweeps = overview.material.sweeps
    steps = overview.steps(overview.cases)
    problems = [one for board in overview.boards for one in overview.problems(board)]
    return {
        "summary": _summary(overview),
        "cards": _cards(overview, steps),
        "last_night": _last_night(overview),
        "told_steps": steps[:_MOST_STEPS],
        "more_steps": _more(len(steps) - _MOST_STEPS, "earlier step", "the pages of the models"),
        "found_problems": problems[:_MOST_PROBLEMS],
        "more_problems": _more(len(problems) - _MOST_PROBLEMS, "more", "the pages of the boards"),
        "models_plot": models_plot(overview.rows),
        "recent": _RECENT,
        "boards": [_board(overview, name) for name in overview.boards],
        "fleet": [
            _row(overview, model, condition, cases)
            for (model, condition), cases in overview.rows.items()
        ],
        "nights_plot": nights_plot(sweeps, overview.material.records) if len(sweeps) > 1 else None,
    }


def _summary(overview: Overview) -> str:
    sweeps = overview.material.sweeps
    if not sweeps:
        return "There is nothing in this report."
    span = " to ".join(dict.fromkeys(day(one.started_utc) for one in (sweeps[0], sweeps[-1])))
    models, boards = len(overview.models), len(overview.boards)
    return (
        f"{_count(models, 'model')} on {_count(boards, 'board')}, "
        f"{_count(len(sweeps), 'sweep')}, {span}"
    )


def _cards(overview: Overview, steps: Sequence[Json]) -> list[Json]:
    counts: Counter[str] = Counter()
    for board in overview.boards:
        counts.update(record.status for record in overview.last_records(board))
    recent = {day(one.started_utc) for one in overview.material.sweeps[-_RECENT:]}
    news = Counter(step["kind"] for step in steps if step["day"] in recent)
    cards = [
        {"number": counts["ok"], "words": "cases ok", "tone": "ok", "link": "#models"},
        *(
            {
                "number": counts[status],
                "words": f"{MARKS[status]} {status}",
                "tone": status if counts[status] else "",
                "link": "#failed",
            }
            for status in _STATUSES[1:]
        ),
    ]
    for kind, mark in (("slower", "▲"), ("faster", "▼")):
        cards.append(
            {
                "number": news[kind],
                "words": f"{mark} {kind} in the last {_RECENT} nights",
                "tone": kind if news[kind] else "",
                "link": "#changed",
            }
        )
    return cards


def _last_night(overview: Overview) -> str:
    """The last sweep against the one before, which a step of three nights cannot tell yet."""
    material = overview.material
    if len(material.sweeps) < len(("before", "now")):
        return ""
    before, now = material.sweeps[-2], material.sweeps[-1]
    comparison = compare(material.records.get(before.id, ()), material.records.get(now.id, ()))
    counts = comparison.counts
    parts = [f"{counts[verdict]} {verdict}" for verdict in counts if counts[verdict]]
    if not parts:
        return ""
    named = [
        f"{printable(case.b.model, _NAME)} on {printable(case.b.board, _NAME)} "
        f"{percent(case.speed.ratio)}"
        for case in comparison.cases
        if case.verdict in {"slower", "faster"} and case.speed
    ]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    told = f": {', '.join(named[:_MOST_NAMED])}{more}" if named else ""
    return (
        f"{day(now.started_utc)} against {day(before.started_utc)}, by its processes alone: "
        f"{', '.join(parts)}{told}."
    )


def _board(overview: Overview, name: str) -> Json:
    records = overview.last_records(name)
    sweep = overview.last_sweeps.get(name)
    cases = overview.of_board(name)
    known = next((case.newest.record.provenance for case in reversed(cases) if case.newest), None)
    hottest = [one.conditions.gpu_temp_c_max for one in records if one.conditions.gpu_temp_c_max]
    place = place_of(overview, name)
    return {
        "name": printable(name, _NAME),
        "link": board_page(name),
        "hardware": printable((known and known.hardware) or "", _NAME),
        "l4t": printable((known and known.l4t) or "", _NAME),
        "sweep_link": sweep_page(sweep.id) if sweep else "",
        "day": day(sweep.started_utc) if sweep else "",
        "counts": {
            status: sum(record.status == status for record in records) for status in _STATUSES
        },
        "hottest": f"{max(hottest):.0f}" if hottest else "",
        "place": "" if place is None else percent(place),
        "place_sort": "" if place is None else f"{place:.4f}",
    }


def place_of(overview: Overview, board: str) -> float | None:
    """The middle one of a board's ratios to the fleet; None where there is no fleet."""
    ratios = [
        overview.places[case.id] for case in overview.of_board(board) if case.id in overview.places
    ]
    return median(ratios) if ratios else None


def _row(overview: Overview, model: str, condition: str, cases: Sequence[Case]) -> Json:
    by_board = {case.board: case for case in cases}
    recent = {one.id for one in overview.material.sweeps[-_RECENT:]}
    return {
        "model": printable(model, _NAME),
        "link": model_page(model),
        "condition": condition,
        "cells": [_cell(by_board.get(board), recent) for board in overview.boards],
    }


def _cell(case: Case | None, recent: set[str]) -> Json | None:
    if case is None:
        return None
    status = case.last.record.status
    text = ms(case.median_ms)
    steps = [one.step for one in case.told.steps if case.nights[one.step.at].sweep_id in recent]
    if steps:
        text += f" {'▲' if steps[-1].ratio > 1 else '▼'}"
    return {
        "text": f"{text} {MARKS[status]}".strip(),
        "sort": "" if case.median_ms is None else f"{case.median_ms:.6g}",
        "status": status,
        "link": case.link,
    }


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _more(left: int, what: str, where: str) -> str:
    if left <= 0:
        return ""
    words = what if what == "more" else what if left == 1 else f"{what}s"
    return f"{left} {words} on {where}."
