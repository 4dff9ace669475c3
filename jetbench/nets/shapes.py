"""A whole shape for an input, where it has another number of axes, or none at all.

What comes out declares each input with as many axes as was asked for, so that only numbers
are left to change.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import LINE_END
from jetbench.nets.edits import Replacement, replaced
from jetbench.nets.inputs import PARAMS, declared_inputs
from jetbench.nets.net import shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jetbench.formats.textproto import Message
    from jetbench.nets.inputs import Input
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import LayerSpec, NetSpec

_LEGACY_AXES = 4


def with_axes(
    text: str, spec: NetSpec, layers: Sequence[LayerSpec], shapes: Mapping[str, Shape]
) -> str:
    """The text with inputs of as many axes as `shapes` gives them.

    Args:
        text: The prototxt.
        spec: What was read from it.
        layers: Those that the phase leaves.
        shapes: Whole shapes, by input; one with the file's number of axes changes nothing.

    Raises:
        ModelError: There is no such input, or it cannot have another number of axes.
    """
    inputs = {one.name: one for one in declared_inputs(layers)}
    bare = () if inputs else _bare_inputs(spec)
    for name in shapes:
        if name not in inputs and name not in bare:
            raise _unknown(name, [*inputs, *bare])
        if name in inputs:
            _refuse_shared(inputs[name], inputs, shapes)
    edits: list[Replacement] = []
    if bare:
        edits += _shapes_for_bare(spec, bare, shapes)
    for name, shape in shapes.items():
        one = inputs.get(name)
        if one is not None and (one.shape is None or len(one.shape) != len(shape)):
            edits += _resized(text, one, shape)
    return replaced(text, edits)


def _unknown(name: str, names: Sequence[str]) -> ModelError:
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Its inputs are {', '.join(names)}."
    return ModelError(f"the net has no input {name!r} in this phase", hint=hint)


def _refuse_shared(one: Input, inputs: Mapping[str, Input], shapes: Mapping[str, Shape]) -> None:
    """Refuse to give one of several inputs a shape that is written down for all of them.

    Raises:
        ModelError: The others are not given the same one.
    """
    if one.is_data:
        message = f"the shape of {one.name!r} stands in its data set, not in the file"
        raise one.wrong(message, "Replace the data layer by an Input layer.")
    for other in inputs.values():
        shares = other.dims and other.dims == one.dims
        if shares and shapes.get(other.name) != shapes[one.name]:
            message = f"one shape serves both {one.name!r} and {other.name!r}"
            hint = f"Pass --shape {other.name}={shape_text(shapes[one.name])} as well."
            raise one.wrong(message, hint)


def _bare_inputs(spec: NetSpec) -> tuple[str, ...]:
    """Names of ``input:`` lines to which the file gives no shape at all.

    Beside an Input layer they mean nothing, and Caffe drops them.
    """
    fields = spec.fields
    if fields.has("input_shape") or fields.has("input_dim"):
        return ()
    return fields.words("input")


def _shapes_for_bare(
    spec: NetSpec, bare: Sequence[str], shapes: Mapping[str, Shape]
) -> Iterator[Replacement]:
    if not any(name in shapes for name in bare):
        return
    for name, field in zip(bare, spec.fields.scalars("input"), strict=True):
        if name not in shapes:
            message = f"the input {name!r} has no shape"
            hint = f"Pass --shape {name}=… as well."
            raise spec.fields.places.wrong(field.start, message, hint)
        yield Replacement(field.end, field.end, f" input_shape {{{_dims(shapes[name])}}}")


def _resized(text: str, one: Input, shape: Shape) -> Iterator[Replacement]:
    message = _shape_block(one)
    if message is not None:
        yield from _other_axes(text, message, shape)
        return
    if one.shape is not None:
        message_text = f"the input {one.name!r} has the old form, which has {_LEGACY_AXES} axes"
        raise one.wrong(message_text, "Give it four, or declare it with an Input layer.")
    if len(one.layer.tops) > 1:
        message_text = (
            f"the layer {one.layer.name!r} gives its {len(one.layer.tops)} tops no shape"
        )
        raise one.wrong(message_text, "Write their shapes into the file.")
    yield _inserted(one, shape)


def _shape_block(one: Input) -> Message | None:
    """The block of numbers that is this input's shape; None for the forms without one."""
    layer = one.layer
    if layer.inputs is not None:
        return layer.shape_blocks[layer.tops.index(one.name)] if layer.shape_blocks else None
    blocks = layer.fields.block(PARAMS[layer.type]).blocks("shape")
    if not blocks:
        return None
    return blocks[min(layer.tops.index(one.name), len(blocks) - 1)].message


def _other_axes(text: str, message: Message, shape: Shape) -> Iterator[Replacement]:
    dims = [field for field in message.fields if field.name == "dim"]
    if not dims:
        yield Replacement(message.start + 1, message.start + 1, _dims(shape))
        return
    last = dims[min(len(dims), len(shape)) - 1].end
    in_list = dims[-1].start == dims[-1].value.start
    more = shape[len(dims) :]
    added = "".join(f", {size}" if in_list else f" dim: {size}" for size in more)
    # Line ends stay, so that every other line keeps its number.
    kept = "".join(LINE_END.findall(text[last : dims[-1].end]))
    yield Replacement(last, dims[-1].end, added + kept)


def _inserted(one: Input, shape: Shape) -> Replacement:
    """A shape for a layer that has none."""
    block = one.layer.fields.block(PARAMS[one.layer.type]).message
    around = block or one.layer.fields.message
    if around is None:
        raise one.wrong(f"the input {one.name!r} has no shape", "Write it into the file.")
    new = f"shape {{{_dims(shape)}}} "
    if block is None:
        new = f"{PARAMS[one.layer.type]} {{ {new}}} "
    return Replacement(around.end - 1, around.end - 1, new)


def _dims(shape: Shape) -> str:
    return "".join(f" dim: {size}" for size in shape) + " "
