"""The layers of a prototxt and the inputs it declares, with the place of every number.

Three generations of the format are read: ``layer`` (a type in quotes), V1 ``layers`` (a
type in capitals) and V0 (``layers { layer { … } }``). Types are compared in lower case
without underscores, which makes ``DUMMY_DATA`` and ``DummyData`` one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import line_and_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.formats.textproto import Message, Scalar

INPUT = "input"
DUMMY = "dummydata"
_LEGACY_DIMS = 4
_MAX_COUNT = 2**31 - 1  # Caffe's Blob counts its numbers in an int
_LEGACY_AXES = ("num", "channels", "height", "width")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as the file declares it."""

    name: str
    type: str
    """Lower case, no underscores; empty where the file gives none."""
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    fields: Message
    """The block that holds the layer's parameters."""
    rules: Message
    """The block that may hold ``include`` and ``exclude``."""
    start: int


@dataclass(frozen=True, slots=True)
class Input:
    """A blob that the file gives a shape, and nothing computes."""

    name: str
    dims: tuple[Scalar, ...]
    """Where the shape's numbers stand; empty for a scalar."""
    shape: tuple[int, ...]
    """As declared, whether it makes sense or not."""
    origin: str
    """The type of the layer that declares it; `INPUT` also for ``input:`` lines."""
    start: int


