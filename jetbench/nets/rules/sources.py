"""Layers without bottoms: declared inputs, made-up data and data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from jetbench.nets.rules.base import Effect, Rules, rule

if TYPE_CHECKING:
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
T = TypeVar("T")
_NONE = (0, 0)
_OLD_DIMS = ("num", "channels", "height", "width")


@rule(RULES, "Input", bottoms=_NONE, tops=(1, None))
def input_(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The shapes that are declared: one for all tops, or one a top; not known if none is."""
    del bottoms
    shapes = layer.inputs
    if shapes is None:
        blocks = layer.fields.block("input_param").blocks("shape")
        shapes = tuple(block.integers("dim") for block in blocks)
    if not shapes:
        return Effect((None,) * len(layer.tops), moves_data=False)
    return Effect(_one_a_top(layer, shapes, "shape"), moves_data=False)


@rule(RULES, "DummyData", bottoms=_NONE, tops=(1, None))
def dummy_data(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The shapes that are declared, as ``shape`` or as the old ``num``, ``channels``, …."""
    del bottoms
    options = layer.fields.block("dummy_data_param")
    shapes = tuple(block.integers("dim") for block in options.blocks("shape"))
    if not shapes:
        columns = [_one_a_top(layer, options.naturals(name), name) for name in _OLD_DIMS]
        shapes = tuple(zip(*columns, strict=True))
    return Effect(_one_a_top(layer, shapes, "shape"), moves_data=False)


@rule(RULES, "MemoryData", bottoms=_NONE, tops=(2, 2))
def memory_data(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Images and labels that a program would hand over."""
    del bottoms
    options = layer.fields.block("memory_data_param")
    images = tuple(options.natural(name) for name in ("batch_size", "channels", "height", "width"))
    return Effect((images, images[:1]), moves_data=False)


@rule(RULES, "Data", "HDF5Data", "ImageData", "WindowData", bottoms=_NONE, tops=(1, None))
def data_set(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The shapes stand in the data set, not in the prototxt."""
    del bottoms
    return Effect((None,) * len(layer.tops), moves_data=False)


@rule(RULES, "Parameter", bottoms=_NONE)
def parameter(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Learned numbers as a blob."""
    del bottoms
    shape = layer.fields.block("parameter_param").block("shape").integers("dim")
    return Effect((shape,), weights=(shape,), moves_data=False)


def _one_a_top(layer: LayerSpec, given: tuple[T, ...], what: str) -> tuple[T, ...]:
    """As many as there are tops; one given stands for all."""
    tops = len(layer.tops)
    if len(given) == 1:
        return given * tops
    if len(given) != tops:
        raise layer.wrong(
            f"{len(given)} {what} for {tops} tops", hint="give one for all tops, or one for each"
        )
    return given
