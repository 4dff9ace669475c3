"""Which axis of which input is the batch.

Most nets have one input, and its first axis it is. Where there are more, each may have the
batch first, second (recurrent nets are time-major) or not at all. What consumes an input
tells regions, boxes and sizes apart; for what is left, every possibility is followed through
the net, and only a net that is the same net at another batch counts. One answer is certain;
two are not.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.follow import (
    KNOWN_SEQUENCES,
    UNKNOWN,
    Batch,
    Blob,
    Followed,
    follow,
    follow_surely,
)
from jetbench.nets.hazards import DoubtError, is_marker_reader, is_sequence
from jetbench.nets.inputs import DUMMY, Input
from jetbench.nets.net import Shape, shape_text
from jetbench.nets.sides import refuse_sizes, sides_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jetbench.nets.spec import LayerSpec

_IMAGE_AXES = 4
_MAX_NAMED = 5
_MAX_TRIED = 500
"""Ways to have the batch; a net with more has half a dozen inputs that could be anything."""
_STAY = -1
"""An axis: of an input that has no batch."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    batch: int | None
    """None: as the shapes say it, else 1."""
    shapes: Mapping[str, Shape]
    """Whole shapes, by input, with as many axes as the file gives them."""
    tolerated: frozenset[int] | None = None
    """Places of layers that Caffe could not set up anyhow; None: whichever they are."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The inputs as they will be, and what that does to the net."""

    batch: Batch
    shapes: Mapping[str, Shape | None]
    """Each input after the change."""
    axes: Mapping[str, int]
    """Where each input has the batch; -1 where it has none."""
    why: Mapping[str, str]
    """Why an input has no batch, as the end of a sentence, where that is known."""
    followed: Followed


def assign(inputs: Sequence[Input], layers: Sequence[LayerSpec], wish: Wish) -> Assigned:
    """Find the batch of every input.

    Args:
        inputs: Those of the net of one phase.
        layers: The layers of that phase.
        wish: The batch and the shapes that were asked for.

    Raises:
        ModelError: It is not certain what the batch is, or the net does not allow another.
    """
    sides = sides_of(inputs, layers)
    main = [one for one in inputs if one.name not in sides]
    if not main:
        raise inputs[0].wrong("no input of the net has a batch", _shape_hint(inputs))
    if any(is_sequence(layer) for layer in layers):
        batch, axes = _of_sequences(inputs, layers, main, wish)
    else:
        before = _first_number(main, wish)
        axes = {one.name: _axes(one, main, before, wish) for one in main}
        batch = Batch(before, _wanted(before, axes, wish))
    refuse_sizes(inputs, sides, batch.after)
    unchanged = batch.before == batch.after
    options = [(_STAY,) if unchanged else axes.get(one.name, (_STAY,)) for one in inputs]
    found = _possible(inputs, layers, options, batch, wish)
    best = _the_one(inputs, main, found)
    _refuse_unused([one for one in main if one.name not in wish.shapes], best)
    return replace(best, why=sides)


def _first_number(main: Sequence[Input], wish: Wish) -> int:
    """The batch that the inputs have now.

    Raises:
        ModelError: Their first numbers differ, and they are not told apart by their form.
    """
    # A whole shape that leaves the first number as it is says that this is no batch.
    open_ones = [one for one in main if not _is_kept(one, wish)] or main
    if len(main) == 1 and main[0].shape is not None and len(main[0].shape) == 1:
        (one,) = main
        if one.name not in wish.shapes and one.shape != (wish.batch or 1,):
            message = f"the input {one.name!r} has one dimension: is it the batch?"
            raise one.wrong(message, _shape_hint(main))
    firsts = {first for one in open_ones if (first := _first(one)) is not None}
    if len(firsts) > 1:
        firsts = {_first(one) or 0 for one in open_ones if one.is_data or _is_image(one)}
    if len(firsts) == 1:
        return firsts.pop()
    if open_ones is main and all(one.name in wish.shapes for one in main):
        return _first(main[0]) or 1
    shown = "; ".join(f"{one.name} {shape_text(one.shape)}" for one in main[:_MAX_NAMED])
    odd = next((one for one in main if _first(one) != _first(main[0])), main[0])
    message = f"the inputs differ in their first number: which is the batch? {shown}"
    raise odd.wrong(message, _shape_hint(main))


def _is_kept(one: Input, wish: Wish) -> bool:
    """Whether a whole shape was asked for that has the file's first number."""
    shape = wish.shapes.get(one.name)
    return shape is not None and shape[0] == _first(one)


