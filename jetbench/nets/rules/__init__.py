"""What each layer type does to shapes and what it costs, one rule a type.

The rules follow ``LayerSetUp`` and ``Reshape`` of the layers of BVLC Caffe 1.0.
"""

from jetbench.nets.rules import (
    convolution,
    dense,
    detection,
    elementwise,
    losses,
    pooling,
    rearrange,
    recurrent,
    sources,
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
    **losses.RULES,
    **detection.RULES,
}
"""Every layer type that is known."""

__all__ = ["RULES", "Effect", "Rule", "Rules"]
