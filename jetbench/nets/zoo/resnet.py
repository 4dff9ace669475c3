"""ResNet of 18 to 152 layers: blocks of two or three convolutions, and a way round each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jetbench.nets.zoo.writer import MSRA, XAVIER, Prototxt, constant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jetbench.nets.zoo import ZooModel
    from jetbench.nets.zoo.writer import Fields, Value

_PAPER = """
He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016.
Written for jetbench from that architecture; layers, names and shapes are those of the"""
_ABOUT = {
    18: f"""
ResNet-18: in phase TEST batch normalisation uses its stored statistics.
{_PAPER}
best-known model for Caffe, HolmesShuan's; the authors published none of this depth.
As there, the first shortcut is a convolution too, where the paper has none. The
fillers are kept, so that no activation is zero throughout.
""",
    34: f"""
ResNet-34: in phase TEST batch normalisation uses its stored statistics.
{_PAPER}
best-known ResNet-18 for Caffe, HolmesShuan's, with the paper's 3, 4, 6 and 3 blocks:
of this depth itself no model for Caffe became known. As there, the first shortcut is
a convolution too, where the paper has none, and the fillers are kept.
""",
    50: f"""
ResNet-50, for inference: batch normalisation uses its stored statistics.
{_PAPER}
model that the authors published for Caffe. As there, the stride of a stage lies in
its first 1 x 1 convolution, and of all convolutions only the first has a bias.
""",
    101: f"""
ResNet-101, for inference: batch normalisation uses its stored statistics.
{_PAPER}
model that the authors published for Caffe. As there, the stride of a stage lies in
its first 1 x 1 convolution.
""",
    152: f"""
ResNet-152, for inference: batch normalisation uses its stored statistics.
{_PAPER}
model that the authors published for Caffe. As there, the stride of a stage lies in
its first 1 x 1 convolution.
""",
}
_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""How many each of the stages has."""
_FIRST_STAGE = 2
_DEEP = 50
"""From this depth on blocks are bottlenecks, and the authors published the net."""
_NUMBERED = 101
"""From this depth on the blocks of the long stages are a, b1, b2 … instead of a, b, c …"""
_LONG_STAGES = (3, 4)


class _Step(NamedTuple):
    """A convolution with its batch normalisation."""

    name: str
    """Behind ``res``, ``bn`` and ``scale``."""
    channels: int
    kernel: int
    stride: int = 1


def prototxt(model: ZooModel) -> str:
    """The text of ``resnet18`` to ``resnet152``."""
    return _ResNet(model).text()


class _ResNet:
    """One net, written as it is made."""

    def __init__(self, model: ZooModel) -> None:
        self._depth = int(model.name.removeprefix("resnet"))
        self._deep = self._depth >= _DEEP
        self._net = Prototxt(model, _ABOUT[self._depth], name=f"ResNet-{self._depth}")

    def text(self) -> str:
        net = self._net
        blob = self._stem(net.input_dims() if self._deep else net.input_layer())
        for stage, count in enumerate(_BLOCKS[self._depth], start=_FIRST_STAGE):
            blob = self._stage(blob, stage, count)
        net.section("Classifier.")
        blob = net.pooling("pool5", blob, "AVE", kernel_size=7, stride=1)
        fillers: Fields = {"weight_filler": XAVIER, "bias_filler": constant(0)}
        blob = net.inner_product(
            "fc1000", blob, num_output=1000, **({} if self._deep else fillers)
        )
        net.softmax(blob)
        return net.text()

    def _stem(self, blob: str) -> str:
        net = self._net
        # The published ResNet-50 has a bias here, which its siblings are without.
        options = self._options(bias=self._depth == _DEEP)
        blob = net.convolution(
            "conv1", blob, num_output=64, kernel_size=7, pad=3, stride=2, **options
        )
        blob = self._norm("_conv1", blob)
        blob = net.relu("conv1_relu", blob)
        return net.pooling("pool1", blob, "MAX", kernel_size=3, stride=2)

    def _stage(self, blob: str, stage: int, count: int) -> str:
        channels = 16 * 2**stage
        outputs = 4 * channels if self._deep else channels
        size = 224 // 2**stage
        kind = (
            f"bottleneck blocks, {channels} to {outputs}" if self._deep else f"blocks, {outputs}"
        )
        self._net.section(f"Stage {stage}: {count} {kind} channels, {size} x {size}.")
        for number, letter in enumerate(self._letters(stage, count)):
            place = f"{stage}{letter}"
            stride = 2 if number == 0 and stage > _FIRST_STAGE else 1
            shortcut = blob
            if number == 0:
                shortcut = self._step(blob, _Step(f"{place}_branch1", outputs, 1, stride))
            blob = self._branch(blob, self._steps(place, channels, stride))
            blob = self._sum(f"res{place}", shortcut, blob)
        return blob

    def _letters(self, stage: int, count: int) -> list[str]:
        if self._depth >= _NUMBERED and stage in _LONG_STAGES:
            return ["a", *(f"b{number}" for number in range(1, count))]
        return [*"abcdef"[:count]]

    def _steps(self, place: str, channels: int, stride: int) -> tuple[_Step, ...]:
        a, b, c = (f"{place}_branch2{letter}" for letter in "abc")
        if self._deep:
            return (
                _Step(a, channels, 1, stride),
                _Step(b, channels, 3),
                _Step(c, 4 * channels, 1),
            )
        return _Step(a, channels, 3, stride), _Step(b, channels, 3)

    def _branch(self, blob: str, steps: Iterable[_Step]) -> str:
        """Convolutions with a ReLU between each two."""
        first, *others = steps
        blob = self._step(blob, first)
        for step in others:
            blob = self._step(self._net.relu(f"{blob}_relu", blob), step)
        return blob

    def _step(self, blob: str, step: _Step) -> str:
        options: dict[str, Value] = {"num_output": step.channels, "kernel_size": step.kernel}
        if step.kernel > 1:
            options["pad"] = step.kernel // 2
        if step.stride > 1:
            options["stride"] = step.stride
        options |= self._options()
        return self._norm(step.name, self._net.convolution(f"res{step.name}", blob, **options))

    def _norm(self, name: str, blob: str) -> str:
        names = (f"bn{name}", f"scale{name}")
        if self._deep:
            return self._net.batch_norm(names, blob, use_global_stats=True)
        return self._net.batch_norm(names, blob)

    def _sum(self, name: str, shortcut: str, blob: str) -> str:
        # The sum is what Eltwise does unless it is told otherwise.
        blob = self._net.layer("Eltwise", name, shortcut, blob)
        return self._net.relu(f"{name}_relu", blob)

    def _options(self, *, bias: bool = False) -> dict[str, Value]:
        """What all convolutions of the net have in common."""
        options: dict[str, Value] = {} if bias else {"bias_term": False}
        return options if self._deep else {**options, "weight_filler": MSRA}
