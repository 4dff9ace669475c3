"""Which layers a phase leaves of a net (Caffe's ``Net::FilterNet``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec, NetSpec


PHASES = ("TEST", "TRAIN")
_BY_NUMBER = {"0": "TRAIN", "1": "TEST"}
"""The text format takes a value of an enumeration by its number, too."""


@dataclass(frozen=True, slots=True)
class State:
    """What ``caffe time`` is asked to build: ``-phase``, ``-stage`` and ``-level``."""

    phase: str
    stages: tuple[str, ...] = ()
    level: int = 0


def layers_of(spec: NetSpec, state: State) -> tuple[LayerSpec, ...]:
    """The layers that a phase leaves of a net, in their order.

    Raises:
        ModelError: one has rules of both kinds, which Caffe refuses.
    """
    return tuple(layer for layer in spec.layers if keeps(layer, state))


def keeps(layer: LayerSpec, state: State) -> bool:
    """Whether the layer's ``include`` or ``exclude`` rules leave it in the net.

    Raises:
        ModelError: it has rules of both kinds, which Caffe refuses.
    """
    include = layer.fields.blocks("include")
    exclude = layer.fields.blocks("exclude")
    if include and exclude:
        raise layer.wrong("it has both include and exclude rules")
    if include:
        return any(_meets(rule, state) for rule in include)
    return not any(_meets(rule, state) for rule in exclude)


def _meets(rule: Fields, state: State) -> bool:
    """Whether all conditions of one rule hold; a rule without any always does."""
    return (
        _BY_NUMBER.get(phase := rule.word("phase", state.phase), phase) == state.phase
        and rule.integer("min_level", state.level) <= state.level
        and rule.integer("max_level", state.level) >= state.level
        and all(stage in state.stages for stage in rule.words("stage"))
        and not any(stage in state.stages for stage in rule.words("not_stage"))
    )
