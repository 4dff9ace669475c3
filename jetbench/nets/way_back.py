"""Whether a patch can be taken back: the first batch asked for again gives the first file.

It does, but where the file held more than one batch (its phases may differ), where an input
that has no batch looks like one that has it at the new batch, and where a hexadecimal number
loses its capitals.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from jetbench.nets.edits import changed_lines
from jetbench.nets.not_a_net import BOM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.nets.batch import Patched

_MAY_HOLD_IT = re.compile(
    r"reshape|slice|data_param|param_str|tile|lstm|rnn|recurrent", re.IGNORECASE
)
"""Words of layers that may hold a batch themselves, or have it on another axis."""


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
    if not patched.edits or patched.before < 1 or _is_plain(text, patched):
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


def _is_plain(text: str, patched: Patched) -> bool:
    """Whether the only number of the only input was changed, and nothing else can hold a batch.

    Such a patch can be taken back; of most files it spares patching them a second time.
    """
    if len(patched.edits) != 1 or len(patched.input_shapes) != 1 or _MAY_HOLD_IT.search(text):
        return False
    [edit] = patched.edits
    return any(
        edit.old_line[: number.start()] + str(patched.batch) + edit.old_line[number.end() :]
        == edit.new_line
        for number in re.finditer(rf"(?<![\w.]){patched.before}(?![\w.])", edit.old_line)
    )
