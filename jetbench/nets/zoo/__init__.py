"""The models that come along, written for jetbench from the published architectures.

`MODELS` says what there is and costs nothing; `text_of` has the family of a model write it.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, cast

from jetbench.nets.zoo.catalogue import BVLC, CATALOGUE, SSD_FORK, ZooModel

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BVLC", "MODELS", "SSD_FORK", "ZooModel", "text_of"]

MODELS: Mapping[str, ZooModel] = MappingProxyType({model.name: model for model in CATALOGUE})
"""The models by name, in the order in which they are listed: families, oldest first."""


class _Family(Protocol):
    """A module beside this one."""

    def prototxt(self, model: ZooModel) -> str:
        """The text of one model of the family."""
        ...


def text_of(name: str) -> str:
    """The prototxt of a model, with its published batch.

    Raises:
        KeyError: there is no such model in `MODELS`.
    """
    model = MODELS[name]
    family = cast("_Family", import_module(f"{__name__}.{model.family}"))
    return family.prototxt(model)
