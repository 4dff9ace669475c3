"""The inputs of a net: blobs that a file gives a shape, and nothing computes.

Three things declare one: an Input layer (or the older ``input:`` lines, which Caffe turns
into one), a DummyData layer, and a data layer, whose ``batch_size`` is all that the file
says of its shape.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import Message
from jetbench.nets.build import effect_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.formats.textproto import Scalar
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import LayerSpec, NetSpec

INPUT = "Input"
DUMMY = "DummyData"
PARAMS = {INPUT: "input_param", DUMMY: "dummy_data_param"}
"""By the type of the layer: the block that holds the shapes of its tops."""
BATCH_KEYS = ("batch_size", "batchsize")
"""What a data layer calls its batch, today and in the first form of the format."""

_MARKERS = "ContinuationIndicator"  # of the forks for text (CRNN): no data set is read
_MAX_COUNT = 2**31 - 1  # Caffe's Blob counts its numbers in an int
_LEGACY_AXES = ("num", "channels", "height", "width")
_DATA_SET = re.compile(r"data$|^images?$|^window")


@dataclass(frozen=True, slots=True)
class Input:
    """One top of a layer without bottoms."""

    name: str
    layer: LayerSpec
    dims: tuple[Scalar, ...]
    """Where the numbers of the shape stand, outermost first. Of a data layer only the first
    is known, and is its ``batch_size``; empty for a scalar and where no shape is given."""
    shape: Shape | None
    """As declared, whether it makes sense or not; None where the file does not say it."""

    @property
    def is_data(self) -> bool:
        """Whether it comes out of a data set."""
        return self.layer.type not in {INPUT, DUMMY}

    def wrong(self, message: str, hint: str) -> ModelError:
        """An error that blames the declaration."""
        fields = self.layer.fields
        if self.dims:
            return fields.places.wrong(self.dims[0].start, message, hint)
        return fields.wrong(message, hint)


def is_source(layer: LayerSpec) -> bool:
    """Whether the layer brings data into the net; learned blobs (Parameter) are none."""
    return not layer.bottoms and bool(layer.tops) and layer.type != "Parameter"


def reads_data_set(layer: LayerSpec) -> bool:
    """Whether the layer takes its blobs from a data set, by its type's name or settings."""
    if not is_source(layer) or layer.type in {INPUT, DUMMY}:
        return False
    return bool(_DATA_SET.search(layer.kind)) or batch_number(layer) is not None


def makes_markers(layer: LayerSpec) -> bool:
    """Whether the layer makes up where sequences go on, for a batch that it says itself."""
    return layer.type == _MARKERS and batch_number(layer) is not None


def declared_inputs(layers: Sequence[LayerSpec]) -> tuple[Input, ...]:
    """Every input of the layers that a phase leaves, in their order.

    Raises:
        ModelError: Shapes and tops do not match, a dimension is no integer, or a blob is
            declared twice.
    """
    found: list[Input] = []
    for layer in layers:
        if not layer.bottoms and layer.type in {INPUT, DUMMY}:
            found += _declared(layer)
        elif reads_data_set(layer):
            found += _from_data_set(layer)
    names: set[str] = set()
    for one in found:
        if one.name in names:
            message = f"the input {one.name!r} is declared twice"
            raise one.wrong(message, "Remove the declaration that does not count.")
        names.add(one.name)
    return tuple(found)


def refuse_ambiguous(spec: NetSpec) -> None:
    """Refuse old ``input:`` lines that Caffe reads, but whose author may have meant otherwise.

    Raises:
        ModelError: There are both kinds of shapes, or more of them than inputs.
    """
    names = spec.fields.scalars("input")
    shapes, dims = spec.fields.blocks("input_shape"), spec.fields.scalars("input_dim")
    if not names:
        return
    if shapes and dims:
        message = "the file has both input_shape and input_dim, and versions of Caffe differ"
        raise spec.fields.places.wrong(dims[0].start, message, "Remove what does not count.")
    if len(shapes) > len(names):
        message = f"there are {len(names)} input and {len(shapes)} input_shape"
        raise shapes[0].wrong(message, "Each input needs one input_shape.")
    if len(dims) > len(_LEGACY_AXES) * len(names):
        message = f"there are {len(names)} input and {len(dims)} input_dim"
        hint = "Each input needs four input_dim."
        raise spec.fields.places.wrong(dims[0].start, message, hint)


