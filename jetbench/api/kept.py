"""What was measured: sweeps, the history, baselines, a report."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jetbench
from jetbench.analysis.compare import compare as compare_records
from jetbench.analysis.series import told_of, with_gaps
from jetbench.api import frames
from jetbench.api.several import several
from jetbench.api.values import Comparison, Sweep
from jetbench.domain.errors import ResultError
from jetbench.domain.history import Wanted
from jetbench.formats.result_read import sweep_of
from jetbench.formats.wanted import wanted_of
from jetbench.report.site.writing import make_site
from jetbench.store.histories import the_history
from jetbench.store.naming import give_name, known_names
from jetbench.store.opening import opened_node
from jetbench.store.results import locate
from jetbench.store.site import SiteFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from jetbench.domain.history import SweepLine, ToldSeries
    from jetbench.domain.record import Record


def compare(before: Sweep, after: Sweep) -> Comparison:
    """Hold two sweeps against each other, case by case: ``jetbench compare``.

    What makes a case slower or faster stands in docs/explanation/statistics.md.
    """
    return Comparison(before, after, compare_records(before.records, after.records))


class Results:
    """The sweeps of a folder, and their history.

    `where` narrows it: ``Results().where(models="resnet50", real=True).to_dataframe()``.
    """

    def __init__(self, folder: Path | str = "jetbench-results", *, db: str | None = None) -> None:
        """Nothing is opened yet.

        Args:
            folder: Where sweeps are kept.
            db: The history, as of ``--db``; None: the file beside the sweeps, which is made
                where there is none.
        """
        self.folder = Path(folder)
        self._db = db
        self._wanted = Wanted()

    def where(
        self,
        *,
        boards: str | Sequence[str] = (),
        models: str | Sequence[str] = (),
        statuses: str | Sequence[str] = (),
        since: str | None = None,
        until: str | None = None,
        real: bool | None = None,
    ) -> Results:
        """The same, of records that fit in every respect; what was narrowed before is not.

        Args:
            boards: Any of these names, or ``@TAG``.
            models: Any of these names.
            statuses: Any of ``ok``, ``suspect``, ``failed``, ``lost``.
            since: Sweeps that began then or later: ``2026-01-02``, or ``2026-01-02T03:04``.
            until: Sweeps that began then or before.
            real: True: only measured; False: only simulated; None: both.

        Raises:
            UsageError: A date or a status is none.
        """
        narrowed = Results(self.folder, db=self._db)
        narrowed._wanted = wanted_of(
            several(boards), several(models), since=since, until=until, statuses=several(statuses),
            real=real, dashes="",
        )  # fmt: skip
        return narrowed

    def sweep(self, word: str = "latest") -> Sweep:
        """A sweep by its id, ``latest``, ``latest~1``, a day, a baseline's name, or its file.

        Raises:
            ResultError: There is no such sweep, or it cannot be read.
            StoreError: The history fails.
        """
        node = opened_node(word, self.folder, self._db)
        folder = None
        with suppress(ResultError):
            folder = locate(word, self.folder)
        document = cast("Mapping[str, Any]", node.value)
        return Sweep(sweep_of(node), document, folder if folder and folder.is_dir() else None)

    def sweeps(self) -> list[SweepLine]:
        """The sweeps, the newest first: ``jetbench results list``.

        Raises:
            StoreError: The history fails, as for all of the following.
        """
        with the_history(self._db, self.folder) as history:
            return history.sweeps(self._wanted)

    def records(self) -> list[tuple[str, Record]]:
        """Every record with the id of its sweep, the oldest sweep first."""
        with the_history(self._db, self.folder) as history:
            return list(history.records(self._wanted))

    def history(self) -> list[ToldSeries]:
        """Each case over the nights, with the steps in it: ``jetbench history``."""
        with the_history(self._db, self.folder) as history:
            series = with_gaps(history.series(self._wanted))
            return [told_of(one, history.whole) for one in series]

    def to_dataframe(self, *, trials: bool = False) -> pd.DataFrame:
        """A row a record, or with `trials` a row a process; see `frames.records_frame`.

        Raises:
            UsageError: pandas is not installed.
        """
        with the_history(self._db, self.folder) as history:
            began = {line.id: line.started_utc for line in history.sweeps(self._wanted)}
            return frames.records_frame(history.records(self._wanted), began, trials=trials)

    def baselines(self) -> dict[str, str]:
        """The ids of sweeps by the names that were given to them: ``jetbench baseline list``."""
        return known_names(self.folder, self._db)

    def set_baseline(self, name: str, sweep: str = "latest") -> str:
        """Give a sweep a name, for `run(baseline=…)`; returns its id.

        Raises:
            UsageError: That is no name.
            ResultError: There is no such sweep here.
        """
        return give_name(name, sweep, self.folder, self._db)[0]

    def report(self, site: Path | str, sweeps: Sequence[str] = (), *, logs: int = 10) -> Path:
        """Write a site of all of it, or of some sweeps: ``jetbench report``.

        Args:
            site: The folder to write it to; what has not changed there stays.
            sweeps: Only these, by the words of `sweep`.
            logs: The raw logs of the newest so many sweeps go along.

        Returns:
            The first page.

        Raises:
            ResultError: There is no such sweep, or nothing fits.
            UsageError: The folder holds other things.
            StoreError: It cannot be written.
        """
        if not make_site(
            SiteFolder(Path(site)), sweeps, self._wanted, self.folder, self._db,
            logs=logs, version=jetbench.__version__,
        ):  # fmt: skip
            raise ResultError("nothing of that was measured")
        return Path(site) / "index.html"
