"""What the functions give back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jetbench.analysis.chosen import WantedCase
from jetbench.api import frames
from jetbench.domain.errors import ChoiceError, JetbenchError
from jetbench.formats.words import printable
from jetbench.report.compare import comparison_table
from jetbench.report.compare_data import comparison_to_json
from jetbench.report.table import result_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from jetbench.analysis.compare import CaseComparison
    from jetbench.analysis.compare import Comparison as Compared
    from jetbench.domain.gate import Gate
    from jetbench.domain.kept import KeptBoard, KeptSweep
    from jetbench.domain.record import Record


@dataclass(frozen=True, slots=True, repr=False)
class Sweep:
    """A sweep that was measured, now or earlier. Printed, it is the table of ``jetbench run``."""

    kept: KeptSweep
    """All of it, as values."""
    document: Mapping[str, Any]
    """All of it, as ``--format json`` prints it (docs/reference/json.md)."""
    folder: Path | None
    """Where its journals and raw logs are; None where it came without them."""
    gate: Gate | None = None
    """What the gate says, where it was held against a baseline."""

    @property
    def id(self) -> str:
        """Such as ``20260102-030405-a1b2c3``."""
        return self.kept.id

    @property
    def started_utc(self) -> str | None:
        """When it began, ISO 8601."""
        return self.kept.started_utc

    @property
    def simulated(self) -> bool:
        """Whether any board of it was a virtual one."""
        return self.kept.simulated

    @property
    def records(self) -> tuple[Record, ...]:
        """What was measured: one a case and board."""
        return self.kept.records

    @property
    def boards(self) -> tuple[KeptBoard, ...]:
        """Each board's part in it."""
        return self.kept.boards

    @property
    def ok(self) -> bool:
        """Whether everything was measured, and nothing of it is in doubt."""
        return bool(self.records) and all(one.status == "ok" for one in self.records)

    def record(
        self,
        model: str | None = None,
        board: str | None = None,
        *,
        batch: int | None = None,
        power_mode: int | str | None = None,
    ) -> Record:
        """The one record that is meant; what is left out may be anything.

        Raises:
            ChoiceError: None fits, or several do; its `choices` are those that there are.
        """
        mode = None if power_mode is None else str(power_mode)
        found = WantedCase(board, model, batch, mode).among(self.records)
        if len(found) == 1:
            return found[0]
        told = [_called(one) for one in found or self.records]
        what = f"{len(found)} records fit" if found else "no record fits"
        raise ChoiceError(f"sweep {self.id}: {what}", told)

    def to_dataframe(self, *, trials: bool = False) -> pd.DataFrame:
        """A row a record, or a row a process, as a DataFrame; see `frames.records_frame`.

        Raises:
            UsageError: pandas is not installed.
        """
        records = ((self.id, record) for record in self.records)
        return frames.records_frame(records, {self.id: self.started_utc}, trials=trials)

    def table(self) -> str:
        """The table of ``jetbench run``, with the conditions under which its numbers hold."""
        return result_table(self.kept)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        words = ["simulated"] if self.simulated else []
        return f"<{' '.join([*words, 'sweep', self.id])}: {len(self.records)} records>"


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two sweeps, case by case. Printed, it is the table of ``jetbench compare``."""

    before: Sweep
    after: Sweep
    compared: Compared
    """All of it, as values."""

    @property
    def cases(self) -> tuple[CaseComparison, ...]:
        """Each case that both have, with its verdict, its ratio and what changed beside it."""
        return self.compared.cases

    @property
    def slower(self) -> tuple[CaseComparison, ...]:
        """Those that became slower."""
        return tuple(case for case in self.cases if case.verdict == "slower")

    @property
    def faster(self) -> tuple[CaseComparison, ...]:
        """Those that became faster."""
        return tuple(case for case in self.cases if case.verdict == "faster")

    @property
    def geometric_mean(self) -> float | None:
        """Of the ratios, after over before; None where nothing could be compared."""
        return self.compared.geometric_mean

    def to_json(self) -> dict[str, Any]:
        """The document of ``jetbench compare --format json``."""
        return comparison_to_json(self.compared, self.before.kept, self.after.kept)

    def table(self) -> str:
        """The table of ``jetbench compare``."""
        return comparison_table(self.compared, self.before.kept, self.after.kept)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.compared.counts.items())
        return f"<comparison {self.before.id} → {self.after.id}: {counts or 'nothing'}>"


class SweepInterruptedError(JetbenchError):
    """A sweep was ended before its end; what was finished is kept, and the boards are put back."""

    def __init__(self, sweep: Sweep) -> None:
        """Told of the sweep as far as it came."""
        super().__init__(
            f"sweep {sweep.id} was interrupted",
            hint=f"what was finished is kept; resume({sweep.id!r}) measures the rest",
        )
        self.sweep = sweep


def _called(record: Record) -> str:
    mode = record.power_mode
    of_mode = "" if mode is None else f", power_mode={mode.name or mode.id!r}"
    where = f"{printable(record.model, 60)} on {printable(record.board, 40)}"
    return f"{where}, batch={record.batch}{of_mode}"
