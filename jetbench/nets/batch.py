"""Another batch size for a prototxt, and not one other byte changed.

The batch of every input is found (`nets.assign`), followed through the layers
(`nets.follow`) and set wherever it stands as a number. What is certain is done, everything
else is refused with the line to blame. At the end the new text is read again, and must be
the net that was meant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.assign import Assigned, Wish, assign
from jetbench.nets.edits import Edit, Replacement, changed_lines, replaced, rewritten
from jetbench.nets.follow import Batch, Blob, Followed, follow
from jetbench.nets.hazards import BY_HAND
from jetbench.nets.inputs import (
    DUMMY,
    INPUT,
    Input,
    batch_number,
    check_size,
    declared_inputs,
    is_source,
    makes_markers,
    reads_data_set,
    refuse_ambiguous,
)
from jetbench.nets.not_a_net import BOM
from jetbench.nets.patch_notes import comment_notes, notes_on, some
from jetbench.nets.phases import PHASES, State, keeps, layers_of
from jetbench.nets.read import read_net
from jetbench.nets.shapes import with_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jetbench.nets.net import Shape
    from jetbench.nets.spec import LayerSpec, NetSpec

_HOLDERS = {INPUT, DUMMY, "Reshape", "Slice"}
"""Layers that can hold a batch."""
_MENDED = "The byte-order mark is removed: Caffe would refuse the file with it."
_NO_SHAPES: Mapping[str, Shape] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Patched:
    """A prototxt at the batch that was asked for."""

    text: str
    before: int
    """The batch that it had; below 1 where the number that stood there was none."""
    batch: int
    edits: tuple[Edit, ...]
    """Empty where the file had the batch already."""
    notes: tuple[str, ...]
    """What a user should know, a sentence each: inputs left alone, a mended byte-order mark."""
    input_shapes: tuple[tuple[str, Shape], ...]
    """Each input of the phase's net with its shape after the patch, where it is known."""


@dataclass(frozen=True, slots=True)
class _Net:
    """The part of a file that is one phase's net, and what is asked of it."""

    spec: NetSpec
    layers: tuple[LayerSpec, ...]
    state: State
    wish: Wish
    data_layers: bool

    def of(self, spec: NetSpec, state: State, wish: Wish) -> _Net:
        """The same question of another file, another phase."""
        return _Net(spec, layers_of(spec, state), state, wish, self.data_layers)


def patch_batch(  # noqa: PLR0913 - all but the first two by name
    text: str,
    batch: int | None = 1,
    *,
    phase: str = "TEST",
    stages: Sequence[str] = (),
    shapes: Mapping[str, Shape] = _NO_SHAPES,
    data_layers: bool = False,
) -> Patched:
    """Set the batch of a net, at its inputs and wherever else it stands.

    Args:
        text: The prototxt; bytes that are no UTF-8 as lone surrogates.
        batch: Images (or whatever the net takes) in one forward pass, at least 1; None for
            that of `shapes`.
        phase: ``TEST`` or ``TRAIN``, as it will be given to ``caffe time``.
        stages: The same, of its ``-stage``.
        shapes: Whole shapes, by input.
        data_layers: Also set the ``batch_size`` of layers that read a data set, of every
            phase and stage.

    Raises:
        ModelError: The file is no net, or what the batch means in it is not certain.
    """
    _check_arguments(batch, phase)
    original = text.removeprefix(BOM)
    spec = read_net(original)
    state, wish = State(phase, (*spec.stages, *stages)), Wish(batch, shapes)
    first = net = _Net(spec, layers_of(spec, state), state, wish, data_layers)
    refuse_ambiguous(spec)
    shaped, as_it_was = original, None
    if shapes:
        shaped, as_it_was = with_axes(original, spec, net.layers, shapes), _as_it_is(first)
        wish = replace(wish, tolerated=frozenset(as_it_was.errors))
        net = net.of(read_net(shaped), state, wish)
    inputs, assigned = _assigned(net)
    others, kept = _of_other_phase(net, assigned.batch.after)
    if data_layers:
        others += _of_data_layers(net.spec, assigned.batch.after)
    # Where two nets share a number, the one that was asked for decides.
    replacements = {one.start: one for one in (*others, *_replacements(inputs, assigned))}
    patched = replaced(shaped, replacements.values())
    last = net.of(read_net(patched), state, wish)
    return Patched(
        text=patched,
        before=assigned.batch.before,
        batch=assigned.batch.after,
        edits=changed_lines(original, patched),
        notes=(
            *([_MENDED] if text != original else []),
            *notes_on(inputs, assigned, net.layers),
            *_verified(first, as_it_was, assigned, last),
            *kept,
            *comment_notes(original, spec),
        ),
        input_shapes=tuple(
            (name, shape) for name, shape in assigned.shapes.items() if shape is not None
        ),
    )


