"""Whether a patch can be taken back: the first batch asked for again gives the first file.

It does, but where the file held more than one batch (its phases may differ), where an input
that has no batch looks like one that has it at the new batch, and where a hexadecimal number
loses its capitals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from jetbench.nets.edits import changed_lines
from jetbench.nets.not_a_net import BOM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.nets.batch import Patched


def way_back_note(
    text: str, patched: Patched, *, phase: str, stages: Sequence[str], data_layers: bool
) -> str | None:
    """A sentence on what would not come back; None where everything would.

    Args:
        text: The file as it was.
        patched: What became of it, with no whole shapes asked for.
        phase: As it was patched.
        stages: The same.
        data_layers: The same.
    """
    if not patched.edits or patched.before < 1:
        return None
    begin = f"A patch back to {patched.before} would not give this file again"
    try:
        back = patch_batch(
            patched.text, patched.before, phase=phase, stages=stages, data_layers=data_layers
        )
    except ModelError as error:
        return f"{begin}: {error.bare}."
    lines = changed_lines(text.removeprefix(BOM), back.text)
    if not lines:
        return None
    others = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    return f"{begin}: line {lines[0].line}{others} would differ. Keep the file."
