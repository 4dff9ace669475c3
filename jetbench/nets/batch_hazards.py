"""What in a net makes another batch uncertain, or wrong: found, named and refused.

Setting the first number of an input is enough only where every layer takes the batch from
its bottoms. The checks here look for layers that hold it themselves (Reshape, Slice over
axis 0, a Python layer's parameters), that move it to another axis (recurrent nets are
time-major), or that need data which no board has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.formats.textproto import Message
from jetbench.nets.batch_inputs import DUMMY, INPUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.errors import ModelError
    from jetbench.formats.textproto import Scalar
    from jetbench.nets.batch_inputs import Input, Layer, Source

BY_HAND = (
    "Set the batch in a copy of the file by hand, there and in its inputs: "
    "a file that has the batch already is taken as it is."
)

_DATA = re.compile(r"data$|^images$|^window")
_SEQUENCE = re.compile(r"lstm|rnn|gru$|recurrent|ctc")
_SINGLE_IMAGE = re.compile(r"proposal")
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
_BY_INDEX = {"batchreindex", "filter", "gather", "parameter"}
_BATCH_KEYS = {"batch_size", "batchsize", "batch", "num_images", "batch_num"}


def refuse_data_layers(source: Source, layers: Sequence[Layer], phase: str) -> None:
    """Refuse a net whose blobs come from a data set or from code.

    Raises:
        ModelError: A layer has no bottoms and is no declared input.
    """
    for layer in layers:
        if layer.bottoms or layer.type in {INPUT, DUMMY, "parameter"} or not layer.tops:
            continue
        shown = _type_of(layer)
        if _DATA.search(layer.type):
            message = (
                f"the layer {layer.name!r} ({shown}) reads a data set, which is not on the board"
            )
            hint = (
                f"In phase {phase} this net has no input of its own: pass its deploy.prototxt, "
                "or replace the layer by an Input layer."
            )
        else:
            message = f"the layer {layer.name!r} ({shown}) makes its own data: no batch is known"
            hint = "Replace it by an Input layer with the shape you want."
        raise source.wrong(layer.start, message, hint)


def refuse_sequences(
    source: Source, layers: Sequence[Layer], inputs: Sequence[Input], batch: int
) -> None:
    """Refuse recurrent nets but for one step of one sequence at batch 1.

    Their blobs are time-major (T x N x …) in part, so that the first number is no batch.

    Raises:
        ModelError: There is such a layer, and the batch may not be what is asked for.
    """
    found = next((layer for layer in layers if _SEQUENCE.search(layer.type)), None)
    if found is None:
        return
    markers = {layer.bottoms[1] for layer in layers if _is_recurrent(layer)}
    one_step = batch == 1 and all(
        one.shape[:1] in {(), (1,)} and (one.name not in markers or set(one.shape) <= {1})
        for one in inputs
    )
    if not one_step or not markers <= {one.name for one in inputs}:
        message = (
            f"the net is recurrent (layer {found.name!r}, {_type_of(found)}): time and batch "
            "share the first axes of its blobs, and cannot be told apart with certainty"
        )
        hint = "Only one step of one sequence is certain: write a 1 for both into a copy."
        raise source.wrong(found.start, message, hint)


def refuse_hard_coded(source: Source, layers: Sequence[Layer], before: int, after: int) -> None:
    """Refuse a net with layers that would still hold the old batch.

    Args:
        source: The text, for line numbers.
        layers: The layers of the phase.
        before: The batch that the file has.
        after: Another one.

    Raises:
        ModelError: There is such a layer, or one that may be.
    """
    for layer in layers:
        for problem in _problems(source, layer, before, after):
            raise problem


def python_layers(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The names of the layers that run code of their own."""
    return tuple(layer.name for layer in layers if layer.type == "python")


