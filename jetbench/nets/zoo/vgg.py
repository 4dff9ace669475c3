"""VGG-16 and VGG-19: convolutions of 3 x 3 only, in five stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.zoo.alexnet import classifier
from jetbench.nets.zoo.writer import Prototxt

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel
    from jetbench.nets.zoo.writer import Value

_ABOUT = """
VGG-{depth}, configuration {letter} of the paper.

Simonyan, Zisserman: "Very Deep Convolutional Networks for Large-Scale Image
Recognition", ICLR 2015. Written for jetbench from that architecture; layers, names
and shapes are those of the model that the authors published for Caffe.
"""
_CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""How many there are in each stage."""
_LETTERS = {16: "D", 19: "E"}
CHANNELS = (64, 128, 256, 512, 512)
"""Of the convolutions of each stage."""


def prototxt(model: ZooModel) -> str:
    """The text of ``vgg16`` or ``vgg19``."""
    depth = int(model.name.removeprefix("vgg"))
    about = _ABOUT.format(depth=depth, letter=_LETTERS[depth])
    net = Prototxt(model, about, name=f"VGG_ILSVRC_{depth}_layers")
    blob = net.input_dims()
    size = model.input[-1]
    for number, count in enumerate(_CONVOLUTIONS[depth], start=1):
        blob = stage(net, number, blob, count=count, size=size)
        blob = net.pooling(f"pool{number}", blob, "MAX", kernel_size=2, stride=2)
        size //= 2
    net.section("Classifier.")
    net.softmax(classifier(net, blob))
    return net.text()


def stage(net: Prototxt, number: int, blob: str, *, count: int, size: int, **more: Value) -> str:
    """The convolutions of a stage, with a section of their own, up to the pooling.

    Args:
        net: Where to write them.
        number: The stage, from 1.
        blob: What the stage begins with.
        count: How many convolutions there are.
        size: Height and width of their outputs.
        more: More fields for each convolution.
    """
    channels = CHANNELS[number - 1]
    net.section(f"Stage {number}: {count} convolutions to {channels} channels, {size} x {size}.")
    for which in range(1, count + 1):
        place = f"{number}_{which}"
        blob = net.convolution(
            f"conv{place}", blob, num_output=channels, kernel_size=3, pad=1, **more
        )
        blob = net.relu(f"relu{place}", blob)
    return blob
