"""The models that come along, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from jetbench.nets.net import shape_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.nets.zoo import ZooModel

_HEADERS = ("Model", "Input", "Parameters", "GMACs", "Caffe", "Paper")
_ALIGN = ("left", "left", "right", "right", "left", "left")


def models_table(models: Iterable[ZooModel], *, markdown: bool = False) -> str:
    """A line for each model: what goes in, what it costs, what it needs, whose it is.

    For people it fits 80 columns, and names a paper by its first author and year.
    """
    return tabulate(
        [
            (
                model.name,
                shape_text(model.input[1:]),
                f"{model.params:,}",
                f"{model.macs / 1e9:.2f}",
                model.needs,
                model.paper if markdown else _short(model.paper),
            )
            for model in models
        ],
        headers=_HEADERS,
        tablefmt="github" if markdown else "simple",
        colalign=_ALIGN,
        disable_numparse=True,
    )


def _short(paper: str) -> str:
    """``Simonyan 2015`` of ``Simonyan, Zisserman, ICLR 2015``."""
    words = paper.replace(",", "").split()
    return f"{words[0]} {words[-1]}"
