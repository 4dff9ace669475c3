"""From layers to the text of a prototxt.

A family calls the methods of a `Prototxt` in the order of its layers. Each of them writes a
layer and returns the name of the blob that it makes, for the layers that take it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.nets.zoo import ZooModel

_WIDTH = 88
"""A block that is longer than this gets a line for each of its fields."""


class Word(str):
    """The name of an enumeration's value, which stands without quotes: ``MAX``."""

    __slots__ = ()


Value: TypeAlias = Union[str, float, tuple[float, ...], "Fields"]
"""What a field can hold; a tuple repeats the field, fields within fields are a block."""
Fields: TypeAlias = Mapping[str, Value]

XAVIER: Fields = {"type": "xavier"}
MSRA: Fields = {"type": "msra"}
"""Fillers: without weights, which ``caffe time`` does not load, no activation is zero."""


def constant(value: float) -> Fields:
    """The filler that makes every value the same."""
    return {"type": "constant", "value": value}


class Prototxt:
    """A net that grows layer by layer.

    Args:
        model: Its input and its counts stand at the end of the comment at the top.
        about: What the net is, whose it is and what it was written from.
        name: What Caffe's log calls the net; empty where the published one has no name.
    """

    def __init__(self, model: ZooModel, about: str, name: str = "") -> None:
        self._input = model.input
        comment = [*about.strip().splitlines(), "", *_counts(model)]
        self._lines = [f"# {line}".rstrip() for line in comment]
        self._lines.append("")
        if name:
            self._lines += _field("name", name)

    def text(self) -> str:
        """The whole file."""
        return "\n".join([*self._lines, ""])

    def input_layer(self) -> str:
        """The input as a layer called ``data``."""
        return self.layer("Input", "data", input_param={"shape": {"dim": self._input}})

    def input_shape(self) -> str:
        """The input as Caffe had it in 2015."""
        return self._fields({"input": "data", "input_shape": {"dim": self._input}})

    def input_dims(self) -> str:
        """The input as Caffe had it before."""
        return self._fields({"input": "data", "input_dim": self._input})

    def section(self, about: str) -> None:
        """A comment above the layers that follow."""
        if self._lines[-1]:
            self._lines.append("")
        self._lines.append(f"# {about}")

    def layer(
        self, kind: str, name: str, *bottoms: str, top: str | None = None, **blocks: Fields
    ) -> str:
        """A layer of any type; its top has its own name unless it says another."""
        top = name if top is None else top
        fields: list[tuple[str, Value]] = [("name", name), ("type", kind)]
        fields += [("bottom", bottom) for bottom in bottoms]
        fields += [("top", top), *blocks.items()]
        lines = [line for field, value in fields for line in _field(field, value, indent=2)]
        self._lines += ["layer {", *lines, "}"]
        return top

    def convolution(self, name: str, bottom: str, **options: Value) -> str:
        """A Convolution with these fields of ``convolution_param``."""
        return self.layer("Convolution", name, bottom, convolution_param=options)

    def inner_product(self, name: str, bottom: str, **options: Value) -> str:
        """A fully connected layer with these fields of ``inner_product_param``."""
        return self.layer("InnerProduct", name, bottom, inner_product_param=options)

    def pooling(self, name: str, bottom: str, pool: str, **options: Value) -> str:
        """A Pooling, ``MAX`` or ``AVE``, with these fields of ``pooling_param``."""
        return self.layer("Pooling", name, bottom, pooling_param={"pool": Word(pool), **options})

    def lrn(self, name: str, bottom: str) -> str:
        """The normalisation across channels of 2012 to 2014."""
        options = {"local_size": 5, "alpha": 0.0001, "beta": 0.75}
        return self.layer("LRN", name, bottom, lrn_param=options)

    def batch_norm(
        self, names: tuple[str, str], bottom: str, *, top: str | None = None, **options: Value
    ) -> str:
        """BatchNorm and the Scale that learns its factors, in place unless there is a top."""
        norm, scale = names
        blocks = {"batch_norm_param": options} if options else {}
        top = self.layer("BatchNorm", norm, bottom, top=top or bottom, **blocks)
        return self.layer("Scale", scale, top, top=top, scale_param={"bias_term": True})

    def relu(self, name: str, blob: str) -> str:
        """A ReLU in place."""
        return self.layer("ReLU", name, blob, top=blob)

    def dropout(self, name: str, blob: str, ratio: float) -> str:
        """A Dropout in place: it does nothing in phase TEST."""
        return self.layer("Dropout", name, blob, top=blob, dropout_param={"dropout_ratio": ratio})

    def softmax(self, bottom: str) -> str:
        """The last layer of a classifier."""
        return self.layer("Softmax", "prob", bottom)

    def _fields(self, fields: Fields) -> str:
        """Fields of the net itself, and an empty line; the input they declare is ``data``."""
        for name, value in fields.items():
            self._lines += _field(name, value)
        self._lines.append("")
        return "data"


def _counts(model: ZooModel) -> list[str]:
    """The lines that say what goes in and what it costs."""
    batch, _, height, width = model.input
    stored = f", {model.statistics:,} stored statistics" if model.statistics else ""
    text = (
        f"{height} x {width} input, batch {batch} as published: {model.params:,} parameters"
        f"{stored} and {model.macs:,} multiply-accumulates an image."
    )
    return textwrap.wrap(text, _WIDTH - len("# "), break_on_hyphens=False)


def _field(name: str, value: Value, indent: int = 0) -> list[str]:
    """The lines of one field; of several if its value is a tuple."""
    margin = " " * indent
    if isinstance(value, tuple):
        return [f"{margin}{name}: {_scalar(one)}" for one in value]
    line = margin + _inline(name, value)
    if not isinstance(value, Mapping) or len(line) <= _WIDTH:
        return [line]
    inside = (_field(inner, of, indent + 2) for inner, of in value.items())
    return [f"{margin}{name} {{", *(line for lines in inside for line in lines), f"{margin}}}"]


def _inline(name: str, value: Value) -> str:
    """A field on one line."""
    if isinstance(value, Mapping):
        return f"{name} {{ {_joined(_inline(inner, of) for inner, of in value.items())} }}"
    values = value if isinstance(value, tuple) else (value,)
    return _joined(f"{name}: {_scalar(one)}" for one in values)


def _joined(fields: Iterable[str]) -> str:
    return " ".join(fields)


def _scalar(value: str | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not isinstance(value, Word):
        return f'"{value}"'
    return str(value)
