"""The batch followed through a net, from its inputs down, at two sizes at once.

Each blob has the shape that it has now and the one that it would have. A layer is asked for
both, and the answers must tell the same net at another batch: the same weights, and tops of
which one axis at most differs, in the proportion of the batches. Where a layer holds the
batch as a number of its own, `nets.hard_coded` says which number that is; where a layer's
type is not known, `nets.hazards` looks for what could go wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.build import effect_of
from jetbench.nets.hard_coded import Holder, adapted, doubt
from jetbench.nets.hazards import BY_HAND, DoubtError, may_fold, refuse_blind, refuse_carrier
from jetbench.nets.net import Shape, shape_text
from jetbench.nets.rules.recurrent import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jetbench.formats.textproto import Scalar
    from jetbench.nets.rules import Effect
    from jetbench.nets.spec import LayerSpec

KNOWN_SEQUENCES = ("LSTM", "RNN")
"""Layers whose time and batch axes are known: ``T x N x …``."""
_MAX_DOUBTS = 4
"""Numbers that may be the batch or not; each doubles the ways to follow it."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob before and after."""

    old: Shape | None
    """As the file has it; None where it is not known."""
    new: Shape | None
    """As it is to be."""
    varies: bool
    """Whether it holds the batch; where that is not known it is taken to."""

    @classmethod
    def fixed(cls, shape: Shape | None) -> Blob:
        """One that is the same at every batch."""
        return cls(shape, shape, varies=False)


UNKNOWN = Blob(None, None, varies=True)


@dataclass(frozen=True, slots=True)
class Batch:
    """The change that is asked for."""

    before: int
    after: int


@dataclass(slots=True)
class Followed:
    """What became of the layers."""

    numbers: dict[int, tuple[Scalar, int]] = field(default_factory=dict)
    """By place in the text: a number that holds the batch further down, and its new value."""
    holders: list[LayerSpec] = field(default_factory=list)
    """The layers that held these numbers."""
    effects: list[Effect | None] = field(default_factory=list)
    """What each layer will do, None where that is not known."""
    errors: dict[int, ModelError] = field(default_factory=dict)
    """By place of the layer: why Caffe could not set it up as the file has it."""
    blind: set[str] = field(default_factory=set)
    """Blobs that go into a layer of which it is not known what it does."""
    doubts: dict[int, ModelError] = field(default_factory=dict)
    """By place of the layer: why the number that it holds may be another one than the batch."""
    steps: list[Shape] = field(default_factory=list)
    """Of each recurrent layer: the shape of its marker of sequences, T x N, as it will be."""


def follow(
    layers: Sequence[LayerSpec],
    inputs: Mapping[str, Blob],
    batch: Batch,
    tolerated: frozenset[int] | None = None,
    kept: frozenset[int] = frozenset(),
) -> Followed:
    """Find out what another batch at the inputs does to every layer.

    Args:
        layers: Those that the phase leaves, in their order.
        inputs: Each input of the net.
        batch: From which batch to which.
        tolerated: Places of layers that may be such as Caffe could not set up; None: all.
        kept: Places of layers whose own number stays, where it may be another one.

    Raises:
        ModelError: The net would not be the same net at that batch, or it is not certain.
    """
    follower = _Follower(layers, inputs, batch, tolerated, kept)
    try:
        for place, layer in enumerate(layers):
            follower.layer(place, layer)
    except ModelError:
        # What was taken for the batch may have been another number.
        reason = next(iter(follower.result.doubts.values()), None)
        if reason is None or kept:
            raise
        raise reason from None
    return follower.result


def follow_surely(
    layers: Sequence[LayerSpec],
    inputs: Mapping[str, Blob],
    batch: Batch,
    tolerated: frozenset[int] | None,
) -> Followed:
    """The batch followed through the net, in the one way that there is.

    A 1 that a layer holds may be the batch of 1 or another number. It is the batch where the
    net could not be built otherwise: every other choice must fail further down.

    Raises:
        ModelError: The net would not be the same net at that batch, or it is not certain.
    """
    followed = follow(layers, inputs, batch, tolerated)
    doubts = sorted(followed.doubts)
    for number in range(1, 2 ** min(len(doubts), _MAX_DOUBTS)):
        kept = frozenset(place for bit, place in enumerate(doubts) if number >> bit & 1)
        try:
            follow(layers, inputs, batch, tolerated, kept)
        except DoubtError:
            pass
        except ModelError:
            continue
        raise followed.doubts[min(kept)]
    if len(doubts) > _MAX_DOUBTS:
        raise followed.doubts[doubts[0]]
    return followed


