"""From the text of a prototxt to a net with shapes and costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.nets.net import FP32_BYTES, Layer, Net, Shape, count, shape_text
from jetbench.nets.phases import PHASES, State, layers_of
from jetbench.nets.read import read_net
from jetbench.nets.rules import RULES, Effect, Rule
from jetbench.nets.wiring import with_splits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.nets.spec import LayerSpec

_INT_MAX = 2**31 - 1
"""Caffe refuses a blob with more values."""
AUTOMATIC_TOP = "(automatic)"
"""What Caffe's log calls the top of a loss layer that names none."""


def build_net(
    text: str,
    *,
    phase: str = "TEST",
    stages: Sequence[str] = (),
    level: int = 0,
    insert_splits: bool = False,
) -> Net:
    """Read a prototxt and work out the shape of every blob and the cost of every layer.

    Args:
        text: The prototxt.
        phase: ``TEST`` or ``TRAIN``: which of the layers with rules are in the net.
        stages: What ``caffe time -stage`` is given.
        level: What ``caffe time -level`` is given.
        insert_splits: Also list the Split layers that Caffe adds, with its names, so that
            layers and bottoms are, in order, those of its log.

    Raises:
        ModelError: text that is no prototxt, or a net that Caffe could not build either;
            with the line of the layer to blame.
    """
    if phase not in PHASES:
        raise ModelError(f"no such phase: {phase}", hint=f"one of {', '.join(PHASES)}")
    spec = read_net(text)
    state = State(phase, (*spec.stages, *stages), level)
    layers = layers_of(spec, state)
    if not layers:
        raise ModelError(
            f"phase {phase} leaves no layer of the net",
            hint="look at the include rules, or ask for another phase",
        )
    split = with_splits(layers)
    built = _Builder().build(split if insert_splits else layers)
    return Net(spec.name, phase, with_owners(built))


class _Builder:
    """Follows the blobs through the layers, from the inputs down."""

    def __init__(self) -> None:
        self._shapes: dict[str, Shape | None] = {}

    def build(self, layers: tuple[LayerSpec, ...]) -> tuple[Layer, ...]:
        return tuple(self._layer(spec) for spec in layers)

    def _layer(self, spec: LayerSpec) -> Layer:
        bottoms = tuple(self._shapes[blob] for blob in spec.bottoms)
        rule, tops = RULES.get(spec.type), _tops(spec)
        effect = effect_of(spec, bottoms)
        shapes = (None,) * len(tops) if effect is None else effect.tops
        named = ((), ()) if effect is None else _named(spec, effect)
        self._shapes.update(zip(tops, shapes, strict=True))
        return Layer(
            name=spec.name,
            type=spec.type,
            bottoms=spec.bottoms,
            tops=tops,
            bottom_shapes=bottoms,
            output_shapes=shapes,
            params=sum(map(count, effect.weights)) if effect and effect.weights_known else None,
            shared_params=0,
            statistics=0 if effect is None else sum(map(count, effect.statistics)),
            macs=None if effect is None else effect.macs,
            fast_macs=None if effect is None else effect.least_macs(),
            activation_bytes=_moved_bytes(effect, bottoms),
            line=spec.line,
            known=rule is not None,
            named_params=named[0],
            named_statistics=named[1],
        )


def with_owners(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The layers, in each of which is counted what an earlier one of them owns already."""
    owned: set[str] = set()
    return tuple(
        replace(
            layer,
            shared_params=_shared(layer.named_params, owned),
            shared_statistics=_shared(layer.named_statistics, owned),
        )
        for layer in layers
    )


def _shared(named: Iterable[tuple[str, int]], owned: set[str]) -> int:
    """How many of these numbers are owned already; all others are from now on."""
    shared = 0
    for name, number in named:
        shared += number if name in owned else 0
        owned.add(name)
    return shared


def _named(
    spec: LayerSpec, effect: Effect
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """Weights and statistics with a name, by which layers share them.

    V1 has the names as plain strings.
    """
    blocks = spec.fields.blocks("param")
    names = tuple(block.word("name", "") for block in blocks) or spec.fields.words("param")
    first, second = effect.weights, effect.statistics
    if effect.statistics_first:
        first, second = second, first
    before = _with_names(names, first)
    behind = _with_names(names[len(first) :], second)
    return (behind, before) if effect.statistics_first else (before, behind)


def _with_names(names: tuple[str, ...], blobs: tuple[Shape, ...]) -> tuple[tuple[str, int], ...]:
    pairs = zip(names, map(count, blobs), strict=False)
    return tuple((name, number) for name, number in pairs if name)


def effect_of(spec: LayerSpec, bottoms: tuple[Shape | None, ...]) -> Effect | None:
    """What one layer does to bottoms of these shapes, without its costs as a part of a net.

    Args:
        spec: The layer.
        bottoms: A shape for each of its bottoms; None where it is not known.

    Returns:
        None where the layer's type or one of its bottoms is not known.

    Raises:
        ModelError: Caffe could not set the layer up.
    """
    rule = RULES.get(spec.type)
    if rule is None:
        return None
    _check_arity(spec, rule, len(_tops(spec)))
    known = tuple(shape for shape in bottoms if shape is not None)
    if len(known) < len(bottoms):
        return None
    effect = rule.apply(spec, known)
    _check_sizes(spec, effect.tops)
    return effect


def _tops(spec: LayerSpec) -> tuple[str, ...]:
    """The tops, with the one that Caffe gives a loss layer that names none."""
    rule = RULES.get(spec.type)
    automatic = rule is not None and rule.automatic_top and not spec.tops
    return (AUTOMATIC_TOP,) if automatic else spec.tops


def _check_arity(spec: LayerSpec, rule: Rule, tops: int) -> None:
    for what, there, (least, most) in (
        ("bottom", len(spec.bottoms), rule.bottoms),
        ("top", tops, rule.tops),
    ):
        if there < least or (most is not None and there > most):
            wanted = str(least) if least == most else f"{least} or more"
            if most is not None and most > least:
                wanted = f"{least} to {most}"
            raise spec.wrong(f"{spec.type} has {wanted} {what} blobs, here are {there}")


def _check_sizes(spec: LayerSpec, shapes: tuple[Shape | None, ...]) -> None:
    for shape in shapes:
        if shape is None:
            continue
        if any(size < 0 for size in shape):
            raise spec.wrong(f"its output would be {shape_text(shape)}")
        if count(shape) > _INT_MAX:
            raise spec.wrong(f"its output of {shape_text(shape)} is more than Caffe can hold")


def _moved_bytes(effect: Effect | None, bottoms: tuple[Shape | None, ...]) -> int | None:
    if effect is None:
        return None
    if not effect.moves_data:
        return 0
    blobs = [*bottoms, *effect.tops]
    if None in blobs:
        return None
    return FP32_BYTES * sum(count(shape) for shape in blobs if shape is not None)