def _axes(one: Input, main: Sequence[Input], before: int, wish: Wish) -> tuple[int, ...]:
    """The axes that may be an input's batch, the likeliest first."""
    first = _first(one)
    if first is None or (before > 0 and first % before):
        return (_STAY,)
    if one.is_data or _is_image(one) or len(main) == 1:
        return (0,)
    if one.name in wish.shapes:
        return (_STAY,) if _is_kept(one, wish) else (0,)
    # Numbers that agree and are not 1 do so because they are the batch.
    agrees = before != 1 and first == before and not _is_constant(one, main)
    return (0,) if agrees else (0, _STAY)


def _is_constant(one: Input, main: Sequence[Input]) -> bool:
    """Whether an input may be numbers that are the same at every batch."""
    return one.layer.type == DUMMY and any(other.layer.type != DUMMY for other in main)


def _of_sequences(
    inputs: Sequence[Input], layers: Sequence[LayerSpec], main: Sequence[Input], wish: Wish
) -> tuple[Batch, dict[str, tuple[int, ...]]]:
    """The batch of a recurrent net, and the axes at which its inputs may have it.

    Raises:
        ModelError: The shapes do not reach its recurrent layers.
    """
    as_is = {one.name: Blob.fixed(one.shape or wish.shapes.get(one.name)) for one in inputs}
    steps = follow(layers, as_is, Batch(1, 1)).steps
    sequences = [layer for layer in layers if is_sequence(layer)]
    all_read = (
        len(steps) == len(sequences) == sum(one.type in KNOWN_SEQUENCES for one in sequences)
    )
    batches = {shape[1] for shape in steps}
    before = batches.pop() if len(batches) == 1 else 0
    if before > 0 and all_read:
        batch = Batch(before, _wanted_sequences(before, sequences, wish))
        return batch, {one.name: _axes_in_time(one, batch, wish) for one in main}
    if wish.batch in {None, 1} and _is_one_step(inputs, layers):
        return Batch(1, 1), {}
    message = (
        f"the net is recurrent ({sequences[0].type}): time and batch share the first axes of "
        "its blobs, and cannot be told apart with certainty"
    )
    hint = "Only one step of one sequence is certain: write a 1 for both into a copy."
    raise sequences[0].wrong(message, hint=hint)


def _wanted_sequences(before: int, sequences: Iterable[LayerSpec], wish: Wish) -> int:
    """The number of sequences that was asked for, by number or by the shape of a marker."""
    if wish.batch is not None or not wish.shapes:
        return wish.batch or 1
    markers = {layer.bottoms[1] for layer in sequences} & wish.shapes.keys()
    return next((wish.shapes[name][1] for name in sorted(markers)), before)


def _axes_in_time(one: Input, batch: Batch, wish: Wish) -> tuple[int, ...]:
    if one.shape is None:
        return (_STAY,)
    shape = wish.shapes.get(one.name)
    axes = [
        axis
        for axis, size in enumerate(one.shape[:2])
        if size % batch.before == 0
        and (shape is None or shape[axis] * batch.before == size * batch.after)
    ]
    kept = shape is None or shape[:2] == one.shape[:2]
    return (*axes, _STAY) if kept or not axes else tuple(axes)


def _is_one_step(inputs: Sequence[Input], layers: Sequence[LayerSpec]) -> bool:
    """Whether there is but one step of one sequence, whatever the recurrent layers do."""
    markers = {layer.bottoms[1] for layer in layers if is_marker_reader(layer)}
    return markers <= {one.name for one in inputs} and all(
        one.shape is not None
        and one.shape[:1] in {(), (1,)}
        and (one.name not in markers or set(one.shape) <= {1})
        for one in inputs
    )


def _wanted(before: int, axes: Mapping[str, tuple[int, ...]], wish: Wish) -> int:
    """The batch that was asked for, by its number or by whole shapes, or else the one it is.

    Raises:
        ModelError: The two contradict each other.
    """
    given = {
        name: shape[axes[name][0]]
        for name, shape in wish.shapes.items()
        if name in axes and axes[name][0] != _STAY
    }
    for name, size in given.items():
        wanted = next(iter(given.values())) if wish.batch is None else wish.batch
        if size != wanted:
            shown = shape_text(wish.shapes[name])
            message = f"the shape {name}={shown} has a batch of {size}, not {wanted}"
            raise ModelError(message, hint="Pass one of the two, or make them agree.")
    return wish.batch or next(iter(given.values()), before if wish.shapes else 1)


