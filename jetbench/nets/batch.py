"""Another batch size for a prototxt, and not one other byte changed.

What is certain is done, everything else is refused with the line to blame:

- inputs declared in any of the three ways (an Input layer, ``input:`` with
  ``input_shape``, ``input:`` with four ``input_dim``) or by DummyData layers alone, one or
  several that agree on their batch;
- of the net that the phase asked for leaves; inputs of the other phase follow where they
  are as certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.batch_hazards import (
    python_layers,
    refuse_data_layers,
    refuse_hard_coded,
    refuse_sequences,
)
from jetbench.nets.batch_inputs import (
    DUMMY,
    INPUT,
    Source,
    all_layers,
    check_size,
    declared_inputs,
    layers_of_phase,
)
from jetbench.nets.not_a_net import BOM, read_net

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.formats.textproto import Message, Scalar
    from jetbench.nets.batch_inputs import Input, Layer

_PHASES = ("TEST", "TRAIN")
_IMAGE_AXES = 4
_ROI_COLUMNS = 5
_IM_INFO_COLUMNS = 3
_BOX_COLUMNS = 8  # SSD's ground truth: item, label, instance, four corners, difficult
_MAX_NAMED = 5
_LINE_END = re.compile(r"\r\n|\n|\r")
_AT_RUN_TIME = re.compile(r"#[^\n]*\b(?:at|during) run-?\s?time\b", re.IGNORECASE)
_AGREE_BY_HAND = (
    "Write the shapes you want into a copy of the file: it is taken as it is where the "
    "images have the batch already."
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One line that changes; lines from 1, their text without the line ends."""

    line: int
    old_line: str
    new_line: str


@dataclass(frozen=True, slots=True)
class Patched:
    """A prototxt at the batch that was asked for."""

    text: str
    edits: tuple[Edit, ...]
    """Empty where the file had the batch already."""
    notes: tuple[str, ...]
    """What a user should know, a sentence each: inputs left alone, a mended byte-order mark."""
    input_shapes: tuple[tuple[str, tuple[int, ...]], ...]
    """Each input of the phase's net with its shape after the patch."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What one phase's net asks for."""

    numbers: tuple[Scalar, ...]
    """The numbers that become the batch."""
    notes: tuple[str, ...]
    shapes: tuple[tuple[str, tuple[int, ...]], ...]


def patch_batch(text: str, batch: int, *, phase: str = "TEST") -> Patched:
    """Set the batch of a net's inputs.

    Args:
        text: The prototxt; bytes that are no UTF-8 as lone surrogates.
        batch: Images (or whatever the net takes) in one forward pass, at least 1.
        phase: ``TEST`` or ``TRAIN``, as it will be given to ``caffe time``.

    Raises:
        ModelError: The file is no net, or what the batch means in it is not certain.
    """
    if batch < 1:
        raise ModelError(f"a batch of {batch} is none", hint="Pass a batch of 1 or more.")
    if phase not in _PHASES:
        raise ModelError(f"there is no phase {phase!r}", hint="Pass TEST or TRAIN.")
    notes = []
    if text.startswith(BOM):
        text = text.removeprefix(BOM)
        notes.append("The byte-order mark is removed: Caffe would refuse the file with it.")
    root = read_net(text)
    source = Source(text)
    layers = all_layers(source, root)
    asked = _change(source, root, layers, phase, batch)
    other = _of_other_phase(source, root, layers, phase, batch)
    numbers = {number.start: number for change in (asked, other) for number in change.numbers}
    edits = [
        (number, _rewritten(number, batch))
        for _, number in sorted(numbers.items())
        if number.as_int() != batch
    ]
    patched = _replaced(text, edits)
    return Patched(
        text=patched,
        edits=_changed_lines(text, patched),
        notes=(*notes, *asked.notes, *other.notes, *_comment_notes(source, root)),
        input_shapes=asked.shapes,
    )


def _of_other_phase(
    source: Source, root: Message, layers: Sequence[Layer], phase: str, batch: int
) -> _Change:
    """The change for the phase that was not asked for; none where that is not certain."""
    (other,) = (name for name in _PHASES if name != phase)
    here = layers_of_phase(root, layers, phase)
    there = layers_of_phase(root, layers, other)
    own = [one for one in there if one.type in {INPUT, DUMMY} and one not in here]
    if not own:
        return _Change((), (), ())
    try:
        change = _change(source, root, layers, other, batch)
    except ModelError as error:
        at = f" (line {error.line}: {error.bare})" if error.line else ""
        return _Change((), (f"The inputs of phase {other} alone keep their batch{at}.",), ())
    return _Change(change.numbers, (), ())


