"""SqueezeNet 1.0 and 1.1: Fire modules, and a convolution for a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.zoo.writer import Prototxt

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel

_ABOUT = """
SqueezeNet {version}.

Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: "SqueezeNet: AlexNet-level accuracy
with 50x fewer parameters and <0.5MB model size", arXiv:1602.07360, 2016. Written for
jetbench from that architecture; layers, names and shapes are those of the model that
the authors published for Caffe. {remark}
"""
_REMARKS = {
    "1.0": "As there, conv10 has a pad around its 1 x 1 kernel.",
    "1.1": "It pools earlier than 1.0, and so has less\nthan half of it to compute.",
}
_CONV1 = {"1.0": (96, 7), "1.1": (64, 3)}
"""Channels and kernel of the first convolution."""
_POOLED = {"1.0": (4, 8), "1.1": (3, 5)}
"""The Fire modules that a pooling follows."""
_SQUEEZED = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}
"""Channels after the squeeze of each Fire module; its two expansions have four times as many."""


def prototxt(model: ZooModel) -> str:
    """The text of ``squeezenet1.0`` or ``squeezenet1.1``."""
    version = model.name.removeprefix("squeezenet")
    net = Prototxt(model, _ABOUT.format(version=version, remark=_REMARKS[version]))
    first = version == "1.0"
    blob = net.input_shape() if first else net.input_layer()
    channels, kernel = _CONV1[version]
    blob = net.convolution("conv1", blob, num_output=channels, kernel_size=kernel, stride=2)
    blob = net.relu("relu_conv1", blob)
    blob = net.pooling("pool1", blob, "MAX", kernel_size=3, stride=2)
    for number, squeezed in _SQUEEZED.items():
        blob = _fire(net, blob, number, squeezed)
        if number in _POOLED[version]:
            blob = net.pooling(f"pool{number}", blob, "MAX", kernel_size=3, stride=2)
    net.section("Classifier.")
    blob = net.dropout("drop9", blob, 0.5)
    padding = {"pad": 1} if first else {}
    blob = net.convolution("conv10", blob, num_output=1000, kernel_size=1, **padding)
    blob = net.relu("relu_conv10", blob)
    net.softmax(net.pooling("pool10", blob, "AVE", global_pooling=True))
    return net.text()


def _fire(net: Prototxt, blob: str, number: int, squeezed: int) -> str:
    """A module: fewer channels by 1 x 1, then more of them by 1 x 1 and by 3 x 3."""
    expanded = 4 * squeezed
    net.section(f"Fire {number}: {squeezed} channels to {expanded} + {expanded}.")

    def convolution(what: str, bottom: str, channels: int, kernel: int) -> str:
        padding = {"pad": 1} if kernel > 1 else {}
        top = net.convolution(
            f"fire{number}/{what}", bottom, num_output=channels, kernel_size=kernel, **padding
        )
        return net.relu(f"fire{number}/relu_{what}", top)

    blob = convolution("squeeze1x1", blob, squeezed, 1)
    by_1x1 = convolution("expand1x1", blob, expanded, 1)
    by_3x3 = convolution("expand3x3", blob, expanded, 3)
    return net.layer("Concat", f"fire{number}/concat", by_1x1, by_3x3)