def _possible(
    inputs: Sequence[Input],
    layers: Sequence[LayerSpec],
    options: Sequence[tuple[int, ...]],
    batch: Batch,
    wish: Wish,
) -> list[Assigned]:
    """Every way to have the batch at the inputs that leaves the net the same net.

    Raises:
        ModelError: There is none; the reason why the one that goes the furthest is none.
    """
    if math.prod(map(len, options)) > _MAX_TRIED:
        message = f"the net has {len(inputs)} inputs, and too many ways to have a batch"
        raise inputs[0].wrong(message, _shape_hint(inputs))
    found: list[Assigned] = []
    reason: ModelError | None = None
    likeliest = tuple(axes[0] for axes in options)
    for axes in itertools.product(*options):
        if batch.before != batch.after and set(axes) == {_STAY}:
            continue
        blobs = dict(_blobs(inputs, axes, batch, wish))
        try:
            followed = follow_surely(layers, blobs, batch, wish.tolerated)
        except ModelError as error:
            if isinstance(error, DoubtError) and axes == likeliest:
                # It could be this, and so nothing else is certain.
                raise
            # What went the furthest is the likeliest, and its end says the most.
            reason = max(reason or error, error, key=lambda one: one.line or 0)
            continue
        names = [one.name for one in inputs]
        shapes = {name: blob.new for name, blob in blobs.items()}
        found.append(Assigned(batch, shapes, dict(zip(names, axes, strict=True)), {}, followed))
    if not found:
        message = "no input of the net has this batch"
        raise reason or inputs[0].wrong(message, _shape_hint(inputs))
    return found


def _blobs(
    inputs: Sequence[Input], axes: Sequence[int], batch: Batch, wish: Wish
) -> Iterator[tuple[str, Blob]]:
    for one, axis in zip(inputs, axes, strict=True):
        shape = wish.shapes.get(one.name, one.shape)
        if axis == _STAY:
            yield one.name, Blob.fixed(shape)
        elif shape is None or one.shape is None:
            yield one.name, UNKNOWN
        elif batch.before < 1:
            # What the file says is no shape; so nothing is known of what it means.
            yield (
                one.name,
                Blob(None, (*shape[:axis], batch.after, *shape[axis + 1 :]), varies=True),
            )
        else:
            old, new = one.shape[axis], one.shape[axis] // batch.before * batch.after
            before, after = ((*shape[:axis], size, *shape[axis + 1 :]) for size in (old, new))
            yield one.name, Blob(before, after, varies=True)


def _the_one(
    inputs: Sequence[Input], main: Sequence[Input], found: Sequence[Assigned]
) -> Assigned:
    """The only possibility, or of those with a batch of 1 the one in which all inputs have it.

    Raises:
        ModelError: There is another one, with other numbers to change.
    """
    best = found[0]
    for other in found[1:]:
        if _edits(other) == _edits(best):
            continue
        odd = next(one for one in inputs if other.axes[one.name] != best.axes[one.name])
        if best.batch.before == 1 and best.axes[odd.name] == 0 and _agrees(odd, main, best, other):
            continue
        shown = f"the input {odd.name!r} ({shape_text(odd.shape)})"
        raise odd.wrong(f"it is not certain that {shown} has a batch", _shape_hint(inputs))
    return best


def _agrees(one: Input, main: Sequence[Input], best: Assigned, other: Assigned) -> bool:
    """Whether a 1 at the front of an input is rather the batch of 1 than something else."""
    if best.followed.steps:
        # Time and batch share the axis, and are parted further down: the net is the same.
        return other.axes[one.name] != _STAY
    return _first(one) == 1 and not _is_constant(one, main) and one.name not in best.followed.blind


def _refuse_unused(main: Iterable[Input], best: Assigned) -> None:
    """Refuse to leave an input alone of which it is not known what it is for.

    Raises:
        ModelError: It goes into a layer of unknown type, and the batch changes.
    """
    if best.batch.before == best.batch.after:
        return
    for one in main:
        if best.axes[one.name] == _STAY and one.name in best.followed.blind:
            shown = f"the input {one.name!r} ({shape_text(one.shape)})"
            message = f"{shown} differs in its first number, and what it is for is not known"
            raise one.wrong(message, _shape_hint(main))


def _edits(one: Assigned) -> tuple[object, ...]:
    numbers = {at: new for at, (_, new) in one.followed.numbers.items()}
    return dict(one.shapes), numbers


def _first(one: Input) -> int | None:
    """The first number of an input: of its shape, or the batch of its data layer."""
    if one.dims:
        return one.dims[0].as_int()
    return one.shape[0] if one.shape else None


def _is_image(one: Input) -> bool:
    return one.shape is not None and len(one.shape) >= _IMAGE_AXES and min(one.shape[2:]) > 1


def _shape_hint(inputs: Iterable[Input]) -> str:
    shapes = " ".join(
        f"--shape {one.name}={shape_text(one.shape)}"
        for one in itertools.islice(inputs, _MAX_NAMED)
        if one.shape
    )
    if not shapes:
        return "Write the shapes you want into a copy of the file."
    return f"Say what you mean with whole shapes, such as {shapes}"
