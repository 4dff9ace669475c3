"""MobileNet v1 and v2: depthwise convolutions, one filter a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.zoo.writer import MSRA, Fields, Prototxt, Word, constant

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel
    from jetbench.nets.zoo.writer import Value

_V1 = """
MobileNet v1, width 1, for inference: batch normalisation uses its stored statistics.

Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv:1704.04861, 2017. Written for jetbench from that architecture;
layers, names and shapes are those of the best-known model for Caffe, shicai's. As
there, depthwise convolutions ask for Caffe's own engine, which takes one group at a
time. The fillers are kept, so that no activation is zero throughout.
"""
_V2 = """
MobileNet v2, width 1, for inference: batch normalisation uses its stored statistics.

Sandler, Howard, Zhu, Zhmoginov, Chen: "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", CVPR 2018. Written for jetbench from that architecture; layers, names
and shapes are those of the best-known model for Caffe, shicai's. As there, the blocks
of 64 channels work at 28 x 28, where other implementations have 14 x 14 and 300
million multiply-accumulates in all. Depthwise convolutions ask for Caffe's own
engine, which takes one group at a time. The fillers are kept, so that no activation
is zero throughout.
"""
_SEPARABLE = {
    "2_1": (64, 1),
    "2_2": (128, 2),
    "3_1": (128, 1),
    "3_2": (256, 2),
    "4_1": (256, 1),
    "4_2": (512, 2),
    "5_1": (512, 1),
    "5_2": (512, 1),
    "5_3": (512, 1),
    "5_4": (512, 1),
    "5_5": (512, 1),
    "5_6": (1024, 2),
    "6": (1024, 1),
}
"""Channels and stride of each pair of a depthwise and a 1 x 1 convolution of v1."""
_BOTTLENECKS = {
    "2_1": (16, 1),
    "2_2": (24, 2),
    "3_1": (24, 1),
    "3_2": (32, 2),
    "4_1": (32, 1),
    "4_2": (32, 1),
    "4_3": (64, 1),
    "4_4": (64, 1),
    "4_5": (64, 1),
    "4_6": (64, 1),
    "4_7": (96, 2),
    "5_1": (96, 1),
    "5_2": (96, 1),
    "5_3": (160, 2),
    "6_1": (160, 1),
    "6_2": (160, 1),
    "6_3": (320, 1),
}
"""Channels and stride of each bottleneck of v2."""
_EXPANSION = 6
"""How many times as many channels a bottleneck has inside as it is given."""
_UNEXPANDED = "2_1"
"""The bottleneck that has no more inside."""
_FIRST = 32
_LAST = 1280


def prototxt(model: ZooModel) -> str:
    """The text of ``mobilenet_v1`` or ``mobilenet_v2``."""
    first = model.name == "mobilenet_v1"
    net = Prototxt(
        model, about=_V1 if first else _V2, name="MOBILENET" if first else "MOBILENET_V2"
    )
    steps = _Steps(net, in_place=first)
    blob = steps.relu("1", net.input_dims(), num_output=_FIRST, kernel_size=3, pad=1, stride=2)
    blob = _separable(net, steps, blob) if first else _bottlenecks(net, steps, blob)
    net.section("Classifier.")
    blob = net.pooling("pool6", blob, "AVE", global_pooling=True)
    blob = net.convolution(
        "fc7", blob, num_output=1000, kernel_size=1, weight_filler=MSRA, bias_filler=constant(0)
    )
    net.softmax(blob)
    return net.text()


class _Steps:
    """Convolutions with batch normalisation, as both versions have them.

    Args:
        net: Where to write them.
        in_place: Whether the normalisation works in place, or on a blob of its own.
    """

    def __init__(self, net: Prototxt, *, in_place: bool) -> None:
        self._net = net
        self._in_place = in_place

    def linear(self, place: str, blob: str, **options: Value) -> str:
        """A convolution and its normalisation."""
        name = f"conv{place}"
        self._net.convolution(name, blob, **options, bias_term=False, weight_filler=MSRA)
        names = (f"{name}/bn", f"{name}/scale")
        top = name if self._in_place else f"{name}/bn"
        return self._net.batch_norm(names, name, top=top, use_global_stats=True, eps=1e-5)

    def relu(self, place: str, blob: str, **options: Value) -> str:
        """A convolution, its normalisation and a ReLU."""
        return self._net.relu(f"relu{place}", self.linear(place, blob, **options))

    def depthwise(self, place: str, blob: str, channels: int, stride: int) -> str:
        """A filter of 3 x 3 for each channel, its normalisation and a ReLU."""
        striding = {"stride": stride} if stride > 1 else {}
        options: Fields = {"kernel_size": 3, "pad": 1, **striding, "group": channels}
        return self.relu(place, blob, num_output=channels, **options, engine=Word("CAFFE"))


def _separable(net: Prototxt, steps: _Steps, blob: str) -> str:
    """What is between the first convolution and the classifier of v1."""
    inputs = _FIRST
    for place, (channels, stride) in _SEPARABLE.items():
        net.section(f"Separable convolution {place}: {inputs} to {channels} channels.")
        blob = steps.depthwise(f"{place}/dw", blob, inputs, stride)
        blob = steps.relu(f"{place}/sep", blob, num_output=channels, kernel_size=1)
        inputs = channels
    return blob


def _bottlenecks(net: Prototxt, steps: _Steps, blob: str) -> str:
    """The same of v2: wide inside, narrow where they are added up."""
    inputs = _FIRST
    for place, (channels, stride) in _BOTTLENECKS.items():
        inside = inputs if place == _UNEXPANDED else _EXPANSION * inputs
        net.section(f"Bottleneck {place}: {inputs} to {inside} to {channels} channels.")
        block = steps.relu(f"{place}/expand", blob, num_output=inside, kernel_size=1)
        block = steps.depthwise(f"{place}/dwise", block, inside, stride)
        block = steps.linear(f"{place}/linear", block, num_output=channels, kernel_size=1)
        if stride == 1 and channels == inputs:
            block = net.layer("Eltwise", f"block_{place}", blob, block)
        blob, inputs = block, channels
    net.section(f"Up to {_LAST} channels.")
    return steps.relu("6_4", blob, num_output=_LAST, kernel_size=1)
