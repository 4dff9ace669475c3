"""Cases of a sweep, chosen by what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.domain.record import Record


@dataclass(frozen=True, slots=True)
class WantedCase:
    """What was asked for; None: whatever there is."""

    board: str | None
    model: str | None
    batch: int | None
    power_mode: str | None

    def fits(self, board: str, model: str, batch: int, modes: Iterable[str]) -> bool:
        """Whether a case is meant; `modes`: by what its power mode may be called."""
        return (
            self.board in {None, board}
            and self.model in {None, model}
            and self.batch in {None, batch}
            and (self.power_mode is None or self.power_mode in set(modes))
        )

    def among(self, records: Iterable[Record]) -> list[Record]:
        """Those of the records that are meant."""
        return [
            record
            for record in records
            if self.fits(record.board, record.model, record.batch, _modes(record))
        ]


def _modes(record: Record) -> tuple[str, ...]:
    mode = record.power_mode
    return () if mode is None else (str(mode.id), *([mode.name] if mode.name else []))
