"""What a user should know of a patch, a sentence each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.formats.words import printable
from jetbench.nets.hazards import python_layers
from jetbench.nets.inputs import DUMMY, INPUT
from jetbench.nets.net import shape_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from jetbench.domain.errors import ModelError
    from jetbench.nets.assign import Assigned
    from jetbench.nets.inputs import Input
    from jetbench.nets.spec import LayerSpec, NetSpec

_MAX_NAMED = 5
_AT_RUN_TIME = re.compile(r"#[^\n]*\b(?:at|during) run-?\s?time\b", re.IGNORECASE)


def notes_on(
    inputs: Sequence[Input], assigned: Assigned, layers: Sequence[LayerSpec]
) -> Iterator[str]:
    """Inputs left alone, or with the batch elsewhere; numbers changed further down; code."""
    batch = assigned.batch
    for one in inputs:
        shape, axis = assigned.shapes[one.name], assigned.axes[one.name]
        if axis > 0:
            yield (
                f"The input {one.name!r} ({shape_text(shape)}) has time first: its batch is "
                f"number {axis + 1}."
            )
        why = assigned.why.get(one.name)
        unlike = shape is not None and shape == one.shape and shape[:1] != (batch.after,)
        if why is None and axis < 0 and unlike:
            why = "has another first number"
        if why is not None:
            yield f"The input {one.name!r} ({shape_text(one.shape)}) is left alone: it {why}."
    for layer in assigned.followed.holders:
        where = f"The layer {layer.name!r} ({layer.type})"
        yield f"{where} held the batch as a number of its own, which is set as well."
    runs = python_layers(layers) if batch.before != batch.after else ()
    if runs:
        yield f"Python layers run code that was not looked at: {some(runs)}."
    yield from _order_notes(layers)
    yield from _refusal_notes(assigned.followed.errors.values())


def comment_notes(text: str, spec: NetSpec) -> list[str]:
    """A word on inputs whose comment says that code sets them at run time."""
    fields = spec.fields
    ends = [dim.end for dim in fields.scalars("input_dim")]
    ends += [field.end for shape in fields.messages("input_shape") for field in shape.fields]
    for end in ends:
        if _AT_RUN_TIME.search(text, end, text.find("\n", end) + 1 or len(text)):
            where = f"Line {fields.places.line(end)} says that the input's size is set at run time"
            return [f"{where}: its time may mean nothing. Pass the real one with --shape."]
    return []


def some(names: Sequence[str]) -> str:
    """The first few, for a sentence that a terminal may show."""
    return ", ".join(map(printable, names[:_MAX_NAMED])) + (
        ", …" if len(names) > _MAX_NAMED else ""
    )


def _refusal_notes(errors: Collection[ModelError]) -> Iterator[str]:
    """A word on the first layer that Caffe could not set up even as the file has it."""
    first = next(iter(errors), None)
    if first is not None:
        more = f" ({len(errors) - 1} more are like it)" if len(errors) > 1 else ""
        why = f"{first.bare}{more} (line {first.line})" if first.line else f"{first.bare}{more}"
        yield f"Caffe will refuse the net, unless a fork's layer differs: {why}."


def _order_notes(layers: Sequence[LayerSpec]) -> Iterator[str]:
    """A word on Input layers behind the layers that need them, which Caffe refuses."""
    used: set[str] = set()
    for layer in layers:
        late = used.intersection(layer.tops) if layer.type in {INPUT, DUMMY} else ()
        if late:
            yield (
                f"Caffe will refuse the net: the layer {layer.name!r} stands behind one that "
                "needs its blob."
            )
        used.update(layer.bottoms)
