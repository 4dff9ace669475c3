"""DenseNet-121: each layer takes the outputs of all before it in its block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.zoo.writer import Prototxt

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel

_ABOUT = """
DenseNet-121 (k = 32): in phase TEST batch normalisation uses its stored statistics.

Huang, Liu, van der Maaten, Weinberger: "Densely Connected Convolutional Networks",
CVPR 2017. Written for jetbench from that architecture; layers, names and shapes are
those of the best-known model for Caffe, shicai's, which ends without a softmax. There
pool1 has a pad of 1 and rounds its size down (round_mode: FLOOR), which Caffe can do
since 2018 only. Here it has neither: the size is the same, and any Caffe reads it.
"""
_LAYERS = {2: 6, 3: 12, 4: 24, 5: 16}
"""How many each block has; a block is called by its stage."""
_GROWTH = 32
_BOTTLENECK = 4 * _GROWTH
_FIRST = 64
_LAST_BLOCK = 5


def prototxt(model: ZooModel) -> str:
    """The text of ``densenet121``."""
    net = Prototxt(model, _ABOUT, name="DENSENET_121")
    blob = net.convolution(
        "conv1", net.input_dims(), num_output=64, kernel_size=7, pad=3, stride=2, bias_term=False
    )
    blob = _norm(net, "1", blob)
    blob = net.pooling("pool1", blob, "MAX", kernel_size=3, stride=2)
    channels, size = _FIRST, 56
    for stage, count in _LAYERS.items():
        grown = channels + count * _GROWTH
        net.section(
            f"Block {stage}: {count} layers, {channels} to {grown} channels, {size} x {size}."
        )
        blob = _block(net, blob, stage, count)
        if stage < _LAST_BLOCK:
            channels, size = grown // 2, size // 2
            blob = _transition(net, blob, stage, channels)
    net.section("Classifier.")
    blob = _norm(net, "5_blk", blob)
    blob = net.pooling("pool5", blob, "AVE", global_pooling=True)
    net.convolution("fc6", blob, num_output=1000, kernel_size=1)
    return net.text()


def _block(net: Prototxt, blob: str, stage: int, count: int) -> str:
    """Layers that add their channels to what they were given."""
    for number in range(1, count + 1):
        place = f"{stage}_{number}"
        new = _norm(net, f"{place}/x1", blob)
        new = net.convolution(
            f"conv{place}/x1", new, num_output=_BOTTLENECK, kernel_size=1, bias_term=False
        )
        new = _norm(net, f"{place}/x2", new)
        new = net.convolution(
            f"conv{place}/x2", new, num_output=_GROWTH, kernel_size=3, pad=1, bias_term=False
        )
        blob = net.layer("Concat", f"concat_{place}", blob, new)
    return blob


def _transition(net: Prototxt, blob: str, stage: int, channels: int) -> str:
    """Half the channels, half the height and half the width."""
    net.section(f"Transition {stage}: to {channels} channels.")
    blob = _norm(net, f"{stage}_blk", blob)
    blob = net.convolution(
        f"conv{stage}_blk", blob, num_output=channels, kernel_size=1, bias_term=False
    )
    return net.pooling(f"pool{stage}", blob, "AVE", kernel_size=2, stride=2)


def _norm(net: Prototxt, place: str, blob: str) -> str:
    """Batch normalisation on a blob of its own, and a ReLU."""
    name = f"conv{place}"
    top = net.batch_norm((f"{name}/bn", f"{name}/scale"), blob, top=f"{name}/bn", eps=1e-5)
    return net.relu(f"relu{place}", top)
