"""Layers of detectors that work on regions: R-CNN, R-FCN, Mask R-CNN, MS-CNN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.net import Shape, shape_text
from jetbench.nets.rules.base import Effect, Rules, image_axes, not_known, rule

if TYPE_CHECKING:
    from jetbench.nets.spec import LayerSpec

RULES: Rules = {}
_REGION = 5
"""A region of interest: its image, and two corners."""


@rule(RULES, "ROIPooling", "ROI_POOLING", bottoms=(2, 2))
def roi_pooling(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Each region pooled to ``pooled_h x pooled_w`` (Fast R-CNN, Intel, NVIDIA)."""
    return _pooled(layer, bottoms, "roi_pooling_param")


@rule(RULES, "ROIAlign", bottoms=(2, 2))
def roi_align(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Each region interpolated to ``pooled_h x pooled_w`` (Mask R-CNN forks)."""
    for block in ("roi_align_param", "roi_pooling_param"):
        if layer.fields.block(block).has("pooled_h"):
            return _pooled(layer, bottoms, block)
    return not_known(layer)


@rule(RULES, "PSROIPooling", "PSROIAlign", bottoms=(2, 2))
def psroi_pooling(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Each cell of a region pooled from channels of its own (R-FCN)."""
    block = "psroi_pooling_param" if layer.type == "PSROIPooling" else "psroi_align_param"
    options = layer.fields.block(block)
    _, channels, _, _ = image_axes(layer, bottoms[0])
    regions, _, _, _ = image_axes(layer, bottoms[1])
    outputs, cells = options.natural("output_dim"), options.natural("group_size")
    if outputs == 0 or cells == 0:
        raise layer.wrong("it needs output_dim and group_size")
    if channels != outputs * cells * cells:
        raise layer.wrong(
            f"{outputs} outputs in {cells}x{cells} cells need {outputs * cells * cells} "
            f"channels, {layer.bottoms[0]!r} has {channels}"
        )
    return Effect(((regions, outputs, cells, cells),))


@rule(RULES, "Proposal", bottoms=(3, 4), tops=(1, None))
def proposal(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Regions of five numbers, and perhaps their scores (Faster R-CNN, PVANet, Intel).

    Forks that say ``post_nms_topn`` make room for that many an image. In others only the
    data could tell how many, as where the layer is a Python one.
    """
    options = layer.fields.block("proposal_param")
    if not options.has("post_nms_topn"):
        return not_known(layer)
    regions = bottoms[0][0] * options.natural("post_nms_topn")
    others = (None,) * (len(layer.tops) - 2)
    return Effect(((regions, _REGION), (regions,), *others)[: len(layer.tops)])


@rule(RULES, "BoxOutput", bottoms=(1, None), tops=(1, 2))
def box_output(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Regions, and perhaps their scores (MS-CNN): only the data could tell how many."""
    del bottoms
    return not_known(layer)


@rule(RULES, "BoxAnnotatorOHEM", bottoms=(4, 4), tops=(2, 2))
def box_annotator(layer: LayerSpec, bottoms: tuple[Shape, ...]) -> Effect:
    """Labels and weights of the hardest regions only (R-FCN)."""
    regions, _, height, width = image_axes(layer, bottoms[0])
    _, channels, _, _ = image_axes(layer, bottoms[3])
    return Effect(((regions, 1, height, width), (regions, channels, height, width)))


def _pooled(layer: LayerSpec, bottoms: tuple[Shape, ...], block: str) -> Effect:
    options = layer.fields.block(block)
    _, channels, _, _ = image_axes(layer, bottoms[0])
    regions, _, _, _ = image_axes(layer, bottoms[1])
    size = (options.natural("pooled_h"), options.natural("pooled_w"))
    if 0 in size:
        raise layer.wrong(f"its pooled_h and pooled_w must be at least 1, not {shape_text(size)}")
    return Effect(((regions, channels, *size),))
