"""What each layer type does to shapes and what it costs, one rule a type.

The rules follow ``LayerSetUp`` and ``Reshape`` of the layers of BVLC Caffe 1.0, and of the
forks that are named beside theirs. Where forks mean different things by one type, its
settings tell them apart; where those do not, what it does is not known.
"""

from jetbench.nets.rules import (
    convolution,
    dense,
    elementwise,
    faces,
    flow,
    losses,
    norm,
    pooling,
    pose,
    rcnn,
    rearrange,
    recurrent,
    resize,
    sources,
    ssd,
    video,
    yolo,
)
from jetbench.nets.rules.base import Effect, Rule, Rules

RULES: Rules = {
    **sources.RULES,
    **convolution.RULES,
    **pooling.RULES,
    **dense.RULES,
    **recurrent.RULES,
    **elementwise.RULES,
    **rearrange.RULES,
    **norm.RULES,
    **losses.RULES,
    **resize.RULES,
    **ssd.RULES,
    **rcnn.RULES,
    **yolo.RULES,
    **video.RULES,
    **flow.RULES,
    **faces.RULES,
    **pose.RULES,
}
"""Every layer type that is known."""

FORWARD_ONLY = ("DetectionOutput", "YoloDetectionOutput", "Yolov3DetectionOutput")
"""Layers whose backward pass is ``NOT_IMPLEMENTED``, which ends ``caffe time``."""

__all__ = ["FORWARD_ONLY", "RULES", "Effect", "Rule", "Rules"]
