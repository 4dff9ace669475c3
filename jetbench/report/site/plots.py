"""What the plots show: numbers and words as JSON, drawn by assets/plots.js.

Every plot has a `kind`, which is a function there; whether anything in it is `simulated`; and a
`title`, which is also what is read out. A number that is not known is null.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable
from jetbench.report.site.links import sweep_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jetbench.domain.history import Night
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.material import Curve, Material, Profile
    from jetbench.domain.record import Record
    from jetbench.report.site.cases import Case

Json = dict[str, Any]

_NAME = 60
_DIGITS = 4


def models_plot(rows: Mapping[tuple[str, str], Sequence[Case]]) -> Json:
    """Each model over the fleet: the middle of the boards' medians, from the least to the most."""
    bars = []
    for (model, condition), cases in rows.items():
        times = [case.median_ms for case in cases if case.median_ms is not None]
        if times:
            bars.append(
                [
                    f"{_word(model)} · {condition}",
                    *map(_ms, (median(times), min(times), max(times))),
                ]
            )
    return {
        "kind": "ranges",
        "title": "Inference time of each model",
        "simulated": any(case.record.simulated for cases in rows.values() for case in cases),
        "bars": sorted(bars, key=lambda bar: bar[1]),
    }


def nights_plot(sweeps: Sequence[KeptSweep], records: Mapping[str, Sequence[Record]]) -> Json:
    """How many cases of each sweep are ok, suspect, failed and lost."""
    statuses = ("ok", "suspect", "failed", "lost")
    counts: list[list[str]] = [
        [record.status for record in records.get(sweep.id, ())] for sweep in sweeps
    ]
    return {
        "kind": "counts",
        "title": "Verdicts, sweep by sweep",
        "simulated": any(sweep.simulated for sweep in sweeps),
        "nights": _nights(sweeps),
        "series": [[status, [each.count(status) for each in counts]] for status in statuses],
    }


def bars_plot(model: str, cases: Sequence[Case]) -> Json:
    """A bar a board, one beside it for each other condition; from the fastest process up."""
    boards = list(dict.fromkeys(case.board for case in cases if case.newest))
    conditions = list(dict.fromkeys(case.condition for case in cases if case.newest))
    found: dict[tuple[str, str], list[Any]] = {}
    for case in cases:
        newest = case.newest
        times = newest.record.forward_ms if newest else None
        if newest and times:
            found[case.board, case.condition] = [
                *map(_ms, (times.median, times.min, times.max)),
                newest.record.status,
                newest.started_utc[:10],
                sweep_page(newest.sweep_id),
            ]
    return {
        "kind": "bars",
        "title": f"{_word(model)}: inference time by board and power mode",
        "simulated": _simulated(cases),
        "boards": [_word(board) for board in boards],
        "series": [
            [condition, [found.get((board, condition)) for board in boards]]
            for condition in conditions
        ],
    }


def history_plot(model: str, condition: str, cases: Sequence[Case]) -> Json:
    """A line a board over the nights, with the steps that were found."""
    nights = sorted(
        {(night.started_utc, night.sweep_id) for case in cases for night in case.nights}
    )
    places = {sweep_id: place for place, (_, sweep_id) in enumerate(nights)}
    return {
        "kind": "history",
        "title": f"{_word(model)}, {condition}: over the nights",
        "simulated": _simulated(cases),
        "nights": [
            [started_utc[:16].replace("T", " "), sweep_page(sweep_id)]
            for started_utc, sweep_id in nights
        ],
        "series": [
            {
                "name": _word(case.board),
                "values": [
                    [places[night.sweep_id], _ms(_mean(night)), night.record.status]
                    for night in case.nights
                    if night.record.forward_ms
                ],
                "steps": [
                    [
                        places[case.nights[one.step.at].sweep_id],
                        round(100 * (one.step.ratio - 1), 1),
                        _ms(one.step.after_ms),
                    ]
                    for one in case.told.steps
                ],
            }
            for case in cases
            if case.newest
        ],
    }


def profile_plot(model: str, profiles: Sequence[tuple[Case, Profile]]) -> Json:
    """The layers of a model, each with what the peaks allow it; to choose from by case.

    On the CPU nobody knows a bound, and the plot does not speak of one.
    """
    bounded = any(profile.bounds_ms for _, profile in profiles)
    return {
        "kind": "profile",
        "title": f"{_word(model)}: time of each layer{', against the bound' * bounded}",
        "bounded": bounded,
        "simulated": _simulated(case for case, _ in profiles),
        "choices": [
            {
                "label": f"{_word(case.board)}, {case.condition}",
                "layers": [_word(layer.name) for layer in profile.record.layers],
                "types": [_word(layer.type or "") for layer in profile.record.layers],
                "ms": [_ms(layer.forward_ms) for layer in profile.record.layers],
                "bounds": [
                    _ms(profile.bounds_ms.get(layer.name)) for layer in profile.record.layers
                ],
            }
            for case, profile in profiles
        ],
    }