def _check_arguments(batch: int | None, phase: str) -> None:
    if batch is not None and batch < 1:
        raise ModelError(f"a batch of {batch} is none", hint="Pass a batch of 1 or more.")
    if phase not in PHASES:
        raise ModelError(f"there is no phase {phase!r}", hint="Pass TEST or TRAIN.")


def _assigned(net: _Net) -> tuple[tuple[Input, ...], Assigned]:
    """The inputs of a net, and the batch of each.

    Raises:
        ModelError: There is none, one has no shape, or it is not certain what the batch is.
    """
    layers = net.layers
    _refuse_sources(layers, net)
    inputs = declared_inputs(layers)
    if not inputs:
        raise _no_input(net)
    _refuse_missing(layers, net)
    for one in inputs:
        if one.shape is None and not one.is_data:
            raise one.wrong(*_no_shape(one.name))
        check_size(one, net.wish.shapes.get(one.name, (1,)))
    assigned = assign(inputs, layers, net.wish)
    for one in inputs:
        check_size(one, assigned.shapes[one.name] or ())
    return inputs, assigned


def _refuse_sources(layers: Sequence[LayerSpec], net: _Net) -> None:
    """Refuse a net whose blobs come from a data set or from code.

    Raises:
        ModelError: A layer has no bottoms and is no declared input.
    """
    for layer in layers:
        if not is_source(layer) or layer.type in {INPUT, DUMMY} or makes_markers(layer):
            continue
        if not reads_data_set(layer):
            message = f"{layer.type} makes its own data: no batch is known"
            raise layer.wrong(
                message, hint="Replace it by an Input layer with the shape you want."
            )
        if not net.data_layers:
            raise layer.wrong(
                f"{layer.type} reads a data set, which is not on the board",
                hint=_elsewhere(net)
                or f"In phase {net.state.phase} this net has no input of its own: pass its "
                "deploy.prototxt, or replace the layer by an Input layer. Where the board has "
                "the data set, pass --data-layers.",
            )
        if batch_number(layer) is None:
            hint = "Write one into the file."
            raise layer.wrong(f"{layer.type} has no batch_size", hint=hint)


def _elsewhere(net: _Net) -> str | None:
    """Where a net that reads a data set has an input of its own: in a stage of the file's."""
    inputs = [layer for layer in net.spec.layers if is_source(layer) and layer.type == INPUT]
    stages = _stages(inputs)
    return f"It has an input of its own in a stage: pass --stage {stages}." if stages else None


def _refuse_missing(layers: Sequence[LayerSpec], net: _Net) -> None:
    """Refuse a net of which a part is missing in this phase: what feeds it is not known.

    Raises:
        ModelError: A bottom that no layer makes.
    """
    made = {top for layer in layers for top in layer.tops}
    for layer in layers:
        missing = next((blob for blob in layer.bottoms if blob not in made), None)
        if missing is not None:
            message = f"no layer makes its bottom {missing!r} in phase {net.state.phase}"
            makers = [one for one in net.spec.layers if missing in one.tops]
            hint = "Caffe would refuse the net: is a layer missing?"
            if stages := _stages(makers):
                hint = f"It is made in a stage: pass --stage {stages}."
            elif makers:
                hint = "It is made in the other phase: pass --phase."
            raise layer.wrong(message, hint=hint)


def _no_input(net: _Net) -> ModelError:
    """Why there is none, and in which phase or stage there is one."""
    phase = net.state.phase
    message = f"the net has no input in phase {phase}"
    other = _other(phase)
    sources = [layer for layer in net.spec.layers if is_source(layer)]
    elsewhere = replace(net.state, phase=other)
    if any(keeps(layer, elsewhere) for layer in sources if layer.type in {INPUT, DUMMY}):
        hint = f"It has one in phase {other}: pass --phase {other}."
        return net.spec.fields.wrong(message, hint)
    if stages := _stages(sources):
        hint = f"Its input is for a stage: pass --stage {stages}."
        return sources[0].wrong(message, hint=hint)
    bare = net.spec.fields.scalars("input")
    if bare:
        return net.spec.fields.places.wrong(bare[0].start, *_no_shape(bare[0].as_str()))
    return net.spec.fields.wrong(message, "Add an Input layer with the shape you want.")


