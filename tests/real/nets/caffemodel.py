"""What a ``.caffemodel`` says of a net's layers, read without the numbers that it holds.

Only as much of Protocol Buffers as that takes: a message is a row of fields, each a tag, for
some a length, and the bytes. The numbers of ``caffe.proto`` are those of Caffe 1.0.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.nets.net import FP32_BYTES, count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.nets.net import Shape

_NET_LAYER = 100
_LAYER_NAME, _LAYER_TYPE, _LAYER_BLOBS = 1, 2, 7
_BLOB_DATA, _BLOB_SHAPE = 5, 7
_SHAPE_DIM = 1

_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}
"""How long a field of each other kind is."""


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer of a file, and the shapes of the blobs that it stores."""

    name: str
    type: str
    blobs: tuple[Shape, ...]


def stored_layers(path: Path) -> tuple[StoredLayer, ...]:
    """The layers of a file in its order, the Split layers that Caffe adds among them."""
    with path.open("rb") as file:
        net = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return tuple(_layer(value) for number, value in _fields(net) if number == _NET_LAYER)


def _layer(message: memoryview) -> StoredLayer:
    name = kind = ""
    blobs = []
    for number, value in _fields(message):
        if number == _LAYER_NAME:
            name = str(value, "utf-8")
        elif number == _LAYER_TYPE:
            kind = str(value, "utf-8")
        elif number == _LAYER_BLOBS:
            blobs.append(_blob(value))
    return StoredLayer(name, kind, tuple(blobs))


def _blob(message: memoryview) -> Shape:
    shape: list[int] = []
    data_bytes = 0
    for number, value in _fields(message):
        if number == _BLOB_DATA:
            data_bytes += len(value)
        elif number == _BLOB_SHAPE:
            for inner, dims in _fields(value):
                assert inner == _SHAPE_DIM
                shape.extend(_varints(dims))
    assert data_bytes == FP32_BYTES * count(tuple(shape))
    return tuple(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The number of each field, and the bytes of its value."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, end = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            end = at + length
        else:
            end = at + _FIXED[kind]
        assert end <= len(message), "the file ends too early"
        yield number, message[at:end]
        at = end


def _varints(packed: memoryview) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first; and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
