"""The page of a model: bars by board and mode, its layers against the bound, its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable
from jetbench.report.site.cases import ms
from jetbench.report.site.plots import bars_plot, history_plot, profile_plot
from jetbench.report.site.rows import case_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.material import Profile
    from jetbench.report.site.cases import Case
    from jetbench.report.site.overview import Overview

Json = dict[str, Any]

_NAME = 80
_STATUSES_WITH_NUMBERS = ("ok", "suspect")


def context(overview: Overview, name: str) -> Json:
    """What its template wants."""
    cases = overview.of_model(name)
    known = overview.material.profiles
    profiles = [(case, known[case.id]) for case in cases if case.id in known]
    conditions = list(dict.fromkeys(case.condition for case in cases if case.newest))
    return {
        "name": printable(name, _NAME),
        "summary": _summary(cases),
        "bars": bars_plot(name, cases) if conditions else None,
        "cases": [case_row(overview, case) for case in cases],
        "profile": profile_plot(name, profiles) if profiles else None,
        "profile_of": _label(profiles[0]) if profiles else "",
        "layers": _layers(profiles[0][1]) if profiles else [],
        "histories": [
            history_plot(name, condition, of_condition)
            for condition in conditions
            if (of_condition := [case for case in cases if case.condition == condition])
            and any(len(case.nights) > 1 for case in of_condition)
        ],
        "told_steps": overview.steps(cases),
        "no_steps": _no_steps(cases),
    }


def _summary(cases: Sequence[Case]) -> str:
    boards = len({case.board for case in cases})
    shapes = next((case.record.input_shapes for case in cases if case.record.input_shapes), ())
    inputs = ", ".join(
        f"{printable(name, 40)} {'x'.join(map(str, shape))}" for name, shape in shapes
    )
    words = f"{boards} {'board' if boards == 1 else 'boards'}"
    return f"Input {inputs}; {words}." if inputs else f"On {words}."


def _label(profile: tuple[Case, Profile]) -> str:
    case, _ = profile
    return f"{printable(case.board, _NAME)}, {case.condition}"


def _layers(profile: Profile) -> list[Json]:
    layers = profile.record.layers
    total = sum(layer.forward_ms or 0.0 for layer in layers)
    found = []
    for layer in layers:
        bound, time = profile.bounds_ms.get(layer.name), layer.forward_ms
        part = None if time is None or not total else time / total
        times = None if time is None or not bound else time / bound
        found.append(
            {
                "name": printable(layer.name, _NAME),
                "type": printable(layer.type or "", _NAME),
                "ms": ms(time),
                "part": "" if part is None else f"{100 * part:.1f} %",
                "part_sort": "" if part is None else f"{part:.6f}",
                "bound": ms(bound) if bound is not None else "",
                "times": "" if times is None else f"{times:.1f}",
                "times_sort": "" if times is None else f"{times:.6g}",
            }
        )
    return found


def _no_steps(cases: Sequence[Case]) -> str:
    verdicts = {case.told.trend.verdict for case in cases}
    if verdicts <= {"too few"}:
        return "Too few nights to tell steps."
    return "No steps: from night to night its times differ by noise alone, as far as can be told."