def place_plot(board: str, cases: Sequence[Case], ratios: Mapping[str, float]) -> Json:
    """How far each case of a board is from the middle one of the fleet."""
    known = [case for case in cases if case.id in ratios]
    return {
        "kind": "place",
        "title": f"{_word(board)}: its place in the fleet",
        "simulated": _simulated(known),
        "bars": [
            [f"{_word(case.model)} · {case.condition}", round(100 * (ratios[case.id] - 1), 2)]
            for case in known
        ],
    }


def conditions_plot(board: str, material: Material) -> Json:
    """Temperature, clock and power of a board, sweep by sweep."""
    taken = []
    for sweep in material.sweeps:
        known = [
            record.conditions
            for record in material.records.get(sweep.id, ())
            if record.board == board and record.forward_ms
        ]
        if known:
            taken.append((sweep, known))
    return {
        "kind": "lines",
        "title": f"{_word(board)}: its conditions over the nights",
        "simulated": any(sweep.simulated for sweep, _ in taken),
        "nights": _nights([sweep for sweep, _ in taken]),
        "grids": [
            {
                "unit": "°C",
                "series": [
                    [
                        "hottest GPU",
                        [_most(one.gpu_temp_c_max for one in known) for _, known in taken],
                    ]
                ],
            },
            {
                "unit": "MHz",
                "series": [
                    [
                        "highest GPU clock",
                        [_most(one.gpu_mhz_max for one in known) for _, known in taken],
                    ],
                    [
                        "lowest GPU clock",
                        [_least(one.gpu_mhz_min for one in known) for _, known in taken],
                    ],
                ],
            },
            {
                "unit": "W",
                "series": [
                    [
                        "highest power",
                        [_most(one.power_w_max for one in known) for _, known in taken],
                    ],
                    [
                        "power at rest",
                        [_least(one.power_w_idle for one in known) for _, known in taken],
                    ],
                ],
            },
        ],
    }


def telemetry_plot(board: str, curves: Sequence[Curve], *, simulated: bool) -> Json:
    """Clocks, temperatures and power while a trial ran; to choose from by case."""
    return {
        "kind": "telemetry",
        "title": f"{_word(board)}: while a trial ran",
        "simulated": simulated,
        "choices": [_curve(curve) for curve in curves],
    }


def _curve(curve: Curve) -> Json:
    samples, start = curve.samples, curve.started_up_s
    temps = list(dict.fromkeys(name for one in samples for name, _ in one.temps_c))
    rails = list(dict.fromkeys(name for one in samples for name, _ in one.rails_w))
    batch = "" if curve.batch == 1 else f", batch {curve.batch}"
    return {
        "label": f"{_word(curve.model)}{batch}, power mode {_word(curve.power_mode)}",
        "seconds": [round(one.up_s - start, 2) for one in samples],
        "window": None
        if curve.window_up_s is None
        else [round(end - start, 2) for end in curve.window_up_s],
        "grids": [
            {
                "unit": "MHz",
                "series": [
                    ["GPU clock", [_number(one.gpu_mhz) for one in samples]],
                    ["memory clock", [_number(one.emc_mhz) for one in samples]],
                    ["fastest CPU core", [_most(one.cpu_mhz) for one in samples]],
                ],
            },
            {
                "unit": "°C",
                "series": [
                    [_word(name), [_number(dict(one.temps_c).get(name)) for one in samples]]
                    for name in temps
                ],
            },
            {
                "unit": "W",
                "series": [
                    [_word(name), [_number(dict(one.rails_w).get(name)) for one in samples]]
                    for name in rails
                ],
            },
        ],
    }


def _nights(sweeps: Iterable[KeptSweep]) -> list[list[str]]:
    return [
        [(sweep.started_utc or "")[:16].replace("T", " "), sweep_page(sweep.id)]
        for sweep in sweeps
    ]


def _simulated(cases: Iterable[Case]) -> bool:
    return any(case.record.simulated for case in cases)


def _mean(night: Night) -> float | None:
    return night.record.forward_ms.mean if night.record.forward_ms else None


def _word(text: str) -> str:
    return printable(text, _NAME)


def _ms(value: float | None) -> float | None:
    """Four figures: a page is for looking, `results export` has them all."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _most(values: Iterable[float | None]) -> float | None:
    return _number(max((value for value in values if value is not None), default=None))


def _least(values: Iterable[float | None]) -> float | None:
    return _number(min((value for value in values if value is not None), default=None))
