"""AlexNet and CaffeNet, which differ in the order of normalisation and pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.zoo.writer import Fields, Prototxt

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel

_ALEXNET = """
AlexNet, the single-tower variant that Caffe ships as bvlc_alexnet.

Krizhevsky, Sutskever, Hinton: "ImageNet Classification with Deep Convolutional
Neural Networks", NIPS 2012. Written for jetbench from that architecture; layers,
names and shapes are those of the published Caffe model. As there, normalisation
comes before pooling, and three of the convolutions are in two groups.
"""
_CAFFENET = """
CaffeNet, the variant of AlexNet that Caffe ships as bvlc_reference_caffenet.

Jia et al.: "Caffe: Convolutional Architecture for Fast Feature Embedding", ACM
Multimedia 2014. Written for jetbench from that architecture; layers, names and shapes
are those of the published Caffe model. As there, pooling comes before normalisation:
it is AlexNet with less to normalise.
"""
_CONVOLUTIONS: tuple[Fields, ...] = (
    {"num_output": 96, "kernel_size": 11, "stride": 4},
    {"num_output": 256, "kernel_size": 5, "pad": 2, "group": 2},
    {"num_output": 384, "kernel_size": 3, "pad": 1},
    {"num_output": 384, "kernel_size": 3, "pad": 1, "group": 2},
    {"num_output": 256, "kernel_size": 3, "pad": 1, "group": 2},
)
_NORMALISED = (1, 2)
_POOLED = (1, 2, 5)


def prototxt(model: ZooModel) -> str:
    """The text of ``bvlc_alexnet`` or ``caffenet``."""
    alexnet = model.name == "bvlc_alexnet"
    net = Prototxt(
        model,
        about=_ALEXNET if alexnet else _CAFFENET,
        name="AlexNet" if alexnet else "CaffeNet",
    )
    blob = net.input_layer()
    for number, options in enumerate(_CONVOLUTIONS, start=1):
        blob = net.convolution(f"conv{number}", blob, **options)
        blob = net.relu(f"relu{number}", blob)
        if alexnet and number in _NORMALISED:
            blob = net.lrn(f"norm{number}", blob)
        if number in _POOLED:
            blob = net.pooling(f"pool{number}", blob, "MAX", kernel_size=3, stride=2)
        if not alexnet and number in _NORMALISED:
            blob = net.lrn(f"norm{number}", blob)
    net.softmax(classifier(net, blob))
    return net.text()


def classifier(net: Prototxt, blob: str) -> str:
    """The three fully connected layers of AlexNet, which VGG took over."""
    for number in (6, 7):
        blob = net.inner_product(f"fc{number}", blob, num_output=4096)
        blob = net.relu(f"relu{number}", blob)
        blob = net.dropout(f"drop{number}", blob, 0.5)
    return net.inner_product("fc8", blob, num_output=1000)
