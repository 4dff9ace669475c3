"""The page of a board: its place in the fleet, its conditions, telemetry of a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable
from jetbench.report.site.cases import day, percent
from jetbench.report.site.front import place_of
from jetbench.report.site.links import sweep_page
from jetbench.report.site.plots import conditions_plot, place_plot, telemetry_plot
from jetbench.report.site.rows import case_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.record import Record
    from jetbench.report.site.overview import Overview

Json = dict[str, Any]

_NAME = 80
_WORDS = 400
_MOST_OUTLIERS = 5


def context(overview: Overview, name: str) -> Json:
    """What its template wants."""
    cases = overview.of_board(name)
    material = overview.material
    sweeps = [one for one in material.sweeps if any(each.name == name for each in one.boards)]
    record = next((case.newest.record for case in reversed(cases) if case.newest), None)
    curves = material.curves.get(name, ())
    place = place_of(overview, name)
    known = [case for case in cases if case.id in overview.places]
    return {
        "name": printable(name, _NAME),
        "summary": _summary(len(sweeps), sweeps[-1].started_utc if sweeps else None),
        "facts": list(_facts(record)) if record else [],
        "found_problems": overview.problems(name),
        "place": place_plot(name, known, overview.places) if known else None,
        "place_words": "Too few boards were measured under the same conditions to tell."
        if place is None
        else f"In the middle, its times are {percent(place)} from the middle of the fleet.",
        "outliers": _outliers(overview, name),
        "cases": [case_row(overview, case) for case in cases],
        "conditions": conditions_plot(name, material) if len(sweeps) > 1 else None,
        "telemetry": telemetry_plot(name, curves, simulated=bool(record and record.simulated))
        if curves
        else None,
        "telemetry_note": f"Of the sweep {printable(curves[0].sweep_id, _NAME)}; shaded: while "
        "caffe time measured. Seconds since the trial began."
        if curves
        else "",
        "told_steps": overview.steps(cases),
    }


def _summary(sweeps: int, last: str | None) -> str:
    if not sweeps:
        return "It took part in no sweep."
    return f"{sweeps} {'sweep' if sweeps == 1 else 'sweeps'}, the last on {day(last)}."


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    about = record.provenance
    for word, value in (
        ("Hardware", about.hardware),
        ("Serial number", about.serial),
        ("L4T", about.l4t),
        ("CUDA", about.cuda),
        ("cuDNN", about.cudnn),
        ("Caffe", about.caffe_version),
        ("Fork", about.caffe_fork),
        ("At", about.caffe_path),
    ):
        if value:
            yield word, printable(value, _WORDS)


def _outliers(overview: Overview, name: str) -> list[Json]:
    """When the verdict of a sweep was that it differs from the others, the newest first."""
    found = [
        {
            "day": day(sweep.started_utc),
            "link": sweep_page(sweep.id),
            "evidence": printable(one.evidence, _WORDS),
        }
        for sweep in reversed(overview.material.sweeps)
        for one in sweep.fleet
        if one.board == name
    ]
    return found[:_MOST_OUTLIERS]
