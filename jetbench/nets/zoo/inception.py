"""Inception v3: modules of small and of one-dimensional convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.nets.zoo.writer import XAVIER, Prototxt, constant

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel
    from jetbench.nets.zoo.writer import Value

_ABOUT = """
Inception v3, for inference: batch normalisation uses its stored statistics.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: "Rethinking the Inception Architecture for
Computer Vision", CVPR 2016. Written for jetbench from that architecture; layers,
names and shapes are those of the best-known model for Caffe, soeaver's, which is
without the auxiliary classifier. The fillers are kept, so that no activation is zero
throughout.
"""
_KERNELS = {
    "1x1": {"kernel_size": 1},
    "3x3": {"kernel_size": 3, "pad": 1},
    "5x5": {"kernel_size": 5, "pad": 2},
    "1x7": {"kernel_h": 1, "kernel_w": 7, "pad_w": 3},
    "7x1": {"kernel_h": 7, "kernel_w": 1, "pad_h": 3},
    "1x3": {"kernel_h": 1, "kernel_w": 3, "pad_w": 1},
    "3x1": {"kernel_h": 3, "kernel_w": 1, "pad_h": 1},
}
"""Kernels that leave height and width as they are."""
_HALVING = {"kernel_size": 3, "stride": 2}
_PROJECTED = {"a1": 32, "a2": 64, "a3": 64}
"""Channels after the pooling of each module A."""
_INSIDE = {"b1": 128, "b2": 160, "b3": 160, "b4": 192}
"""Channels inside the branches of each module B."""
_POOLS = {"c1": "AVE", "c2": "MAX"}
"""How each module C pools."""


def prototxt(model: ZooModel) -> str:
    """The text of ``inception_v3``."""
    return _InceptionV3(model).text()


class _InceptionV3:
    """The net, written as it is made."""

    def __init__(self, model: ZooModel) -> None:
        self._net = Prototxt(model, _ABOUT)
        self._place = ""
        """What the names of the module begin with that is being written."""

    def text(self) -> str:
        net = self._net
        blob = self._stem(net.input_shape())
        for name, channels in _PROJECTED.items():
            blob = self._module_a(blob, name, channels)
        blob = self._reduction_a(blob)
        for name, channels in _INSIDE.items():
            blob = self._module_b(blob, name, channels)
        blob = self._reduction_b(blob)
        for name, pool in _POOLS.items():
            blob = self._module_c(blob, name, pool)
        net.section("Classifier.")
        blob = net.pooling("pool_8x8_s1", blob, "AVE", global_pooling=True)
        # Not in place, unlike all other models' dropout: so it is published.
        blob = net.layer("Dropout", "pool_8x8_s1_drop", blob, dropout_param={"dropout_ratio": 0.2})
        net.softmax(
            net.inner_product(
                "classifier",
                blob,
                num_output=1000,
                weight_filler=XAVIER,
                bias_filler=constant(0),
            )
        )
        return net.text()

    def _stem(self, blob: str) -> str:
        net = self._net
        blob = self._normed("conv1_3x3_s2", "conv1_3x3_relu", blob, num_output=32, **_HALVING)
        blob = self._normed("conv2_3x3_s1", "conv2_3x3_relu", blob, num_output=32, kernel_size=3)
        blob = self._normed(
            "conv3_3x3_s1", "conv3_3x3_relu", blob, num_output=64, **_KERNELS["3x3"]
        )
        blob = net.pooling("pool1_3x3_s2", blob, "MAX", **_HALVING)
        blob = self._normed(
            "conv4_3x3_reduce", "conv4_relu_3x3_reduce", blob, num_output=80, kernel_size=1
        )
        blob = self._normed("conv4_3x3", "conv4_relu_3x3", blob, num_output=192, kernel_size=3)
        return net.pooling("pool2_3x3_s2", blob, "MAX", **_HALVING)

    def _module_a(self, blob: str, name: str, projected: int) -> str:
        self._begin(f"inception_{name}", f"Inception {name}: {224 + projected} channels, 35 x 35.")
        by_1x1 = self._kernel("1x1", "1x1", blob, 64)
        by_5x5 = self._kernel("5x5_reduce", "1x1", blob, 48)
        by_5x5 = self._kernel("5x5", "5x5", by_5x5, 64)
        by_3x3 = self._kernel("3x3_reduce", "1x1", blob, 64)
        by_3x3 = self._kernel("3x3_1", "3x3", by_3x3, 96)
        by_3x3 = self._kernel("3x3_2", "3x3", by_3x3, 96)
        pooled = self._pool("pool", "AVE", blob)
        pooled = self._kernel("pool_proj", "1x1", pooled, projected)
        return self._concat("output", by_1x1, by_5x5, by_3x3, pooled)

    def _reduction_a(self, blob: str) -> str:
        self._begin("reduction_a", "Reduction a: 768 channels, 17 x 17.")
        short = self._halve("3x3", blob, 384)
        long = self._kernel("3x3_2_reduce", "1x1", blob, 64)
        long = self._kernel("3x3_2", "3x3", long, 96)
        long = self._halve("3x3_3", long, 96)
        return self._concat("concat", short, long, self._halving_pool(blob))

    def _module_b(self, blob: str, name: str, inside: int) -> str:
        self._begin(f"inception_{name}", f"Inception {name}: 768 channels, 17 x 17.")
        by_1x1 = self._kernel("1x1_2", "1x1", blob, 192)
        short = self._kernel("1x7_reduce", "1x1", blob, inside)
        short = self._kernel("1x7", "1x7", short, inside)
        short = self._kernel("7x1", "7x1", short, 192)
        long = self._kernel("7x1_reduce", "1x1", blob, inside)
        long = self._kernel("7x1_2", "7x1", long, inside)
        long = self._kernel("1x7_2", "1x7", long, inside)
        long = self._kernel("7x1_3", "7x1", long, inside)
        long = self._kernel("1x7_3", "1x7", long, 192)
        pooled = self._pool("pool_ave", "AVE", blob)
        pooled = self._kernel("1x1", "1x1", pooled, 192)
        return self._concat("concat", by_1x1, short, long, pooled)

    def _reduction_b(self, blob: str) -> str:
        self._begin("reduction_b", "Reduction b: 1280 channels, 8 x 8.")
        short = self._kernel("3x3_reduce", "1x1", blob, 192)
        short = self._halve("3x3", short, 320)
        long = self._kernel("1x7_reduce", "1x1", blob, 192)
        long = self._kernel("1x7", "1x7", long, 192)
        long = self._kernel("7x1", "7x1", long, 192)
        long = self._halve("3x3_2", long, 192)
        return self._concat("concat", short, long, self._halving_pool(blob))

    def _module_c(self, blob: str, name: str, pool: str) -> str:
        self._begin(f"inception_{name}", f"Inception {name}: 2048 channels, 8 x 8.")
        by_1x1 = self._kernel("1x1_2", "1x1", blob, 320)
        short = self._kernel("1x3_reduce", "1x1", blob, 384)
        short_1x3 = self._kernel("1x3", "1x3", short, 384)
        short_3x1 = self._kernel("3x1", "3x1", short, 384)
        long = self._kernel("3x3_reduce", "1x1", blob, 448)
        long = self._kernel("3x3", "3x3", long, 384)
        long_1x3 = self._kernel("1x3_2", "1x3", long, 384)
        long_3x1 = self._kernel("3x1_2", "3x1", long, 384)
        pooled = self._pool("pool", pool, blob)
        pooled = self._kernel("1x1", "1x1", pooled, 192)
        return self._concat("concat", by_1x1, short_1x3, short_3x1, long_1x3, long_3x1, pooled)

    def _begin(self, place: str, about: str) -> None:
        self._place = place
        self._net.section(about)

    def _kernel(self, what: str, kernel: str, bottom: str, channels: int) -> str:
        return self._in_module(what, bottom, num_output=channels, **_KERNELS[kernel])

    def _halve(self, what: str, bottom: str, channels: int) -> str:
        return self._in_module(what, bottom, num_output=channels, **_HALVING)

    def _halving_pool(self, bottom: str) -> str:
        return self._net.pooling(f"{self._place}_pool", bottom, "MAX", **_HALVING)

    def _pool(self, what: str, pool: str, bottom: str) -> str:
        name = f"{self._place}_{what}"
        return self._net.pooling(name, bottom, pool, kernel_size=3, stride=1, pad=1)

    def _concat(self, what: str, *bottoms: str) -> str:
        return self._net.layer("Concat", f"{self._place}_{what}", *bottoms)

    def _in_module(self, what: str, bottom: str, **options: Value) -> str:
        name = f"{self._place}_{what}"
        return self._normed(name, f"{name}_relu", bottom, **options)

    def _normed(self, name: str, relu: str, bottom: str, **options: Value) -> str:
        """A convolution, its batch normalisation and a ReLU."""
        net = self._net
        net.convolution(name, bottom, **options, bias_term=False, weight_filler=XAVIER)
        net.batch_norm((f"{name}_bn", f"{name}_scale"), name, use_global_stats=True, eps=0.001)
        return net.relu(relu, name)
