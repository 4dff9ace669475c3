"""GoogLeNet, the first Inception."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jetbench.nets.zoo.writer import XAVIER, Prototxt, constant

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel
    from jetbench.nets.zoo.writer import Value

_ABOUT = """
GoogLeNet (Inception v1) for inference, without the two auxiliary classifiers.

Szegedy et al.: "Going Deeper with Convolutions", CVPR 2015. Written for jetbench from
that architecture; layers, names and shapes are those of the model that Caffe ships as
bvlc_googlenet. The fillers are kept too, so that no activation is zero throughout.
"""


class _Module(NamedTuple):
    """The channels of an Inception module; the reductions lie before 3 x 3 and 5 x 5."""

    by_1x1: int
    reduce_3x3: int
    by_3x3: int
    reduce_5x5: int
    by_5x5: int
    projected: int


_MODULES = {
    "3a": _Module(64, 96, 128, 16, 32, 32),
    "3b": _Module(128, 128, 192, 32, 96, 64),
    "4a": _Module(192, 96, 208, 16, 48, 64),
    "4b": _Module(160, 112, 224, 24, 64, 64),
    "4c": _Module(128, 128, 256, 24, 64, 64),
    "4d": _Module(112, 144, 288, 32, 64, 64),
    "4e": _Module(256, 160, 320, 32, 128, 128),
    "5a": _Module(256, 160, 320, 32, 128, 128),
    "5b": _Module(384, 192, 384, 48, 128, 128),
}
_SIZES = {"3": 28, "4": 14, "5": 7}
"""Height and width of each stage."""
_POOLED = {"3b": "pool3/3x3_s2", "4e": "pool4/3x3_s2"}
"""The modules that a pooling follows."""


def prototxt(model: ZooModel) -> str:
    """The text of ``bvlc_googlenet``."""
    net = Prototxt(model, _ABOUT, name="GoogleNet")
    blob = _stem(net, net.input_layer())
    for name, module in _MODULES.items():
        blob = _inception(net, blob, name, module)
        if name in _POOLED:
            blob = net.pooling(_POOLED[name], blob, "MAX", kernel_size=3, stride=2)
    net.section("Classifier.")
    blob = net.pooling("pool5/7x7_s1", blob, "AVE", kernel_size=7, stride=1)
    blob = net.dropout("pool5/drop_7x7_s1", blob, 0.4)
    blob = net.inner_product(
        "loss3/classifier",
        blob,
        num_output=1000,
        weight_filler=XAVIER,
        bias_filler=constant(0),
    )
    net.softmax(blob)
    return net.text()


def _stem(net: Prototxt, blob: str) -> str:
    """The layers before the first module."""
    blob = _convolution(
        net, "conv1", "7x7_s2", blob, num_output=64, kernel_size=7, pad=3, stride=2
    )
    blob = net.pooling("pool1/3x3_s2", blob, "MAX", kernel_size=3, stride=2)
    blob = net.lrn("pool1/norm1", blob)
    blob = _convolution(net, "conv2", "3x3_reduce", blob, num_output=64, kernel_size=1)
    blob = _convolution(net, "conv2", "3x3", blob, num_output=192, kernel_size=3, pad=1)
    blob = net.lrn("conv2/norm2", blob)
    return net.pooling("pool2/3x3_s2", blob, "MAX", kernel_size=3, stride=2)


def _inception(net: Prototxt, blob: str, name: str, module: _Module) -> str:
    """Four branches side by side."""
    outputs = (module.by_1x1, module.by_3x3, module.by_5x5, module.projected)
    size = _SIZES[name[0]]
    net.section(
        f"Inception {name}: {' + '.join(map(str, outputs))} = {sum(outputs)} channels, "
        f"{size} x {size}."
    )

    def convolution(what: str, bottom: str, channels: int, kernel: int = 1) -> str:
        padding = {"pad": kernel // 2} if kernel > 1 else {}
        return _convolution(
            net, place, what, bottom, num_output=channels, kernel_size=kernel, **padding
        )

    place = f"inception_{name}"
    by_1x1 = convolution("1x1", blob, module.by_1x1)
    reduced = convolution("3x3_reduce", blob, module.reduce_3x3)
    by_3x3 = convolution("3x3", reduced, module.by_3x3, kernel=3)
    reduced = convolution("5x5_reduce", blob, module.reduce_5x5)
    by_5x5 = convolution("5x5", reduced, module.by_5x5, kernel=5)
    pooled = net.pooling(f"{place}/pool", blob, "MAX", kernel_size=3, stride=1, pad=1)
    projected = convolution("pool_proj", pooled, module.projected)
    return net.layer("Concat", f"{place}/output", by_1x1, by_3x3, by_5x5, projected)


def _convolution(net: Prototxt, place: str, what: str, bottom: str, **options: Value) -> str:
    """A convolution and its ReLU, as GoogLeNet names them."""
    blob = net.convolution(
        f"{place}/{what}", bottom, **options, weight_filler=XAVIER, bias_filler=constant(0.2)
    )
    return net.relu(f"{place}/relu_{what.removesuffix('_s2')}", blob)