def _change(
    source: Source, root: Message, layers: Sequence[Layer], phase: str, batch: int
) -> _Change:
    """Find the numbers that are the batch in the net of one phase."""
    kept = layers_of_phase(root, layers, phase)
    refuse_data_layers(source, kept, phase)
    inputs = declared_inputs(source, root, kept)
    if not inputs:
        raise _no_input(source, root, layers, phase)
    refuse_sequences(source, kept, inputs, batch)
    sides = {one.name: why for one in inputs if (why := _side(one, kept))}
    main = [one for one in inputs if one.name not in sides]
    if not main:
        message = "no input of the net has a batch"
        raise source.wrong(inputs[0].start, message, _AGREE_BY_HAND)
    batched = _batched(source, main, batch)
    shapes = tuple(
        (one.name, (batch, *one.shape[1:]) if one in batched else one.shape) for one in inputs
    )
    changed = [one for one in batched if one.shape[0] != batch]
    if changed:
        _refuse_mixtures(source, inputs, sides, changed, batch)
        refuse_hard_coded(source, kept, changed[0].shape[0], batch)
    for one, (_, shape) in zip(inputs, shapes, strict=True):
        check_size(source, one, shape)
    notes = [
        f"The input {one.name!r} ({_shown(one.shape)}) is left alone: "
        f"it {sides.get(one.name, 'has another first number')}."
        for one in inputs
        if one not in batched
    ]
    runs = python_layers(kept) if changed else ()
    if runs:
        notes.append(f"Python layers run code that was not looked at: {_some(runs)}.")
    return _Change(tuple(one.dims[0] for one in changed), (*notes, *_order_notes(kept)), shapes)


def _side(one: Input, layers: Iterable[Layer]) -> str | None:
    """Why the first number of an input is no batch, or None where it may be one."""
    if not one.shape:
        return "is a single number"
    users = {
        (layer.type, layer.bottoms.index(one.name))
        for layer in layers
        if one.name in layer.bottoms
    }
    regions = any("roi" in kind and place > 0 for kind, place in users)
    if _ROI_COLUMNS in one.shape[1:2] and (regions or one.name == "rois"):
        return "lists regions, not images"
    if one.shape[:2] == (1, 1) and one.shape[3:] == (_BOX_COLUMNS,) and one.name == "label":
        return "lists boxes of objects, not images"
    proposals = any("proposal" in kind or kind == "python" for kind, place in users if place)
    if one.shape[1:] == (_IM_INFO_COLUMNS,) and (proposals or one.name == "im_info"):
        return "holds an image's size"
    return None


def _batched(source: Source, main: Sequence[Input], batch: int) -> list[Input]:
    """The inputs whose first number is the batch.

    Raises:
        ModelError: They do not agree, or agree only because all say 1.
    """
    firsts = {one.shape[0] for one in main}
    if firsts == {batch}:
        return [*main]
    images = [one for one in main if _is_image(one)]
    if len(firsts) > 1:
        if images and all(one.shape[0] == batch for one in images):
            return [one for one in main if one.shape[0] == batch]
        shown = "; ".join(f"{one.name} {_shown(one.shape)}" for one in main[:_MAX_NAMED])
        message = f"the inputs differ in their first number: which is the batch? {shown}"
        odd = next(one for one in main if one.shape[0] != main[0].shape[0])
        raise source.wrong(odd.dims[0].start, message, _AGREE_BY_HAND)
    if len(main) > 1 and firsts == {1} and len(images) < len(main):
        odd = next(one for one in main if one not in images)
        message = (
            f"it is not certain that the input {odd.name!r} ({_shown(odd.shape)}) has a batch"
        )
        raise source.wrong(odd.start, message, _AGREE_BY_HAND)
    if len(main) == 1 and len(main[0].shape) == 1:
        message = f"the input {main[0].name!r} has one dimension: is it the batch?"
        raise source.wrong(main[0].start, message, _AGREE_BY_HAND)
    return [*main]