def _no_shape(name: str) -> tuple[str, str]:
    """What is wrong with an input that has none, and what to do."""
    message = f"the input {name!r} has no shape: code sets it at run time"
    return message, f"Pass one, such as --shape {name}=1x3x224x224."


def _other(phase: str) -> str:
    (other,) = (name for name in PHASES if name != phase)
    return other


def _stages(layers: Sequence[LayerSpec]) -> str:
    """The stages that some layers are for: ``train or deploy``."""
    rules = (rule for layer in layers for rule in layer.fields.blocks("include"))
    return " or ".join(dict.fromkeys(stage for rule in rules for stage in rule.words("stage")))


def _replacements(inputs: Sequence[Input], assigned: Assigned) -> Iterator[Replacement]:
    """Every number that changes: at the inputs, and further down."""
    for one in inputs:
        shape = assigned.shapes[one.name]
        if one.is_data:
            axis = 1 if makes_markers(one.layer) else 0
            shape = (assigned.batch.after,) if assigned.axes[one.name] == axis else ()
        for number, size in zip(one.dims, shape or (), strict=False):
            if number.as_int() != size:
                yield rewritten(number, size)
    for number, value in assigned.followed.numbers.values():
        if number.as_int() != value:
            yield rewritten(number, value)


def _of_other_phase(net: _Net, after: int) -> tuple[list[Replacement], list[str]]:
    """The change for the phase that was not asked for; none where that is not certain."""
    other = _other(net.state.phase)
    here = {id(layer) for layer in net.layers}
    there = net.of(net.spec, replace(net.state, phase=other), Wish(after, {}))
    own = [layer for layer in there.layers if id(layer) not in here]
    if not any(layer.type in _HOLDERS for layer in own):
        return [], []
    try:
        return list(_replacements(*_assigned(there))), []
    except ModelError as error:
        at = f" (line {error.line}: {error.bare})" if error.line else ""
        return [], [f"What stands in phase {other} alone keeps its batch{at}."]


def _of_data_layers(spec: NetSpec, after: int) -> Iterator[Replacement]:
    """The batch of every layer that reads a data set, whatever its phase."""
    for layer in spec.layers:
        number = batch_number(layer) if reads_data_set(layer) else None
        if number is not None and number.as_int() != after:
            yield rewritten(number, after)


def _verified(
    first: _Net, as_it_was: Followed | None, assigned: Assigned, last: _Net
) -> list[str]:
    """Read the result as a net of its own, and hold it against what was meant.

    Returns:
        A note where a whole shape gives layers other weights.

    Raises:
        ModelError: A layer does not take the shapes, or does not do what was meant.
    """
    # A shape for bare ``input:`` lines makes a layer of them, where before there was none.
    same = len(first.layers) == len(last.layers)
    before = as_it_was if same and as_it_was else assigned.followed
    inputs, again = _assigned(last)
    if any(_replacements(inputs, again)):
        message = "the result would be patched once more, and so it is not certain"
        raise ModelError(message, hint=BY_HAND)
    now = again.followed
    if same and [one.name for one in first.layers] != [one.name for one in last.layers]:
        raise ModelError("the patched file is not the same net", hint=BY_HAND)
    for one in inputs:
        if not one.is_data and one.shape != assigned.shapes[one.name]:
            raise one.wrong(f"a number of the input {one.name!r} serves another one too", BY_HAND)
    changed = []
    for place, layer in enumerate(last.layers):
        error = now.errors.get(place)
        if error is not None and place not in before.errors:
            raise error
        meant, found, was = (one.effects[place] for one in (assigned.followed, now, before))
        if meant is not None and found is not None and meant.tops != found.tops:
            raise layer.wrong("its output is not the one that was meant", hint=BY_HAND)
        if was is not None and found is not None and was.weights != found.weights:
            changed.append(layer.name)
    if not changed:
        return []
    return [f"With this shape the net has other weights, in {some(changed)}: it is another net."]


def _as_it_is(net: _Net) -> Followed:
    """The net of a file, nothing changed."""
    inputs = {one.name: Blob.fixed(one.shape) for one in declared_inputs(net.layers)}
    return follow(net.layers, inputs, Batch(1, 1))
