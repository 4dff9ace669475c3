"""What a rule is, and how it joins the registry.

To teach jetbench a layer type, write one function from the layer and its bottoms' shapes
to an `Effect`, and put ``@rule(RULES, "TypeName", bottoms=…, tops=…)`` above it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, shape_text

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec

_IMAGE_AXES = 4

Arity = tuple[int, int | None]
"""The least and the greatest number of blobs; None for no limit."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a layer makes of its bottoms, and what it takes to do so."""

    tops: tuple[Shape | None, ...]
    """One for each top; None where only the data could tell."""
    weights: tuple[Shape, ...] = ()
    """Its learned blobs, in Caffe's order."""
    statistics: tuple[Shape, ...] = ()
    """Its stored blobs that are not learned."""
    macs: int | None = 0
    """Multiply-accumulates for the whole batch; None where the prototxt leaves it open."""
    fast_macs: int | None = None
    """What is left of `macs` with the fastest algorithms; None where all of them."""
    moves_data: bool = True
    """False where the tops are but another view of the bottoms' memory."""
    weights_known: bool = True
    """False where forks differ in what the layer stores, and the prototxt does not tell."""
    statistics_first: bool = False
    """Whether Caffe has `statistics` before `weights`, and not behind them."""

    def least_macs(self) -> int | None:
        """Multiply-accumulates with the fastest algorithms."""
        return self.macs if self.fast_macs is None else self.fast_macs


Apply = Callable[["LayerSpec", tuple[Shape, ...]], Effect]
"""From a layer and the shapes of its bottoms to what it does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a layer type behaves."""

    apply: Apply
    bottoms: Arity
    tops: Arity
    automatic_top: bool = False
    """Whether Caffe gives the layer a top if the prototxt names none (losses)."""


Rules = dict[str, Rule]
"""Layer type, as a modern prototxt writes it, to its rule."""


def rule(
    rules: Rules,
    *types: str,
    bottoms: Arity = (1, 1),
    tops: Arity = (1, 1),
    automatic_top: bool = False,
) -> Callable[[Apply], Apply]:
    """Enter the function below into `rules` for these layer types."""

    def enter(apply: Apply) -> Apply:
        rules.update(dict.fromkeys(types, Rule(apply, bottoms, tops, automatic_top)))
        return apply

    return enter


def not_known(layer: LayerSpec) -> Effect:
    """Tops that only the data could tell, of a layer that learns nothing."""
    return Effect((None,) * len(layer.tops))


def undecided(layer: LayerSpec) -> Effect:
    """Of a layer that forks mean different things by, where its settings do not tell which."""
    return Effect((None,) * len(layer.tops), macs=None, weights_known=False)


def image_axes(layer: LayerSpec, shape: Shape) -> tuple[int, int, int, int]:
    """Batch, channels, height and width as Caffe's ``num()``, ``channels()``, … have them.

    Axes that are missing at the end are 1.

    Raises:
        ModelError: the blob has more than four axes.
    """
    if len(shape) > _IMAGE_AXES:
        raise layer.wrong(f"it takes blobs of up to four axes, not {shape_text(shape)}")
    batch, channels, height, width = (*shape, 1, 1, 1, 1)[:_IMAGE_AXES]
    return batch, channels, height, width


def has_only(options: Fields, *names: str) -> bool:
    """Whether a block has no settings but these: with others it may be another fork's."""
    return options.message is None or all(field.name in names for field in options.message.fields)


def axis_of(layer: LayerSpec, shape: Shape, axis: int) -> int:
    """The axis counted from the front; a negative one counts from the end.

    Raises:
        ModelError: the blob has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise layer.wrong(f"there is no axis {axis} in a blob of {shape_text(shape)}")
    return axis % len(shape)


def replaced(shape: Shape, axis: int, size: int) -> Shape:
    """The shape with another size on one axis."""
    return (*shape[:axis], size, *shape[axis + 1 :])