class _Follower:
    def __init__(
        self,
        layers: Sequence[LayerSpec],
        inputs: Mapping[str, Blob],
        batch: Batch,
        tolerated: frozenset[int] | None,
        kept: frozenset[int],
    ) -> None:
        self._tolerated = tolerated
        self._kept = kept
        self.result = Followed()
        self._inputs = inputs
        self._blobs: dict[str, Blob] = {}
        self._batch = batch
        self._missing = Blob(None, None, varies=batch.before != batch.after)
        self._sequences = {
            blob for layer in layers if layer.type in KNOWN_SEQUENCES for blob in layer.bottoms[:2]
        }
        """Blobs whose second axis is the batch, since a recurrent layer reads them."""

    def layer(self, place: int, layer: LayerSpec) -> None:
        bottoms = tuple(self._blobs.get(name, self._missing) for name in layer.bottoms)
        declared = not layer.bottoms and all(top in self._inputs for top in layer.tops)
        old = None if declared else self._old_effect(place, layer, bottoms)
        new = old
        if declared:
            tops = tuple(self._inputs[top] for top in layer.tops)
        elif old is None:
            tops = self._blindly(layer, bottoms)
        elif not any(bottom.varies for bottom in bottoms):
            tops = tuple(map(Blob.fixed, old.tops))
        else:
            refuse_carrier(layer, self._batch.after)
            new = self._new_effect(place, layer, bottoms, old)
            tops = self._tops(layer, old, new)
        if new is not None and layer.type in KNOWN_SEQUENCES:
            self._sequence(layer, bottoms)
        self.result.effects.append(new)
        # A loss may make a top that the file does not name.
        self._blobs.update(zip(layer.tops, tops, strict=False))

    def _old_effect(
        self, place: int, layer: LayerSpec, bottoms: tuple[Blob, ...]
    ) -> Effect | None:
        try:
            return effect_of(layer, tuple(bottom.old for bottom in bottoms))
        except ModelError as error:
            if self._tolerated is not None and place not in self._tolerated:
                hint = error.hint or "It does not fit the shape that was asked for."
                raise ModelError(
                    error.bare, hint=hint, line=error.line, column=error.column
                ) from None
            # Caffe decides what is a net; here the layer is one that is not known.
            self.result.errors[place] = error
            return None

    def _blindly(self, layer: LayerSpec, bottoms: tuple[Blob, ...]) -> tuple[Blob, ...]:
        varies = any(bottom.varies for bottom in bottoms)
        self.result.blind.update(layer.bottoms)
        if varies:
            refuse_carrier(layer, self._batch.after)
            refuse_blind(layer, self._batch.before)
        return (Blob(None, None, varies=varies),) * len(layer.tops)

    def _new_effect(
        self, place: int, layer: LayerSpec, bottoms: tuple[Blob, ...], old: Effect
    ) -> Effect:
        """What the layer does at the new batch, its own numbers changed where they hold it.

        Raises:
            ModelError: It is another layer then.
        """
        holder = Holder(
            layer=layer,
            bottom=bottoms[0].old or (),
            wanted=bottoms[0].new or (),
            tops=old.tops,
            time_major=any(top in self._sequences for top in layer.tops),
        )
        numbers, changed = adapted(holder, self._batch.before, self._batch.after)
        reason = doubt(holder, numbers, self._batch.before)
        if reason is not None:
            self.result.doubts[place] = reason
        if reason is not None and place in self._kept:
            numbers, changed = (), layer
        if numbers:
            self.result.numbers.update({number.start: (number, new) for number, new in numbers})
            self.result.holders.append(layer)
        try:
            new = effect_of(changed, tuple(bottom.new for bottom in bottoms))
        except ModelError as error:
            raise self._contradiction(error) from None
        if new is None or (old.weights, old.statistics) != (new.weights, new.statistics):
            message = f"{layer.type} would have other weights"
            raise self._contradiction(layer.wrong(message))
        return new

    def _tops(self, layer: LayerSpec, old: Effect, new: Effect) -> tuple[Blob, ...]:
        """The tops of a layer that the batch goes into.

        Raises:
            ModelError: It does not come out again, or the layer is another one then.
        """
        pairs = zip(old.tops, new.tops, strict=True)
        tops = tuple(self._top(layer, one, other) for one, other in pairs)
        if tops and not any(top.varies for top in tops) and not may_fold(layer):
            message = f"its output of {shape_text(tops[0].old)} would not change with the batch"
            raise self._contradiction(layer.wrong(message))
        return tops

    def _top(self, layer: LayerSpec, old: Shape | None, new: Shape | None) -> Blob:
        """A top before and after.

        Raises:
            ModelError: The two differ in more than the size of one axis, or out of proportion.
        """
        if old is None or new is None:
            return UNKNOWN
        if old == new:
            return Blob.fixed(old)
        axes = [
            axis for axis, (one, other) in enumerate(zip(old, new, strict=False)) if one != other
        ]
        before, after = self._batch.before, self._batch.after
        if (
            len(old) == len(new)
            and len(axes) == 1
            and old[axes[0]] * after == new[axes[0]] * before
        ):
            return Blob(old, new, varies=True)
        message = f"its output of {shape_text(old)} would become {shape_text(new)}"
        raise self._contradiction(layer.wrong(message))

    def _sequence(self, layer: LayerSpec, bottoms: tuple[Blob, ...]) -> None:
        """Time first, batch second: the first must stay, the second be the batch.

        Raises:
            ModelError: It is not so.
        """
        values, go_on = bottoms[0], bottoms[1]
        if go_on.new is not None:
            self.result.steps.append(go_on.new)
        if self._batch.before == self._batch.after or values.old is None or values.new is None:
            return
        after, exposed = self._batch.after, layer.fields.block("recurrent_param")
        states = STATES[layer.type] if exposed.flag("expose_hidden", default=False) else 0
        fixed, hidden = bottoms[2 : len(bottoms) - states], bottoms[len(bottoms) - states :]
        wrong = values.new[:2] != (values.old[0], after)
        # An input that is the same at each step has the batch first, a hidden state second.
        wrong = wrong or any(blob.new is not None and blob.new[:1] != (after,) for blob in fixed)
        wrong = wrong or any(blob.new is not None and blob.new[1:2] != (after,) for blob in hidden)
        if wrong:
            message = f"its batch would become {shape_text(values.new)[:40]}"
            raise self._contradiction(layer.wrong(message))

    def _contradiction(self, error: ModelError) -> ModelError:
        return ModelError(
            f"{error.bare} (at a batch of {self._batch.after})",
            line=error.line,
            column=error.column,
            hint=BY_HAND,
        )