def check_size(one: Input, shape: Shape) -> None:
    """Refuse a shape that no Caffe can make a blob of.

    Raises:
        ModelError: A dimension is not positive, or there are more than 2³¹ - 1 numbers.
    """
    for axis, size in enumerate(shape):
        if size < 1:
            message = f"dimension {size} of the input {one.name!r}: there is nothing to compute"
            hint = f"Pass the shape you want, such as --shape {one.name}=1x3x224x224."
            if axis < len(one.dims):
                places = one.layer.fields.places
                raise places.wrong(one.dims[axis].start, message, hint)
            raise one.wrong(message, hint)
    if math.prod(shape) > _MAX_COUNT:
        message = f"the input {one.name!r} would hold more than 2^31 - 1 numbers"
        raise one.wrong(message, "Caffe cannot hold that: choose a smaller shape.")


def batch_number(layer: LayerSpec) -> Scalar | None:
    """Where a data layer says its batch, in whichever of its blocks that is."""
    message = layer.fields.message
    if message is None:
        return None
    blocks = [message, *(value for field in message.fields for value in _blocks(field.value))]
    numbers = (block.get(key) for block in blocks for key in BATCH_KEYS)
    return next((number for number in numbers if number is not None), None)


def _blocks(value: Scalar | Message) -> tuple[Message, ...]:
    return (value,) if isinstance(value, Message) else ()


def _declared(layer: LayerSpec) -> list[Input]:
    """The tops of an Input or a DummyData layer; one shape may serve them all."""
    if layer.inputs is not None:
        shapes: tuple[tuple[Scalar, ...], ...] = layer.dims
    else:
        block = layer.fields.block(PARAMS[layer.type])
        shapes = tuple(shape.scalars("dim") for shape in block.blocks("shape"))
        if not shapes and layer.type == DUMMY:
            shapes = _legacy_dummy(layer, [block.scalars(axis) for axis in _LEGACY_AXES])
    if not shapes:
        return [Input(top, layer, (), None) for top in layer.tops]
    if len(shapes) not in {1, len(layer.tops)}:
        message = f"it has {len(layer.tops)} tops and {len(shapes)} shapes"
        raise layer.wrong(message, hint="Give it one shape, or one for each top.")
    each = shapes if len(shapes) == len(layer.tops) else shapes * len(layer.tops)
    return [
        Input(top, layer, dims, tuple(_size(layer, top, dim) for dim in dims))
        for top, dims in zip(layer.tops, each, strict=True)
    ]


def _legacy_dummy(
    layer: LayerSpec, columns: Sequence[tuple[Scalar, ...]]
) -> tuple[tuple[Scalar, ...], ...]:
    """The shapes of a DummyData layer in the old form, where each number may serve all tops."""
    tops = len(layer.tops)
    if not any(columns):
        return ()
    if any(len(column) not in {1, tops} for column in columns):
        message = "num, channels, height and width differ in number"
        raise layer.wrong(message, hint="Give each once, or once for each top.")
    each = [column if len(column) == tops else column * tops for column in columns]
    return tuple(zip(*each, strict=True))


def _from_data_set(layer: LayerSpec) -> list[Input]:
    number = batch_number(layer)
    try:
        effect = effect_of(layer, ())
    except ModelError:
        # A fork may have given the layer other tops; then its shapes are not known.
        effect = None
    shapes = (None,) * len(layer.tops) if effect is None else effect.tops
    dims = () if number is None else (number,)
    return [Input(top, layer, dims, shape) for top, shape in zip(layer.tops, shapes, strict=True)]


def _size(layer: LayerSpec, top: str, dim: Scalar) -> int:
    size = dim.as_int()
    if size is None:
        message = f"a dimension of the input {top!r} is no integer"
        raise layer.fields.places.wrong(dim.start, message, "Write a whole number there.")
    if size > _MAX_COUNT:
        message = f"dimension {size} of the input {top!r} is more than 2^31 - 1"
        raise layer.fields.places.wrong(dim.start, message, "Caffe cannot hold that.")
    return size
