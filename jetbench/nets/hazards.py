"""What makes another batch uncertain where shapes do not tell: found, named and refused.

These are layers that run code of their own, that pick images by number, or that take one
image at a time; and, below a layer of which it is not known what it does, every layer that
could hold the batch as a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jetbench.formats.textproto import Scalar
    from jetbench.nets.spec import LayerSpec

BY_HAND = (
    "Set the batch in a copy of the file by hand, there and in its inputs: "
    "a file that has the batch already is taken as it is."
)

_SEQUENCE = re.compile(r"lstm|rnn|gru$|recurrent|ctc")
_FOLDS = re.compile(
    r"loss|accuracy|prior|anchor|detection|roi|proposal|reduction|evaluat|output|nms|crop|mean|center"
)
_SINGLE_IMAGE = re.compile(r"proposal")
_BY_INDEX = {"batchreindex", "filter", "gather"}
_BATCH_KEYS = {"batch_size", "batchsize", "batch", "num_images", "batch_num"}
# Layers whose axis 0, if they say so, ties weights or the net's form to the batch. Concat
# and Flatten are none of them: what they join or fold grows with the batch.
_AXIS_KEYS = {
    "slice": ("slice_param", ("axis", "slice_dim")),
    "crop": ("crop_param", ("axis",)),
    "innerproduct": ("inner_product_param", ("axis",)),
    "tile": ("tile_param", ("axis",)),
    "scale": ("scale_param", ("axis",)),
    "bias": ("bias_param", ("axis",)),
}


class DoubtError(ModelError):
    """A net that may well be the same net at another batch, but not with certainty."""

    @classmethod
    def of(cls, error: ModelError) -> DoubtError:
        """The error, as one that leaves the matter open."""
        return cls(error.bare, hint=error.hint, line=error.line, column=error.column)


def may_fold(layer: LayerSpec) -> bool:
    """Whether the layer's output may be of one size whatever the batch.

    Losses sum up, PriorBox looks at sizes only, what follows regions has as many as there are
    regions; any other layer that swallows the batch holds it as a number of its own.
    """
    return bool(_FOLDS.search(layer.kind))


def is_sequence(layer: LayerSpec) -> bool:
    """Whether the layer's blobs have a time axis, by its type's name."""
    return bool(_SEQUENCE.search(layer.kind))


def is_marker_reader(layer: LayerSpec) -> bool:
    """Whether the layer's second bottom says where a sequence goes on (``cont``)."""
    return is_sequence(layer) and "ctc" not in layer.kind and len(layer.bottoms) > 1


def python_layers(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """The names of the layers that run code of their own."""
    return tuple(layer.name for layer in layers if layer.kind == "python")


def refuse_carrier(layer: LayerSpec, after: int) -> None:
    """Refuse a layer that cannot take another batch, whatever its shapes.

    Raises:
        ModelError: It picks images by number, or takes one at a time.
    """
    if layer.kind in _BY_INDEX:
        raise DoubtError.of(layer.wrong(f"{layer.type} picks images by number", hint=BY_HAND))
    if after > 1 and (_SINGLE_IMAGE.search(layer.kind) or _is_proposal(layer)):
        message = f"{layer.type} takes one image at a time"
        raise layer.wrong(message, hint="Measure this net at batch 1.")
    for block in layer.fields.message.fields if layer.fields.message else ():
        for field in block.value.fields if isinstance(block.value, Message) else ():
            if field.name in _BATCH_KEYS:
                message = f"the layer {layer.name!r} ({layer.type}) has a {field.name} of its own"
                raise DoubtError.of(layer.fields.places.wrong(field.start, message, BY_HAND))


def refuse_blind(layer: LayerSpec, before: int) -> None:
    """Refuse a layer of unknown shapes that may hold the old batch.

    Args:
        layer: The layer.
        before: The batch that the file has.

    Raises:
        ModelError: There is a number that may be the batch.
    """
    for place, message in _doubts(layer, before):
        where = f"the layer {layer.name!r} ({layer.type})"
        error = layer.fields.places.wrong(place.start, f"{where} {message}", BY_HAND)
        raise DoubtError.of(error)


def _doubts(layer: LayerSpec, before: int) -> Iterator[tuple[Scalar, str]]:
    if layer.kind == "reshape":
        yield from _reshape(layer, before)
    if layer.kind in {"permute", "transpose"}:
        order = next(iter(_inside(layer, f"{layer.kind}_param", ("order", "dim"))), None)
        if order is not None and order.as_int() != 0:
            yield order, "moves the batch to another axis"
    yield from _axis_zero(layer)
    if layer.kind == "python":
        yield from _python(layer, before)


def _reshape(layer: LayerSpec, before: int) -> Iterator[tuple[Scalar, str]]:
    """A shape that holds the batch as a number: 0 copies an axis, -1 takes what is left."""
    for block in layer.fields.blocks("reshape_param"):
        axis = block.scalars("axis")
        if axis and axis[0].as_int() != 0:
            if (axis[0].as_int() or -1) < 0:
                yield axis[0], "counts its axis from the end"
            continue
        dims = [dim for shape in block.blocks("shape") for dim in shape.scalars("dim")]
        if not dims or dims[0].as_int() == 0:
            continue
        if dims[0].as_int() != -1:
            yield dims[0], f"holds the batch as a number of its own ({dims[0].text})"
        for dim in dims[1:]:
            if dim.as_int() == before > 0:
                yield dim, f"may hold the batch as a number of its own ({dim.text})"


def _axis_zero(layer: LayerSpec) -> Iterator[tuple[Scalar, str]]:
    if layer.kind not in _AXIS_KEYS:
        return
    block, keys = _AXIS_KEYS[layer.kind]
    for axis in _inside(layer, block, keys):
        learned = layer.kind not in {"scale", "bias"} or len(layer.bottoms) == 1
        if axis.as_int() == 0 and learned:
            yield axis, "works along the batch (axis 0)"
        elif (axis.as_int() or 0) < 0 and layer.kind in {"slice", "crop"}:
            yield axis, "counts its axis from the end"


def _python(layer: LayerSpec, before: int) -> Iterator[tuple[Scalar, str]]:
    for param in _inside(layer, "python_param", ("param_str", "param_str_")):
        words = param.as_str()
        if "batch" in words.lower() or re.search(rf"(?<![\d.]){before}(?![\d.])", words):
            yield param, "may hold the batch in its param_str"


def _inside(layer: LayerSpec, block: str, keys: Iterable[str]) -> Iterator[Scalar]:
    for fields in layer.fields.blocks(block):
        for key in keys:
            yield from fields.scalars(key)


def _is_proposal(layer: LayerSpec) -> bool:
    names = _inside(layer, "python_param", ("module", "layer"))
    return any("proposal_layer" in name.as_str().lower() for name in names)
