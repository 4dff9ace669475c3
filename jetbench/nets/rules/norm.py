"""Normalisation over batches, groups and channels: BatchNorm, BN, GroupNorm, Normalize, …."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, count, shape_text
from jetbench.nets.rules.base import Effect, Rules, axis_of, image_axes, rule, undecided

if TYPE_CHECKING:
    from jetbench.nets.spec import Fields, LayerSpec

RULES: Rules = {}
_SLOPE_AND_BIAS = 2


@rule(RULES, "BatchNorm")
def batch_norm(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; mean and variance a channel and one factor are kept, none learned.

    With ``scale_bias`` or a filler for one of the two, NVIDIA's fork also learns a factor
    and a bias for each channel, as a Scale layer behind it would.
    """
    (bottom,) = bottoms
    options = layer.fields.block("batch_norm_param")
    channels = bottom[1] if len(bottom) > 1 else 1
    learns = (
        options.flag("scale_bias", default=False)
        or options.has("scale_filler")
        or options.has("bias_filler")
    )
    weights = ((channels,), (channels,)) if learns else ()
    kept = ((channels,), (channels,), (1,))
    return Effect(bottoms, weights, statistics=kept, statistics_first=True)


@rule(RULES, "BN", "SyncBN")
def bn(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; a learned slope and bias a channel (SegNet, PSPNet, caffe-windows).

    PSPNet's and most others also keep a mean and a variance a channel. SegNet's does not, and
    is known by its ``bn_mode``, or by fillers ``scale_`` and ``shift_`` where the layer has no
    ``param`` for blobs beyond these two.
    """
    (bottom,) = bottoms
    channels = (bottom[axis_of(layer, bottom, 1)],)
    options = layer.fields.block("bn_param")
    kept = () if _keeps_none(layer, options) else (channels, channels)
    return Effect(bottoms, (channels, channels), statistics=kept)


@rule(RULES, "GroupNorm")
def group_norm(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; with ``group``, a learned factor and bias a channel (SENet's author).

    With ``group_num`` (other forks) nothing is learned.
    """
    (bottom,) = bottoms
    options = layer.fields.block("group_norm_param")
    name = next((name for name in ("group", "group_num") if options.has(name)), None)
    if name is None:
        return undecided(layer)
    channels, groups = bottom[axis_of(layer, bottom, 1)], options.natural(name)
    if groups == 0 or channels % groups:
        raise layer.wrong(f"{channels} channels cannot be cut into {groups} groups")
    return Effect(bottoms, ((channels,), (channels,)) if name == "group" else ())


@rule(RULES, "Normalize", tops=(1, 2))
def normalize(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape; a learned factor for each channel, or one for all (SSD fork).

    Without SSD's ``norm_param`` it is the layer of face recognition (caffe-windows), which
    learns nothing; its second top is what each place was divided by.
    """
    (bottom,) = bottoms
    if layer.fields.has("norm_param"):
        shared = layer.fields.block("norm_param").flag("channel_shared", default=True)
        return Effect(bottoms, weights=(() if shared else (bottom[axis_of(layer, bottom, 1)],),))
    batch, _, height, width = shape = image_axes(layer, bottom)
    return Effect((shape, (batch, 1, height, width))[: len(layer.tops)])


@rule(RULES, "L2Normalization", "L2Normalize")
def l2_normalize(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The same shape, divided by its length (common forks for faces and retrieval)."""
    del layer
    return Effect(bottoms)


@rule(RULES, "ChannelNorm")
def channel_norm(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """The length of the vector of channels at each place (FlowNet 2)."""
    batch, _, height, width = image_axes(layer, bottoms[0])
    return Effect(((batch, 1, height, width),))


@rule(RULES, "Axpy", bottoms=(3, 3))
def axpy(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """A factor a channel times the second bottom, plus the third (SENet)."""
    factors, values, others = bottoms
    if factors[:2] != values[:2] or count(factors[2:]) != 1 or values != others:
        raise layer.wrong(
            f"{shape_text(factors)} factors do not fit {shape_text(values)} and "
            f"{shape_text(others)}"
        )
    return Effect((values,))


def _keeps_none(layer: LayerSpec, options: Fields) -> bool:
    """Whether a BN layer stores slope and bias only."""
    if options.has("bn_mode") or not options.flag("moving_average", default=True):
        return True
    scale_and_shift = options.has("scale_filler") or options.has("shift_filler")
    return scale_and_shift and len(layer.fields.blocks("param")) <= _SLOPE_AND_BIAS
