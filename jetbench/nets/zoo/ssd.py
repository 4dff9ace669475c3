"""SSD300: VGG-16 up to conv5_3, more feature maps, and boxes over six of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jetbench.nets.zoo import vgg
from jetbench.nets.zoo.writer import XAVIER, Fields, Prototxt, Word, constant

if TYPE_CHECKING:
    from jetbench.nets.zoo import ZooModel
    from jetbench.nets.zoo.writer import Value

_ABOUT = """
SSD300 with VGG-16, which finds objects of the 20 classes of Pascal VOC.

Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg: "SSD: Single Shot MultiBox Detector",
ECCV 2016. Written for jetbench from that architecture; layers, names and shapes are
those of the model that the authors published for their fork of Caffe, which it needs.
DetectionOutput writes no file here: that would take a list of labels.

That layer, which stands in phase TEST alone, has no backward pass in the fork, and
"caffe time" runs that of every layer: it ends with "Not Implemented Yet". In phase
TRAIN it runs, and the forward pass is the same but for this layer.
"""
_CLASSES = 21
"""Those of Pascal VOC and the background."""
_FILLERS: Fields = {"weight_filler": XAVIER, "bias_filler": constant(0)}
_STAGES = (2, 2, 3, 3, 3)
"""How many convolutions each stage of VGG-16 has."""
_SIZES = (300, 150, 75, 38, 19)
"""Their outputs; Caffe's pooling rounds up."""
_FEATURES = {6: (256, 512), 7: (128, 256), 8: (128, 256), 9: (128, 256)}
"""Channels of the two convolutions of each further stage."""
_HALVING = (6, 7)
"""The further stages that halve height and width; the others take off a margin."""


class _Map(NamedTuple):
    """A feature map, with the boxes that lie over each of its places."""

    blob: str
    min_size: float
    max_size: float
    step: int
    ratios: tuple[int, ...]

    @property
    def boxes(self) -> int:
        """How many a place has: two squares, and each ratio upright and lying."""
        return 2 + 2 * len(self.ratios)


_MAPS = (
    _Map("conv4_3_norm", 30.0, 60.0, 8, (2,)),
    _Map("fc7", 60.0, 111.0, 16, (2, 3)),
    _Map("conv6_2", 111.0, 162.0, 32, (2, 3)),
    _Map("conv7_2", 162.0, 213.0, 64, (2, 3)),
    _Map("conv8_2", 213.0, 264.0, 100, (2,)),
    _Map("conv9_2", 264.0, 315.0, 300, (2,)),
)


def prototxt(model: ZooModel) -> str:
    """The text of ``ssd300``."""
    net = Prototxt(model, _ABOUT, name="VGG_VOC0712_SSD_300x300_deploy")
    data = net.input_shape()
    _features(net, _backbone(net, data))
    net.section("Normalised, since conv4_3 is on another scale than the later maps.")
    net.layer(
        "Normalize",
        "conv4_3_norm",
        "conv4_3",
        norm_param={
            "across_spatial": False,
            "scale_filler": constant(20),
            "channel_shared": False,
        },
    )
    for feature in _MAPS:
        _head(net, feature, data)
    _detections(net)
    return net.text()


def _backbone(net: Prototxt, blob: str) -> str:
    """VGG-16 whose fully connected layers have become convolutions, one with holes."""
    last = len(_STAGES)
    for number, (count, size) in enumerate(zip(_STAGES, _SIZES, strict=True), start=1):
        blob = vgg.stage(net, number, blob, count=count, size=size, **_FILLERS)
        window = (
            {"kernel_size": 3, "stride": 1, "pad": 1}
            if number == last
            else {"kernel_size": 2, "stride": 2}
        )
        blob = net.pooling(f"pool{number}", blob, "MAX", **window)
    net.section("The fully connected layers, as convolutions: 1024 channels, 19 x 19.")
    blob = _convolution(net, "fc6", blob, num_output=1024, kernel_size=3, pad=6, dilation=6)
    blob = net.relu("relu6", blob)
    blob = _convolution(net, "fc7", blob, num_output=1024, kernel_size=1)
    return net.relu("relu7", blob)


def _features(net: Prototxt, blob: str) -> str:
    """Four more stages of two convolutions, down to one place."""
    for stage, (reduced, channels) in _FEATURES.items():
        net.section(f"Feature map {stage}: {channels} channels.")
        blob = _convolution(net, f"conv{stage}_1", blob, num_output=reduced, kernel_size=1)
        blob = net.relu(f"conv{stage}_1_relu", blob)
        window = {"pad": 1, "stride": 2} if stage in _HALVING else {}
        blob = _convolution(
            net, f"conv{stage}_2", blob, num_output=channels, kernel_size=3, **window
        )
        blob = net.relu(f"conv{stage}_2_relu", blob)
    return blob


def _head(net: Prototxt, feature: _Map, data: str) -> None:
    """What a feature map says of its boxes: where, what, and the boxes themselves."""
    net.section(f"Over {feature.blob}: {feature.boxes} boxes a place.")
    name = f"{feature.blob}_mbox"
    for kind, numbers in (("loc", 4), ("conf", _CLASSES)):
        blob = _convolution(
            net,
            f"{name}_{kind}",
            feature.blob,
            num_output=numbers * feature.boxes,
            kernel_size=3,
            pad=1,
        )
        blob = net.layer(
            "Permute", f"{name}_{kind}_perm", blob, permute_param={"order": (0, 2, 3, 1)}
        )
        net.layer("Flatten", f"{name}_{kind}_flat", blob, flatten_param={"axis": 1})
    net.layer(
        "PriorBox",
        f"{name}_priorbox",
        feature.blob,
        data,
        prior_box_param={
            "min_size": feature.min_size,
            "max_size": feature.max_size,
            "aspect_ratio": feature.ratios,
            "flip": True,
            "clip": False,
            "variance": (0.1, 0.1, 0.2, 0.2),
            "step": feature.step,
            "offset": 0.5,
        },
    )


def _detections(net: Prototxt) -> None:
    """All boxes of all maps together, and the best of them."""
    net.section("All boxes: 8732.")
    for kind, end, axis in (("loc", "_flat", 1), ("conf", "_flat", 1), ("priorbox", "", 2)):
        bottoms = [f"{feature.blob}_mbox_{kind}{end}" for feature in _MAPS]
        net.layer("Concat", f"mbox_{kind}", *bottoms, concat_param={"axis": axis})
    blob = net.layer(
        "Reshape",
        "mbox_conf_reshape",
        "mbox_conf",
        reshape_param={"shape": {"dim": (0, -1, _CLASSES)}},
    )
    blob = net.layer("Softmax", "mbox_conf_softmax", blob, softmax_param={"axis": 2})
    blob = net.layer("Flatten", "mbox_conf_flatten", blob, flatten_param={"axis": 1})
    net.layer(
        "DetectionOutput",
        "detection_out",
        "mbox_loc",
        blob,
        "mbox_priorbox",
        include={"phase": Word("TEST")},
        detection_output_param={
            "num_classes": _CLASSES,
            "share_location": True,
            "background_label_id": 0,
            "nms_param": {"nms_threshold": 0.45, "top_k": 400},
            "code_type": Word("CENTER_SIZE"),
            "keep_top_k": 200,
            "confidence_threshold": 0.01,
        },
    )


def _convolution(net: Prototxt, name: str, bottom: str, **options: Value) -> str:
    return net.convolution(name, bottom, **options, **_FILLERS)
