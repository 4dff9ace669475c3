"""How long a board takes for its trials, and so for those that are still to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Mean:
    """Of values that come one after the other."""

    count: int = 0
    _sum: float = 0.0

    def add(self, value: float) -> None:
        """One more."""
        self.count += 1
        self._sum += value

    @property
    def value(self) -> float:
        """0 where there is none."""
        return self._sum / self.count if self.count else 0.0


@dataclass(slots=True)
class Pace:
    """Of one board, by its own uptime: its journal may be heard much later."""

    trials: Mean = field(default_factory=Mean)
    """Seconds from begin to end."""
    _pauses: Mean = field(default_factory=Mean)
    """Seconds from an end to the next begin: the GPU cools down, a mode is set."""
    _of_case: dict[int, Mean] = field(default_factory=dict)
    _began_up_s: float | None = None
    _ended_up_s: float | None = None
    _running: int | None = None
    _rest_s: float | None = None

    def begins(self, case: int | None, up_s: float | None) -> None:
        """A trial of a case begins."""
        self._running, self._began_up_s = case, up_s
        if up_s is not None and self._ended_up_s is not None and up_s >= self._ended_up_s:
            self._pauses.add(up_s - self._ended_up_s)

    def ends(self, up_s: float | None) -> None:
        """It ends, and counts for nothing."""
        self._ended_up_s, self._began_up_s = up_s, None

    def took(self, case: int, up_s: float | None) -> float | None:
        """It ends. How long it has taken, where the board says when it began and ended."""
        began_up_s = self._began_up_s
        self.ends(up_s)
        if began_up_s is None or up_s is None or up_s < began_up_s:
            return None
        self.trials.add(up_s - began_up_s)
        self._of_case.setdefault(case, Mean()).add(up_s - began_up_s)
        return up_s - began_up_s

    def goes_on(self, cases: Sequence[int]) -> None:
        """These are the cases of the trials that are not over, each as often as there are."""
        if self.trials.count:
            trials_s = sum(self._usual_s(case) for case in cases)
            self._rest_s = trials_s + len(cases) * self._pauses.value

    def left_s(self, running_s: float) -> float | None:
        """Seconds until the last trial ends, if one has been running for so long."""
        if self._rest_s is None:
            return None
        return max(self._rest_s - min(running_s, self._usual_s(self._running)), 0.0)

    def _usual_s(self, case: int | None) -> float:
        known = None if case is None else self._of_case.get(case)
        return (known or self.trials).value
