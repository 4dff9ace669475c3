"""A net as Caffe prints it into its log: the layers of one phase, in the modern form.

As protobuf's ``DebugString`` does it: one field a line, two blanks a level, the fields of a
layer in the order of its schema, and numbers in their shortest form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.formats import textproto
from jetbench.nets.phases import State, layers_of
from jetbench.nets.read import read_net

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.nets.spec import LayerSpec

_FIRST = ("loss_weight", "param", "blobs", "include", "exclude", "phase", "propagate_down")
_ESCAPES = {
    ord(plain): f"\\{letter}" for plain, letter in zip("\n\r\t\"'\\", "nrt\"'\\", strict=True)
}
_TAKEN = ("name", "type", "bottom", "top")


def printed_net(text: str, *, phase: str, stages: Sequence[str] = (), level: int = 0) -> str:
    """The text of the net that ``caffe time`` prints before it sets the net up.

    Raises:
        ModelError: it is no prototxt of a net.
    """
    spec = read_net(text)
    state = State(phase, (*spec.stages, *stages), level)
    lines = [f"name: {_quoted(spec.name)}"] if spec.name else []
    lines += ["state {", f"  phase: {phase}", f"  level: {level}"]
    lines += [f"  stage: {_quoted(stage)}" for stage in stages or ("",)]
    lines.append("}")
    for layer in layers_of(spec, state):
        lines += ["layer {", *_layer_lines(layer), "}"]
    return "\n".join(lines)


def _layer_lines(layer: LayerSpec) -> Iterator[str]:
    yield f"  name: {_quoted(layer.name)}"
    yield f"  type: {_quoted(layer.type)}"
    yield from (f"  bottom: {_quoted(blob)}" for blob in layer.bottoms)
    yield from (f"  top: {_quoted(blob)}" for blob in layer.tops)
    if layer.inputs is not None:
        yield "  input_param {"
        for shape in layer.inputs:
            yield from ("    shape {", *(f"      dim: {size}" for size in shape), "    }")
        yield "  }"
    message = layer.fields.message
    if message is not None:
        fields = [field for field in message.fields if field.name not in _TAKEN]
        fields.sort(key=lambda field: (*_FIRST, field.name).index(field.name))
        yield from _field_lines(fields, "  ")


def _field_lines(fields: Sequence[textproto.Field], indent: str) -> Iterator[str]:
    for field in fields:
        if isinstance(field.value, textproto.Message):
            yield f"{indent}{field.name} {{"
            yield from _field_lines(field.value.fields, f"{indent}  ")
            yield f"{indent}}}"
        else:
            yield f"{indent}{field.name}: {_scalar(field.value)}"


def _scalar(value: textproto.Scalar) -> str:
    if value.kind == "string":
        return _quoted(value.as_str())
    integer = value.as_int()
    if integer is not None:
        return str(integer)
    number = value.as_float()
    return value.text if number is None else f"{number:g}"


def _quoted(text: str) -> str:
    """A string as protobuf escapes it: what is not printable ASCII as octal bytes."""
    escaped = (
        _ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")  # noqa: PLR2004 - the printable ones
        for byte in text.encode("utf-8", "surrogateescape")
    )
    return f'"{"".join(escaped)}"'
