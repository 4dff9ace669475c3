"""Layers for generated nets: what each takes, what it makes, and whether it holds the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.nets.maker import Maker, Shape, dims, fixed, shaped, times
from tests.nets.surfaces import Dim, Times, Word

if TYPE_CHECKING:
    from tests.nets.surfaces import Node

Grow = Callable[[Maker, str], object]
"""Adds a layer, or a few, behind a blob."""

_IMAGE_AXES = 4


def grow(maker: Maker, blob: str) -> None:
    """Add a layer that can take this blob."""
    maker.pick(list(_possible(maker, maker.blobs[blob])))(maker, blob)


def _possible(maker: Maker, shape: Shape) -> Iterator[Grow]:
    yield from (_in_place, _join)
    first = bool(shape) and isinstance(shape[0], Times)
    if first and len(shape) == _IMAGE_AXES:
        yield from (_convolution, _pooling)
        if isinstance(shape[1], int) and shape[1] > 1:
            yield _slice_channels
    if first and len(shape) > 1:
        yield from (_flatten, inner_product, _softmax)
    if _batch_axis(shape) >= 0 and maker.batch.units > 1 and maker.batch in shape:
        yield _slice_batch
    if maker.v1:
        return
    if first and len(shape) > 1:
        yield from (_normalised, _reshape, _tile, _reduction)
    if len(shape) > 1:
        yield _permute
    if not first and shape:
        yield _reshape_behind


def inner_product(maker: Maker, blob: str, axis: int = 1) -> str:
    """Scores for each sample; returns their blob."""
    outputs, top = maker.small() + 1, maker.name("fc")
    options: tuple[Node, ...] = (("num_output", outputs),)
    if axis != 1:
        options += (("axis", axis),)
    shape = (*maker.blobs[blob][:axis], outputs)
    maker.add("InnerProduct", [blob], {top: shape}, inner_product_param=options)
    return top


def eltwise(maker: Maker, blob: str, other: str) -> None:
    """Two blobs of one shape become one."""
    options = (("operation", Word(maker.pick(("SUM", "MAX")))),)
    top = {maker.name("sum"): maker.blobs[blob]}
    maker.add("Eltwise", [blob, other], top, eltwise_param=options)


def _in_place(maker: Maker, blob: str) -> None:
    kind = maker.pick(("ReLU", "Dropout"))
    if blob in maker.unread and maker.pick((True, False)):
        maker.write(kind, [blob], [blob])
    else:
        maker.add(kind, [blob], {maker.name("act"): maker.blobs[blob]})


def _convolution(maker: Maker, blob: str) -> None:
    batch, _, *sides = maker.blobs[blob]
    outputs = maker.small()
    kernels: list[tuple[Node, ...]] = [
        (("kernel_size", 1),),
        (("kernel_size", 3), ("pad", 1)),
        (("pad", 0), ("pad", 1), ("kernel_size", 1), ("kernel_size", 3)),
    ]
    options = (("num_output", outputs), *maker.pick(kernels))
    top = {maker.name("conv"): (batch, outputs, *sides)}
    maker.add("Convolution", [blob], top, convolution_param=options)


def _pooling(maker: Maker, blob: str) -> None:
    batch, channels, *sides = maker.blobs[blob]
    halves = tuple(-(-side // 2) for side in sides if isinstance(side, int))
    options: tuple[Node, ...] = (("kernel_size", 2), ("stride", 2))
    if 1 in sides or maker.pick((False, True)):
        halves, options = (1, 1), (("global_pooling", Word("true")),)
    options = (("pool", Word(maker.pick(("MAX", "AVE")))), *options)
    top = {maker.name("pool"): (batch, channels, *halves)}
    maker.add("Pooling", [blob], top, pooling_param=options)


def _normalised(maker: Maker, blob: str) -> None:
    norm = maker.name("norm")
    maker.add("BatchNorm", [blob], {norm: maker.blobs[blob]})
    maker.write("Scale", [norm], [norm], scale_param=(("bias_term", Word("true")),))


def _flatten(maker: Maker, blob: str) -> None:
    batch, *sample = maker.blobs[blob]
    maker.add("Flatten", [blob], {maker.name("flat"): (batch, fixed(sample))})


def _softmax(maker: Maker, blob: str) -> None:
    maker.add("Softmax", [blob], {maker.name("prob"): maker.blobs[blob]})


def _tile(maker: Maker, blob: str) -> None:
    batch, channels, *rest = maker.blobs[blob]
    top = {maker.name("tile"): (batch, times(channels, 3), *rest)}
    maker.add("Tile", [blob], top, tile_param=(("axis", 1), ("tiles", 3)))


def _reduction(maker: Maker, blob: str) -> None:
    top = {maker.name("norm"): maker.blobs[blob][:1]}
    maker.add("Reduction", [blob], top, reduction_param=(("axis", 1),))


def _join(maker: Maker, blob: str) -> None:
    """A Concat or an Eltwise of blobs of one shape."""
    shape = maker.blobs[blob]
    other = maker.pick([name for name, its in maker.blobs.items() if its == shape])
    if not shape or maker.pick((True, False)):
        eltwise(maker, blob, other)
        return
    axis = maker.pick(range(len(shape)))
    joined = (*shape[:axis], times(shape[axis], 2), *shape[axis + 1 :])
    options = ((maker.pick(("axis", "concat_dim")), axis),)
    maker.add("Concat", [blob, other], {maker.name("both"): joined}, concat_param=options)


def _slice_channels(maker: Maker, blob: str) -> None:
    batch, channels, *sides = maker.blobs[blob]
    parts: tuple[Dim, Dim] = (1, fixed((channels,)) - 1)
    tops: dict[str, Shape] = {maker.name("slice"): (batch, part, *sides) for part in parts}
    maker.add("Slice", [blob], tops, slice_param=(("slice_point", 1),))


def _slice_batch(maker: Maker, blob: str) -> None:
    """The batch cut into equal pieces, with or without saying where."""
    shape, units = maker.blobs[blob], maker.batch.units
    axis = _batch_axis(shape)
    piece = (*shape[:axis], Times(1), *shape[axis + 1 :])
    tops: dict[str, Shape] = {maker.name("piece"): piece for _ in range(units)}
    options: tuple[Node, ...] = ((maker.pick(("axis", "slice_dim")), axis),)
    if maker.pick((True, False)):
        options += tuple(("slice_point", Times(place)) for place in range(1, units))
    maker.add("Slice", [blob], tops, slice_param=options)


def _permute(maker: Maker, blob: str) -> None:
    shape = maker.blobs[blob]
    order = maker.draw(st.permutations(range(len(shape))))
    top = {maker.name("perm"): tuple(shape[axis] for axis in order)}
    maker.add("Permute", [blob], top, permute_param=dims(order, "order"))


def _reshape(maker: Maker, blob: str) -> None:
    """The axes behind the batch made one; the batch a 0, a -1, or a number of its own."""
    batch, *sample = maker.blobs[blob]
    rest = fixed(sample)
    ways: list[tuple[tuple[Dim, ...], Shape]] = [
        ((0, -1), (batch, rest)),
        ((0, rest), (batch, rest)),
        ((-1, rest), (batch, rest)),
        ((batch, -1), (batch, rest)),
        ((batch, rest), (batch, rest)),
        ((0, 1, -1), (batch, 1, rest)),
        ((1, batch, -1), (1, batch, rest)),
        ((times(batch, rest), -1), (times(batch, rest), 1)),
        ((-1, 1), (times(batch, rest), 1)),
    ]
    way, top = maker.pick(ways)
    maker.unsure_at_1 |= way == (-1, 1) or any(isinstance(dim, Times) for dim in way)
    maker.add("Reshape", [blob], {maker.name("rows"): top}, reshape_param=shaped(way))


def _reshape_behind(maker: Maker, blob: str) -> None:
    """The axes behind the batch made one, where it is not the first itself."""
    shape = maker.blobs[blob]
    place = _batch_axis(shape)
    if place < 0:
        _in_place(maker, blob)
        return
    rest = fixed(shape[place + 1 :])
    batch = maker.pick((0, shape[place]))
    maker.unsure_at_1 |= batch != 0
    way = (*(0,) * place, batch, maker.pick((-1, rest)))
    top = {maker.name("rows"): (*shape[: place + 1], rest)}
    maker.add("Reshape", [blob], top, reshape_param=shaped(way))


def _batch_axis(shape: Shape) -> int:
    return next((axis for axis, dim in enumerate(shape) if isinstance(dim, Times)), -1)