def _refuse_mixtures(
    source: Source,
    inputs: Sequence[Input],
    sides: dict[str, str],
    changed: Sequence[Input],
    batch: int,
) -> None:
    """Refuse to change a batch beside inputs that may have to change with it.

    Raises:
        ModelError: Constants of a DummyData layer, or sizes of images, stand beside it.
    """
    dummies = [one for one in inputs if one.origin == DUMMY]
    if dummies and len(dummies) < len(inputs):
        message = f"the constants {dummies[0].name!r} of a DummyData layer may hold the batch, too"
        raise source.wrong(dummies[0].start, message, _AGREE_BY_HAND)
    for one in inputs:
        if sides.get(one.name) == "holds an image's size" and (batch, *one.shape[:1]) != (1, 1):
            message = f"the input {one.name!r} holds the size of each image of the batch"
            raise source.wrong(one.start, message, _AGREE_BY_HAND)
    firsts = {one.shape[0] for one in changed}
    if len(firsts) > 1:
        message = "the inputs differ in their batch"
        raise source.wrong(changed[-1].start, message, _AGREE_BY_HAND)


def _no_input(source: Source, root: Message, layers: Sequence[Layer], phase: str) -> ModelError:
    (other,) = (name for name in _PHASES if name != phase)
    message = f"the net has no input in phase {phase}"
    there = layers_of_phase(root, layers, other)
    if any(layer.type in {INPUT, DUMMY} for layer in there):
        return source.wrong(0, message, f"It has one in phase {other}: pass --phase {other}.")
    staged = [layer for layer in layers if layer.type in {INPUT, DUMMY}]
    if staged:
        return source.wrong(
            staged[0].start, message, "Its Input layer is for a stage: remove its include rule."
        )
    names = root.scalars("input")
    if names:
        return source.wrong(
            names[0].start,
            f"the input {names[0].as_str()!r} has no shape: code sets it at run time",
            "Add an input_shape for it.",
        )
    return source.wrong(0, message, "Add an Input layer with the shape you want.")


def _order_notes(layers: Sequence[Layer]) -> list[str]:
    """A word on Input layers behind the layers that need them, which Caffe refuses."""
    used: set[str] = set()
    notes = []
    for layer in layers:
        late = used.intersection(layer.tops) if layer.type in {INPUT, DUMMY} else ()
        if late:
            notes.append(
                f"Caffe will refuse the net: the layer {layer.name!r} stands behind one "
                "that needs its blob."
            )
        used.update(layer.bottoms)
    return notes


def _comment_notes(source: Source, root: Message) -> list[str]:
    """A word on inputs whose comment says that code sets them at run time."""
    ends = [dim.end for dim in root.scalars("input_dim")]
    ends += [field.end for shape in root.messages("input_shape") for field in shape.fields]
    for end in ends:
        line = source.text[end : source.text.find("\n", end) + 1 or None]
        if _AT_RUN_TIME.search(line):
            where = f"Line {source.line(end)} says that the input's size is set at run time"
            return [f"{where}: the time of the size in the file may mean nothing."]
    return []


def _is_image(one: Input) -> bool:
    return len(one.shape) >= _IMAGE_AXES and min(one.shape[2:]) > 1


def _rewritten(number: Scalar, batch: int) -> str:
    """The batch in the number's own base, so that only digits change."""
    old = number.text
    if old[:2] in {"0x", "0X"}:
        return old[:2] + (f"{batch:X}" if any("A" <= c <= "F" for c in old[2:]) else f"{batch:x}")
    if len(old) > 1 and old.startswith("0"):
        return f"0{batch:o}"
    return str(batch)


def _replaced(text: str, edits: Iterable[tuple[Scalar, str]]) -> str:
    pieces, done = [], 0
    for number, new in edits:
        pieces += [text[done : number.start], new]
        done = number.end
    return "".join([*pieces, text[done:]])


def _changed_lines(old: str, new: str) -> tuple[Edit, ...]:
    """The lines that differ; a patch keeps their number."""
    pairs = zip(_LINE_END.split(old), _LINE_END.split(new), strict=True)
    return tuple(Edit(i, a, b) for i, (a, b) in enumerate(pairs, start=1) if a != b)


def _shown(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "no dimensions"


def _some(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + more
