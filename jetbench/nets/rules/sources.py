"""Layers without bottoms: declared inputs, made-up data and data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from jetbench.nets.rules.base import Effect, Rules, rule

if TYPE_CHECKING:
    from jetbench.nets.net import Shape
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
T = TypeVar("T")
_NONE = (0, 0)
_COLOURS = 3
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


@rule(
    RULES,
    "AnnotatedData",
    "BboxData",
    "CustomData",
    "Data",
    "DenseImageData",
    "FloData",
    "HDF5Data",
    "ImageSegData",
    bottoms=_NONE,
    tops=(1, None),
)
def data_set(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The shapes stand in the data set, not in the prototxt.

    So they do for the SSD fork's AnnotatedData, and for the data layers of SegNet, DeepLab,
    FlowNet and SqueezeDet.
    """
    del bottoms
    return Effect((None,) * len(layer.tops), moves_data=False)


@rule(RULES, "ImageData", bottoms=_NONE, tops=(1, None))
def image_data(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Images and labels; the size is known if they are cropped or resized."""
    del bottoms
    options = layer.fields.block("image_data_param")
    size = _crop(layer, options) or _resized(options)
    batch, colours = options.natural("batch_size", 1), _colours(options)
    images = None if size is None else (batch, colours, *size)
    return _images_and_labels(layer, images, (batch,))


@rule(RULES, "WindowData", bottoms=_NONE, tops=(2, 2))
def window_data(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Windows of images, cropped, in the three colours that they are read in, and labels."""
    del bottoms
    options = layer.fields.block("window_data_param")
    size, batch = _crop(layer, options), options.natural("batch_size")
    if size is None:
        raise layer.wrong("it needs a crop_size")
    return _images_and_labels(layer, (batch, _COLOURS, *size), (batch,))


@rule(RULES, "VideoData", "VIDEO_DATA", bottoms=_NONE, tops=(1, None))
def video_data(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Clips of ``new_length`` frames, if they are cropped or resized (C3D).

    Not known for the SSD fork's layer, which reads one video or camera frame by frame, and
    for that of temporal segment networks, which has a ``modality``.
    """
    del bottoms
    block = "image_data_param" if layer.type == "VIDEO_DATA" else "video_data_param"
    options = layer.fields.block(block)
    size = _crop(layer, options) or _resized(options)
    if size is None or not options.has("new_length") or options.has("modality"):
        return Effect((None,) * len(layer.tops), moves_data=False)
    batch, length = options.natural("batch_size"), options.natural("new_length")
    labels = (batch,) if layer.type == "VideoData" else None
    return _images_and_labels(layer, (batch, _colours(options), length, *size), labels)


@rule(RULES, "Parameter", bottoms=_NONE)
def parameter(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Learned numbers as a blob."""
    del bottoms
    shape = layer.fields.block("parameter_param").block("shape").integers("dim")
    return Effect((shape,), weights=(shape,), moves_data=False)


def _images_and_labels(layer: LayerSpec, images: Shape | None, labels: Shape | None) -> Effect:
    others = (None,) * (len(layer.tops) - 2)
    return Effect((images, labels, *others)[: len(layer.tops)], moves_data=False)


def _crop(layer: LayerSpec, options: Fields) -> Shape | None:
    """Height and width that images are cropped to.

    Older forms, whose type is not today's, have it in the data layer's block, where Caffe
    passes it over in a modern one.
    """
    size = layer.fields.block("transform_param").natural("crop_size")
    if layer.fields.word("type", "") not in {"ImageData", "WindowData", "VideoData"}:
        size = options.natural("crop_size", size)
    return (size, size) if size else None


def _resized(options: Fields) -> Shape | None:
    """Height and width that images are resized to."""
    size = (options.natural("new_height"), options.natural("new_width"))
    return None if 0 in size else size


def _colours(options: Fields) -> int:
    return _COLOURS if options.flag("is_color", default=True) else 1


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