class Source:
    """A text whose errors name their line."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def line(self, offset: int) -> int:
        """The line of a character, from 1."""
        return line_and_column(self.text, offset)[0]

    def wrong(self, offset: int, message: str, hint: str) -> ModelError:
        """An error that blames a place of the text."""
        line, column = line_and_column(self.text, offset)
        return ModelError(message, line=line, column=column, hint=hint)


def all_layers(source: Source, root: Message) -> tuple[Layer, ...]:
    """The layers of every phase, in the order of the file.

    Raises:
        ModelError: The file has both ``layer`` and ``layers``, of which Caffe reads one.
    """
    modern, old = root.messages("layer"), root.messages("layers")
    if modern and old:
        message = "the file has both “layer” and “layers” blocks, and Caffe ignores one kind"
        raise source.wrong(old[0].start, message, "Keep the one you mean.")
    return tuple(_layer(block) for block in modern or old)


def layers_of_phase(root: Message, layers: Iterable[Layer], phase: str) -> tuple[Layer, ...]:
    """The layers that ``caffe time -phase`` leaves in the net (``Net::FilterNet``).

    Level 0 and no stages but those of the file's own ``state`` are what it asks for.
    """
    states = root.messages("state")
    stages = {stage.as_str() for state in states for stage in state.scalars("stage")}
    return tuple(layer for layer in layers if _stays(layer.rules, phase, stages))


def declared_inputs(source: Source, root: Message, layers: Sequence[Layer]) -> tuple[Input, ...]:
    """Every input of a phase's net with its shape.

    Args:
        source: The text, for line numbers.
        root: The whole file.
        layers: The layers that the phase leaves.

    Raises:
        ModelError: Shapes and inputs do not match, a dimension is no integer, or a blob is
            declared twice.
    """
    inputs = [*_net_inputs(source, root)]
    for layer in layers:
        if layer.type in {INPUT, DUMMY}:
            inputs += _layer_inputs(source, layer)
    seen: set[str] = set()
    for one in inputs:
        if one.name in seen:
            message = f"the input {one.name!r} is declared twice"
            raise source.wrong(one.start, message, "Remove the declaration that does not count.")
        seen.add(one.name)
    return tuple(inputs)


def check_size(source: Source, one: Input, shape: Sequence[int]) -> None:
    """Refuse a shape that no Caffe can make a blob of.

    Raises:
        ModelError: A dimension is not positive, or there are more than 2³¹ - 1 numbers.
    """
    for dim, value in zip(one.dims, shape, strict=True):
        if value < 1:
            message = f"dimension {value} of the input {one.name!r}: there is nothing to compute"
            raise source.wrong(dim.start, message, "Write the dimension you want into the file.")
    if math.prod(shape) > _MAX_COUNT:
        message = f"the input {one.name!r} would hold more than 2^31 - 1 numbers"
        raise source.wrong(one.start, message, "Caffe cannot hold that: choose a smaller shape.")


def _layer(block: Message) -> Layer:
    inner = block.messages("layer")
    fields = inner[0] if inner else block
    name, kind = fields.get("name"), fields.get("type")
    return Layer(
        name=name.as_str() if name else "",
        type=kind.as_str().replace("_", "").lower() if kind else "",
        bottoms=tuple(bottom.as_str() for bottom in block.scalars("bottom")),
        tops=tuple(top.as_str() for top in block.scalars("top")),
        fields=fields,
        rules=block,
        start=block.start,
    )


def _stays(block: Message, phase: str, stages: set[str]) -> bool:
    include = block.messages("include")
    if include:
        return any(_meets(rule, phase, stages) for rule in include)
    return not any(_meets(rule, phase, stages) for rule in block.messages("exclude"))


def _meets(rule: Message, phase: str, stages: set[str]) -> bool:
    wanted = rule.get("phase")
    if wanted is not None and wanted.as_str() not in {phase, {"TRAIN": "0", "TEST": "1"}[phase]}:
        return False
    low, high = rule.get("min_level"), rule.get("max_level")
    if (low is not None and (low.as_int() or 0) > 0) or (
        high is not None and (high.as_int() or 0) < 0
    ):
        return False
    return all(stage.as_str() in stages for stage in rule.scalars("stage")) and not any(
        stage.as_str() in stages for stage in rule.scalars("not_stage")
    )


def _net_inputs(source: Source, root: Message) -> Iterable[Input]:
    """What ``input:`` declares with ``input_shape`` or ``input_dim`` (``UpgradeNetInput``).

    A bare ``input:`` without any shape is dropped there, and here.
    """
    names = root.scalars("input")
    shapes, dims = root.messages("input_shape"), root.scalars("input_dim")
    if not names or not (shapes or dims):
        return ()
    if shapes and dims:
        message = "the file has both input_shape and input_dim, and versions of Caffe differ"
        hint = "Remove the one that does not count."
        raise source.wrong(max(shapes[0].start, dims[0].start), message, hint)
    if shapes:
        if len(shapes) != len(names):
            message = f"there are {len(names)} input and {len(shapes)} input_shape"
            raise source.wrong(shapes[0].start, message, "Each input needs one input_shape.")
        groups = [shape.scalars("dim") for shape in shapes]
    else:
        if len(dims) != _LEGACY_DIMS * len(names):
            message = f"there are {len(names)} input and {len(dims)} input_dim"
            raise source.wrong(dims[0].start, message, "Each input needs four input_dim.")
        groups = [dims[i : i + _LEGACY_DIMS] for i in range(0, len(dims), _LEGACY_DIMS)]
    return [
        _input(source, name.as_str(), group, INPUT, name.start)
        for name, group in zip(names, groups, strict=True)
    ]


def _layer_inputs(source: Source, layer: Layer) -> list[Input]:
    """The tops of an Input or a DummyData layer; one shape may serve them all."""
    key = "input_param" if layer.type == INPUT else "dummy_data_param"
    blocks = layer.fields.messages(key)
    if len(blocks) > 1:
        message = f"the layer {layer.name!r} has {key} twice, which Caffe refuses"
        raise source.wrong(blocks[1].start, message, "Keep one of them.")
    shapes = [shape.scalars("dim") for shape in blocks[0].messages("shape")] if blocks else []
    if blocks and layer.type == DUMMY and not shapes:
        shapes = _legacy_dummy_shapes(source, layer, blocks[0])
    if not shapes:
        message = f"the layer {layer.name!r} gives its blob no shape: code sets it at run time"
        raise source.wrong(layer.start, message, f"Write the shape into its {key}.")
    if len(shapes) not in {1, len(layer.tops)}:
        message = f"the layer {layer.name!r} has {len(layer.tops)} tops and {len(shapes)} shapes"
        raise source.wrong(layer.start, message, "Give it one shape, or one for each top.")
    each = shapes if len(shapes) == len(layer.tops) else shapes * len(layer.tops)
    return [
        _input(source, top, dims, layer.type, layer.start)
        for top, dims in zip(layer.tops, each, strict=True)
    ]


def _legacy_dummy_shapes(source: Source, layer: Layer, block: Message) -> list[tuple[Scalar, ...]]:
    """The shapes of ``num: channels: height: width:``, each given once or once a top."""
    columns = [block.scalars(axis) for axis in _LEGACY_AXES]
    counts = {len(column) for column in columns}
    if counts == {0}:
        return []
    if len(counts) > 1:
        message = f"the layer {layer.name!r} gives unequal numbers of num, channels, height, width"
        raise source.wrong(block.start, message, "Give each once, or once for each top.")
    return list(zip(*columns, strict=True))


def _input(source: Source, name: str, dims: tuple[Scalar, ...], origin: str, start: int) -> Input:
    shape = []
    for dim in dims:
        value = dim.as_int()
        if value is None:
            message = f"a dimension of the input {name!r} is no integer"
            raise source.wrong(dim.start, message, "Write a whole number there.")
        shape.append(value)
    return Input(name, tuple(dims), tuple(shape), origin, start)
