"""Layers that cut, join, repeat or relabel: Concat, Slice, Reshape, Flatten, Crop, …."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, replaced, rule, undecided

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_LEAST_ARGMAX_AXES = 3
_A_PAIR = 2


@rule(RULES, "Split", tops=(1, None))
def split(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same blob under several names; no data moves."""
    return Effect(bottoms * len(layer.tops), moves_data=False)


@rule(RULES, "HDF5Output", "Silence", bottoms=(1, None), tops=(0, 0))
def sink(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """No top, so that a blob nobody reads is not counted as an output of the net."""
    del layer, bottoms
    return Effect((), moves_data=False)


@rule(RULES, "Concat", bottoms=(1, None))
def concat(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Blobs one after the other along one axis."""
    axis = _cut_axis(layer, "concat_param", "concat_dim", bottoms[0])
    for name, shape in zip(layer.bottoms, bottoms, strict=True):
        if len(shape) != len(bottoms[0]) or replaced(shape, axis, 0) != replaced(
            bottoms[0], axis, 0
        ):
            raise layer.wrong(
                f"{name!r} is {shape_text(shape)} and cannot be joined to "
                f"{layer.bottoms[0]!r}, {shape_text(bottoms[0])}, along axis {axis}"
            )
    return Effect((replaced(bottoms[0], axis, sum(shape[axis] for shape in bottoms)),))


@rule(RULES, "Slice", tops=(1, None))
def slice_(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Pieces of a blob along one axis, cut at ``slice_point`` or all of one size."""
    (bottom,) = bottoms
    axis = _cut_axis(layer, "slice_param", "slice_dim", bottom)
    points = layer.fields.block("slice_param").naturals("slice_point")
    pieces = len(layer.tops)
    if points:
        if len(points) != pieces - 1:
            raise layer.wrong(f"{len(points)} slice_point for {pieces} tops")
        edges = (0, *points, bottom[axis])
    else:
        if bottom[axis] % pieces:
            raise layer.wrong(
                f"axis {axis} of {shape_text(bottom)} cannot be cut into {pieces} pieces"
            )
        edges = tuple(bottom[axis] * piece // pieces for piece in range(pieces + 1))
    sizes = [end - start for start, end in pairwise(edges)]
    if min(sizes) <= 0:
        raise layer.wrong(f"its slice points do not cut axis {axis} of {shape_text(bottom)}")
    return Effect(tuple(replaced(bottom, axis, size) for size in sizes))


@rule(RULES, "Flatten")
def flatten(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Several axes made one; no data moves."""
    (bottom,) = bottoms
    options = layer.fields.block("flatten_param")
    start = axis_of(layer, bottom, options.integer("axis", 1))
    end = axis_of(layer, bottom, options.integer("end_axis", -1)) + 1
    return Effect(((*bottom[:start], count(bottom[start:end]), *bottom[end:]),), moves_data=False)


@rule(RULES, "Reshape")
def reshape(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Other axes for the same values: 0 keeps a size, -1 takes what is left."""
    (bottom,) = bottoms
    options = layer.fields.block("reshape_param")
    dims = options.block("shape").integers("dim")
    axis, axes = options.integer("axis", 0), options.integer("num_axes", -1)
    start = axis if axis >= 0 else len(bottom) + axis + 1
    end = len(bottom) if axes < 0 else start + axes
    if not 0 <= start <= end <= len(bottom):
        raise layer.wrong(f"{axes} axes from axis {axis} on are not in {shape_text(bottom)}")
    copied = [start + place for place, dim in enumerate(dims) if dim == 0]
    if copied and copied[-1] >= len(bottom):
        raise layer.wrong(
            f"its dim 0 copies axis {copied[-1]}, which {shape_text(bottom)} has not"
        )
    sizes = [bottom[start + place] if dim == 0 else dim for place, dim in enumerate(dims)]
    top = (*bottom[:start], *sizes, *bottom[end:])
    if sizes.count(-1) > 1 or min(sizes, default=1) < -1:
        raise layer.wrong("it can have one dim of -1, and none below")
    if -1 in sizes:
        rest = math.prod(size for size in top if size != -1)
        if rest == 0 or count(bottom) % rest:
            raise layer.wrong(f"{shape_text(bottom)} does not divide into {shape_text(top)}")
        top = tuple(count(bottom) // rest if size == -1 else size for size in top)
    if count(top) != count(bottom):
        raise layer.wrong(
            f"{shape_text(bottom)} cannot become {shape_text(top)}",
            hint="a batch written into reshape_param must fit the input's",
        )
    return Effect((top,), moves_data=False)


@rule(RULES, "Crop", bottoms=(2, 2))
def crop(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The first blob cut to the second one's size, from ``axis`` on."""
    bottom, reference = bottoms
    options = layer.fields.block("crop_param")
    axis = axis_of(layer, bottom, options.integer("axis", 2))
    offsets = options.naturals("offset") or (0,)
    axes = len(bottom) - axis
    if len(bottom) != len(reference):
        raise layer.wrong("its bottoms differ in their number of axes")
    if len(offsets) not in {1, axes}:
        raise layer.wrong(f"{len(offsets)} offset for {axes} axes")
    if len(offsets) == 1:
        offsets *= axes
    for size, wanted, offset in zip(bottom[axis:], reference[axis:], offsets, strict=True):
        if offset + wanted > size:
            raise layer.wrong(f"{wanted} from {offset} on do not fit into {shape_text(bottom)}")
    return Effect(((*bottom[:axis], *reference[axis:]),))


@rule(RULES, "Tile")
def tile(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The blob repeated along one axis."""
    (bottom,) = bottoms
    options = layer.fields.block("tile_param")
    axis, tiles = axis_of(layer, bottom, options.integer("axis", 1)), options.integer("tiles")
    if tiles < 1:
        raise layer.wrong("its tiles must be at least 1")
    return Effect((replaced(bottom, axis, bottom[axis] * tiles),))


@rule(RULES, "Reduction")
def reduction(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """One number for everything from ``axis`` on."""
    (bottom,) = bottoms
    axis = layer.fields.block("reduction_param").integer("axis", 0)
    return Effect((bottom[: axis_of(layer, bottom, axis)] if bottom else (),))


@rule(RULES, "ArgMax")
def arg_max(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Where the largest values are, and perhaps what they are."""
    (bottom,) = bottoms
    options = layer.fields.block("argmax_param")
    top_k = options.natural("top_k", 1)
    values = options.flag("out_max_val", default=False)
    axis = axis_of(layer, bottom, options.integer("axis")) if options.has("axis") else None
    if axis is None and not bottom:
        raise layer.wrong("it needs a blob with at least one axis")
    values_each = count(bottom[1:]) if axis is None else bottom[axis]
    if not 1 <= top_k <= values_each:
        raise layer.wrong(f"its top_k of {top_k} is not from 1 to {values_each}")
    if axis is not None:
        return Effect((replaced(bottom, axis, top_k),))
    rest = (1,) * (max(len(bottom), _LEAST_ARGMAX_AXES) - 3)
    return Effect(((bottom[0], 2 if values else 1, top_k, *rest),))


@rule(RULES, "BatchReindex", bottoms=(2, 2))
def batch_reindex(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The items of a batch picked in the order of the second bottom."""
    values, order = bottoms
    if len(order) != 1 or not values:
        raise layer.wrong("its second bottom must have one axis")
    return Effect(((order[0], *values[1:]),))


@rule(RULES, "Filter", bottoms=(2, None), tops=(1, None))
def filter_(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The items of a batch that the last bottom selects: at most, and at first, all."""
    if len(layer.tops) != len(bottoms) - 1:
        raise layer.wrong("it needs a top for each bottom but the last")
    return Effect(bottoms[:-1])


@rule(RULES, "ShuffleChannel")
def shuffle_channel(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape, the channels of ``group`` groups in turn (ShuffleNet)."""
    channels = bottoms[0][axis_of(layer, bottoms[0], 1)]
    group = layer.fields.block("shuffle_channel_param").natural("group", 1)
    if group == 0 or channels % group:
        raise layer.wrong(f"{channels} channels cannot be cut into {group} groups")
    return Effect(bottoms)


@rule(RULES, "CReLU")
def crelu(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """What is above 0 and what is below, one after the other (concatenated ReLU)."""
    (bottom,) = bottoms
    axis = axis_of(layer, bottom, layer.fields.block("crelu_param").integer("concat_axis", 1))
    return Effect((replaced(bottom, axis, 2 * bottom[axis]),))


@rule(RULES, "Transpose", bottoms=(0, 1), tops=(0, 1))
def transpose(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The axes in the order of ``dim`` (forks for text).

    Not known where ``dim`` is no such order: other forks swap a pair, or turn weights.
    """
    options = layer.fields.block("transpose_param")
    order = options.naturals("dim") or options.block("dim").naturals("dim")
    axes = [axis for bottom in bottoms for axis in range(len(bottom))]
    if len(order) <= _A_PAIR or sorted(order) != axes:
        return undecided(layer)
    return Effect((tuple(bottoms[0][axis] for axis in order),))


def _cut_axis(layer: LayerSpec, block: str, old_name: str, shape: Shape) -> int:
    """The axis to cut or join along; ``concat_dim`` and ``slice_dim`` are its old names."""
    options = layer.fields.block(block)
    if options.has(old_name):
        if options.has("axis"):
            raise layer.wrong(f"it has both axis and {old_name}")
        return axis_of(layer, shape, options.natural(old_name))
    return axis_of(layer, shape, options.integer("axis", 1))
