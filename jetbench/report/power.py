"""What the board took while it measured: power and energy, as lines below the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.domain.record import Record

_LEGEND = (
    "Energy of an iteration (forward and backward) and power, of the whole board:",
    "Power of the whole board, while it iterated forward and backward:",
)
_MOST_TOLD = 8
_NAME_WIDTH = 34


def power_lines(records: Iterable[Record]) -> list[str]:
    """A line for each record whose power is known."""
    known = [record for record in records if record.conditions.power_w_mean is not None]
    if not known:
        return []
    several = len({record.power_mode for record in known}) > 1
    energy = any(record.conditions.energy_j_iteration is not None for record in known)
    lines = [_LEGEND[0] if energy else _LEGEND[1]]
    lines += [f"  {_line(record, several_modes=several)}" for record in known[:_MOST_TOLD]]
    if left := len(known[_MOST_TOLD:]):
        lines.append(f"  Not told here: {left} more (--format json or csv has all).")
    return lines


def _line(record: Record, *, several_modes: bool) -> str:
    """``vgg16 on tx2-01: 3.61 J, 13.2 W, peak 13.6 W, at rest 3.4 W``."""
    conditions = record.conditions
    name = f"{record.model} on {record.board}"
    if record.batch != 1:
        name = f"{record.model}/{record.batch} on {record.board}"
    if several_modes and record.power_mode is not None:
        name += f" in {record.power_mode.name or record.power_mode.id}"
    shown = printable(name, _NAME_WIDTH)
    if cell_len(shown) > _NAME_WIDTH:
        shown = set_cell_size(shown, _NAME_WIDTH - 1).rstrip() + "…"
    parts = []
    if conditions.energy_j_iteration is not None:
        parts.append(f"{conditions.energy_j_iteration:.3g} J")
    parts.append(f"{conditions.power_w_mean:.1f} W")
    if conditions.power_w_max is not None:
        parts.append(f"peak {conditions.power_w_max:.1f} W")
    if conditions.power_w_idle is not None:
        parts.append(f"at rest {conditions.power_w_idle:.1f} W")
    return f"{shown}: {', '.join(parts)}"
