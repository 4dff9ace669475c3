"""Batches that stand as numbers further down, in a Reshape or between the pieces of a Slice.

A Reshape keeps the order of its values. So its old and its new axes fall into groups that
hold the same values, and the batch of a group stays in it. Which number of the group it is
follows where only one can be it; where more can, the layer is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from jetbench.formats.textproto import Field, Message, Scalar
from jetbench.nets.hazards import BY_HAND, DoubtError
from jetbench.nets.net import Shape, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.errors import ModelError
    from jetbench.nets.spec import LayerSpec

Numbers = tuple[tuple[Scalar, int], ...]
"""Numbers of the text, each with the value that it should have."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A layer that may hold the batch itself."""

    layer: LayerSpec
    bottom: Shape
    """Of its first bottom, as the file has it."""
    wanted: Shape
    """The same at the new batch."""
    tops: tuple[Shape | None, ...]
    """As the file has them."""
    time_major: bool
    """Whether a recurrent layer reads its top, so that the batch is the second axis."""

    @property
    def axis(self) -> int:
        """The axis of the bottom that holds the batch, or -1."""
        pairs = zip(self.bottom, self.wanted, strict=False)
        return next((axis for axis, (old, new) in enumerate(pairs) if old != new), -1)


def adapted(holder: Holder, before: int, after: int) -> tuple[Numbers, LayerSpec]:
    """The layer with its own numbers at the new batch, and which these are.

    Raises:
        ModelError: It holds the batch, but it is not certain in which number.
    """
    if holder.axis < 0:
        return (), holder.layer
    numbers: Numbers = ()
    if holder.layer.type == "Reshape":
        numbers = _of_reshape(holder, before, after)
    elif holder.layer.type == "Slice":
        numbers = _of_slice(holder, before, after)
    return numbers, _with(holder.layer, numbers)


def doubt(holder: Holder, numbers: Numbers, before: int) -> ModelError | None:
    """Why a number that would be the batch may be another 1: beside it -1 takes what is left."""
    options = holder.layer.fields.block("reshape_param").block("shape")
    if not numbers or before != 1 or -1 not in options.integers("dim"):
        return None
    message = "it is not certain whether the 1 of its shape is the batch"
    return _wrong(holder, numbers[0][0], message)


def _of_reshape(holder: Holder, before: int, after: int) -> Numbers:
    """The number of a Reshape that is the batch; none where 0 or -1 stands in its place."""
    (top,) = holder.tops
    if top is None or min(holder.bottom) < 1:
        return ()
    options = holder.layer.fields.block("reshape_param")
    axis, axes = options.integer("axis", 0), options.integer("num_axes", -1)
    start = axis if axis >= 0 else len(holder.bottom) + axis + 1
    end = len(holder.bottom) if axes < 0 else start + axes
    if not start <= holder.axis < end:
        return ()
    dims = options.block("shape").scalars("dim")
    written = {start + place: dim for place, dim in enumerate(dims)}
    values = {place: dim.as_int() for place, dim in written.items()}
    if values.get(holder.axis) == 0:
        return ()
    groups = _groups(holder.bottom, top)
    inside = next((there for here, there in groups if holder.axis in here), None)
    if inside is None:
        return ()
    place = _place(holder, top, _with_ones(inside, top), before)
    if values.get(place, -1) == -1:
        return ()
    return ((written[place], top[place] * after // before),)


def _with_ones(inside: range, top: Shape) -> range:
    """The group with the axes of 1 behind it, which may as well belong to it."""
    end = inside.stop
    while end < len(top) and top[end] == 1:
        end += 1
    return range(inside.start, end)


def _place(holder: Holder, top: Shape, inside: range, before: int) -> int:
    """Which axis of the top holds the batch, of those in its group.

    Raises:
        ModelError: More than one can, or none.
    """
    size = holder.bottom[holder.axis]
    # Behind a Slice the axis may be but a part of the batch.
    unit = math.gcd(size, before)
    possible = [place for place in inside if top[place] % unit == 0]
    if holder.time_major and 1 in possible:
        return 1
    if set(holder.bottom[: holder.axis]) <= {1} and unit == size > 1:
        # The batch is the slowest axis, and remains it.
        possible = [place for place in possible[:1] if set(top[:place]) <= {1}]
    if len(possible) == 1:
        return possible[0]
    message = (
        f"{shape_text(holder.bottom)} becomes {shape_text(top)}, and it is not certain which "
        "number is the batch"
    )
    raise _wrong(holder, None, message)


def _groups(old: Shape, new: Shape) -> Iterator[tuple[range, range]]:
    """The shortest runs of axes that hold as many values here as there, in order.

    Both shapes have the same number of values, and no size of 0.
    """
    i = j = 0
    while i < len(old) and j < len(new):
        first_i, first_j = i, j
        here, there = old[i], new[j]
        i, j = i + 1, j + 1
        while here != there:
            if here < there:
                here, i = here * old[i], i + 1
            else:
                there, j = there * new[j], j + 1
        # Axes of 1 at the very end belong to what stands before them.
        if i == len(old) or j == len(new):
            i, j = len(old), len(new)
        yield range(first_i, i), range(first_j, j)


def _of_slice(holder: Holder, before: int, after: int) -> Numbers:
    """The points at which a Slice cuts the batch, moved in proportion.

    Raises:
        ModelError: The pieces are not equal, or the new batch cannot be cut so.
    """
    options = holder.layer.fields.block("slice_param")
    points = options.scalars("slice_point")
    axis = options.integer("slice_dim", options.integer("axis", 1))
    if axis % len(holder.bottom) != holder.axis or not points:
        return ()
    edges = [0, *(point.as_int() or 0 for point in points), holder.bottom[holder.axis]]
    pieces = {end - start for start, end in pairwise(edges)}
    if len(pieces) > 1 and any(piece % before for piece in pieces):
        raise _wrong(holder, points[0], "it cuts the batch into unequal pieces")
    if any(edge * after % before for edge in edges):
        step = before // math.gcd(before, *edges)
        message = f"it cuts the batch into {len(edges) - 1} pieces, and {after} cannot be cut so"
        raise _wrong(holder, points[0], message, f"Choose a batch that is a multiple of {step}.")
    return tuple((point, (point.as_int() or 0) * after // before) for point in points)


def _wrong(holder: Holder, number: Scalar | None, message: str, hint: str = BY_HAND) -> ModelError:
    if number is None:
        return DoubtError.of(holder.layer.wrong(message, hint=hint))
    message = f"layer {holder.layer.name!r}: {message}"
    return DoubtError.of(holder.layer.fields.places.wrong(number.start, message, hint))


def _with(layer: LayerSpec, numbers: Numbers) -> LayerSpec:
    """The layer with other values for some of its numbers."""
    message = layer.fields.message
    if message is None or not numbers:
        return layer
    values = {
        number.start: number._replace(text=str(value), kind="number") for number, value in numbers
    }
    return replace(layer, fields=replace(layer.fields, message=_rewritten(message, values)))


def _rewritten(message: Message, values: dict[int, Scalar]) -> Message:
    fields = tuple(
        Field(
            one.name,
            _rewritten(one.value, values)
            if isinstance(one.value, Message)
            else values.get(one.value.start, one.value),
            one.start,
            one.end,
        )
        for one in message.fields
    )
    return message._replace(fields=fields)
