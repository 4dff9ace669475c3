"""What several pages ask: the cases of a model or a board, the fleet's middle, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable
from jetbench.report.site.cases import MARKS, Case, cases_of, day, ms, percent
from jetbench.report.site.links import board_page, sweep_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.material import Material
    from jetbench.domain.record import Record

Json = dict[str, Any]

_NAME = 80
_WHY = 400
_LEAST_BOARDS = 2
"""Before there is a fleet to have a place in."""


@dataclass(frozen=True)
class Overview:
    """Material in the order in which pages want it."""

    material: Material
    cases: tuple[Case, ...]

    @classmethod
    def of(cls, material: Material) -> Overview:
        """All of it."""
        return cls(material, tuple(cases_of(material.told)))

    @cached_property
    def models(self) -> list[str]:
        """By name."""
        return sorted({case.model for case in self.cases})

    @cached_property
    def boards(self) -> list[str]:
        """By name; those that were never reached, too."""
        reached = {case.board for case in self.cases}
        return sorted(
            reached.union(*({one.name for one in s.boards} for s in self.material.sweeps))
        )

    def of_model(self, name: str) -> Sequence[Case]:
        """The cases of a model, by board."""
        return self._by_model.get(name, ())

    def of_board(self, name: str) -> Sequence[Case]:
        """The cases of a board, by model."""
        return self._by_board.get(name, ())

    @cached_property
    def _by_model(self) -> dict[str, list[Case]]:
        return _grouped((case.model, case) for case in self.cases)

    @cached_property
    def _by_board(self) -> dict[str, list[Case]]:
        return _grouped((case.board, case) for case in self.cases)

    @cached_property
    def rows(self) -> dict[tuple[str, str], list[Case]]:
        """The cases of the fleet that differ by their board alone: by model and conditions."""
        return _grouped(((case.model, case.condition), case) for case in self.cases)

    @cached_property
    def places(self) -> dict[str, float]:
        """By case: its newest median over the middle one of the fleet, where there is a fleet."""
        found: dict[str, float] = {}
        for cases in self.rows.values():
            times = {case.id: case.median_ms for case in cases if case.median_ms is not None}
            if len(times) >= _LEAST_BOARDS:
                middle = median(times.values())
                found |= {case: time / middle for case, time in times.items()}
        return found

    @cached_property
    def last_sweeps(self) -> Mapping[str, KeptSweep]:
        """The last sweep that each board was to take part in."""
        found: dict[str, KeptSweep] = {}
        for sweep in self.material.sweeps:
            of_records = {record.board for record in self.material.records.get(sweep.id, ())}
            for name in of_records.union(board.name for board in sweep.boards):
                found[name] = sweep
        return found

    def last_records(self, board: str) -> list[Record]:
        """Those of a board's last sweep."""
        sweep = self.last_sweeps.get(board)
        records = self.material.records.get(sweep.id, ()) if sweep else ()
        return [record for record in records if record.board == board]

    def problems(self, board: str) -> list[Json]:
        """What is wrong in the last sweep of a board: each thing once."""
        sweep = self.last_sweeps.get(board)
        if sweep is None:
            return []
        link = sweep_page(sweep.id)
        found: dict[tuple[str, str], Json] = {}
        for one in sweep.boards:
            if one.name != board:
                continue
            for why, hint in _of_board(one):
                found["board", why] = _problem("lost", board, link, why, hint)
        errors = {one.error for one in sweep.boards if one.name == board}
        for record in self.last_records(board):
            advice = {finding.evidence: finding.advice for finding in record.findings}
            for reason in record.reasons:
                if reason in errors:
                    continue
                key = (record.status, reason)
                if key in found:
                    found[key]["times"] += 1
                    continue
                what = f"{printable(record.model, _NAME)} on {printable(board, _NAME)}"
                found[key] = _problem(record.status, what, link, reason, advice.get(reason))
        return list(found.values())

    def steps(self, cases: Iterable[Case]) -> list[Json]:
        """The steps of cases, the newest first, as the pages show them."""
        found = []
        for case in cases:
            for one in case.told.steps:
                night = case.nights[one.step.at]
                slower = one.step.ratio > 1
                found.append(
                    (
                        night.started_utc,
                        {
                            "day": day(night.started_utc),
                            "sweep_link": sweep_page(night.sweep_id),
                            "model": printable(case.model, _NAME),
                            "link": case.link,
                            "board": printable(case.board, _NAME),
                            "board_link": board_page(case.board),
                            "condition": case.condition,
                            "before": ms(one.step.before_ms),
                            "after": ms(one.step.after_ms),
                            "ratio": f"{one.step.ratio:.4f}",
                            "change": percent(one.step.ratio),
                            "mark": "▲" if slower else "▼",
                            "kind": "slower" if slower else "faster",
                            "changed": ", ".join(printable(each, _WHY) for each in one.changed)
                            or "nothing that is known",
                            "layers": ", ".join(printable(each, _NAME) for each in one.layers),
                        },
                    )
                )
        found.sort(key=lambda each: each[0], reverse=True)
        return [step for _, step in found]


def _of_board(board: Any) -> Iterable[tuple[str, str | None]]:  # noqa: ANN401
    if board.error is not None:
        yield board.error, board.hint
    if board.changed and board.restored is False:
        yield (
            "its power mode and clocks were NOT put back",
            f"jetbench boards restore {board.name}",
        )


def _problem(status: str, what: str, link: str, why: str, advice: str | None) -> Json:
    return {
        "status": status,
        "mark": f"{MARKS.get(status, '')} {status}".strip(),
        "what": printable(what, 2 * _NAME),
        "link": link,
        "why": printable(why, _WHY),
        "advice": printable(advice, _WHY) if advice else "",
        "times": 1,
    }


def _grouped(pairs: Iterable[tuple[Any, Case]]) -> dict[Any, list[Case]]:
    found: dict[Any, list[Case]] = {}
    for key, case in pairs:
        found.setdefault(key, []).append(case)
    return found