def _problems(source: Source, layer: Layer, before: int, after: int) -> Iterator[ModelError]:
    where = f"the layer {layer.name!r} ({_type_of(layer)})"
    if layer.type == "reshape":
        yield from _reshape(source, layer, where, before)
    if layer.type in _BY_INDEX:
        yield source.wrong(layer.start, f"{where} may depend on the batch by number", BY_HAND)
    if layer.type in {"permute", "transpose"}:
        order = next(iter(_inside(layer, f"{layer.type}_param", ("order", "dim"))), None)
        if order is not None and order.as_int() != 0:
            yield source.wrong(order.start, f"{where} moves the batch to another axis", BY_HAND)
    if after > 1 and (_SINGLE_IMAGE.search(layer.type) or _is_proposal(layer)):
        message = f"{where} takes one image at a time"
        yield source.wrong(layer.start, message, "Measure this net at batch 1.")
    yield from _axis_zero(source, layer, where)
    if layer.type == "python":
        yield from _python(source, layer, where, before)
    yield from _batch_keys(source, layer, where)


def _reshape(source: Source, layer: Layer, where: str, before: int) -> Iterator[ModelError]:
    """A shape that holds the batch as a number: 0 copies an axis, -1 takes what is left."""
    for block in layer.fields.messages("reshape_param"):
        axis = block.get("axis")
        if axis is not None and axis.as_int() != 0:
            if (axis.as_int() or -1) < 0:
                yield source.wrong(axis.start, f"{where} counts its axis from the end", BY_HAND)
            continue
        dims = [dim for shape in block.messages("shape") for dim in shape.scalars("dim")]
        if not dims or dims[0].as_int() == 0:
            continue
        if dims[0].as_int() != -1:
            message = f"{where} holds the batch as a number of its own ({dims[0].text})"
            yield source.wrong(dims[0].start, message, BY_HAND)
        for dim in dims[1:]:
            if dim.as_int() == before:
                message = f"{where} may hold the batch as a number of its own ({dim.text})"
                yield source.wrong(dim.start, message, BY_HAND)


def _axis_zero(source: Source, layer: Layer, where: str) -> Iterator[ModelError]:
    if layer.type not in _AXIS_KEYS:
        return
    block, keys = _AXIS_KEYS[layer.type]
    for axis in _inside(layer, block, keys):
        learned = layer.type not in {"scale", "bias"} or len(layer.bottoms) == 1
        if axis.as_int() == 0 and learned:
            yield source.wrong(axis.start, f"{where} works along the batch (axis 0)", BY_HAND)
        elif (axis.as_int() or 0) < 0 and layer.type in {"slice", "crop"}:
            yield source.wrong(axis.start, f"{where} counts its axis from the end", BY_HAND)


def _python(source: Source, layer: Layer, where: str, before: int) -> Iterator[ModelError]:
    for param in _inside(layer, "python_param", ("param_str", "param_str_")):
        words = param.as_str()
        if "batch" in words.lower() or re.search(rf"(?<![\d.]){before}(?![\d.])", words):
            message = f"{where} may hold the batch in its param_str"
            yield source.wrong(param.start, message, BY_HAND)


def _batch_keys(source: Source, layer: Layer, where: str) -> Iterator[ModelError]:
    """A batch size within a layer's own parameters, whatever the layer is."""
    for block in (field.value for field in layer.fields.fields):
        for field in block.fields if isinstance(block, Message) else ():
            if field.name in _BATCH_KEYS:
                yield source.wrong(field.start, f"{where} has a {field.name} of its own", BY_HAND)


def _inside(layer: Layer, block: str, keys: tuple[str, ...]) -> Iterator[Scalar]:
    for message in layer.fields.messages(block):
        for key in keys:
            yield from message.scalars(key)


def _is_recurrent(layer: Layer) -> bool:
    """Whether the second bottom says where a sequence goes on (``cont``)."""
    sequence = _SEQUENCE.search(layer.type) and "ctc" not in layer.type
    return bool(sequence) and len(layer.bottoms) > 1


def _is_proposal(layer: Layer) -> bool:
    names = _inside(layer, "python_param", ("module", "layer"))
    return any("proposal_layer" in name.as_str().lower() for name in names)


def _type_of(layer: Layer) -> str:
    kind = layer.fields.get("type")
    return kind.as_str() if kind else "no type"
