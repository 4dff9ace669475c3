"""What there is to know of each model that comes along, without writing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.nets.net import Shape

BVLC = "BVLC 1.0"
"""Any Caffe will do: BVLC's of 2017, or a fork that is not older."""
SSD_FORK = "SSD fork"
"""weiliu89's branch ``ssd``, or a fork that has taken over its layers."""


@dataclass(frozen=True, slots=True)
class ZooModel:
    """One model. Its counts are those that ``build_net`` finds in its text."""

    name: str
    """What is typed."""
    family: str
    """The module beside this one that writes it."""
    title: str
    """What people call it."""
    paper: str
    """First author, where it was published, and the year."""
    input: Shape
    """Batch, channels, height and width, as published."""
    params: int
    """Learned numbers."""
    macs: int
    """Multiply-accumulates of convolutions and matrix products, for one image."""
    statistics: int = 0
    """Stored numbers that are not learned."""
    needs: str = BVLC
    """Which Caffe can read it: `BVLC` or `SSD_FORK`."""
    phase: str = "TEST"
    """The phase in which ``caffe time`` can run it: TRAIN where a layer of TEST has no
    backward pass."""


CATALOGUE = (
    ZooModel(
        name="bvlc_alexnet",
        family="alexnet",
        title="AlexNet (BVLC)",
        paper="Krizhevsky et al., NIPS 2012",
        input=(10, 3, 227, 227),
        params=60_965_224,
        macs=724_406_816,
    ),
    ZooModel(
        name="caffenet",
        family="alexnet",
        title="CaffeNet (BVLC)",
        paper="Jia et al., ACM MM 2014",
        input=(10, 3, 227, 227),
        params=60_965_224,
        macs=724_406_816,
    ),
    ZooModel(
        name="vgg16",
        family="vgg",
        title="VGG-16",
        paper="Simonyan, Zisserman, ICLR 2015",
        input=(10, 3, 224, 224),
        params=138_357_544,
        macs=15_470_264_320,
    ),
    ZooModel(
        name="vgg19",
        family="vgg",
        title="VGG-19",
        paper="Simonyan, Zisserman, ICLR 2015",
        input=(10, 3, 224, 224),
        params=143_667_240,
        macs=19_632_062_464,
    ),
    ZooModel(
        name="bvlc_googlenet",
        family="googlenet",
        title="GoogLeNet (BVLC)",
        paper="Szegedy et al., CVPR 2015",
        input=(10, 3, 224, 224),
        params=6_998_552,
        macs=1_582_671_872,
    ),
    ZooModel(
        name="inception_v3",
        family="inception",
        title="Inception v3",
        paper="Szegedy et al., CVPR 2016",
        input=(1, 3, 299, 299),
        params=23_834_568,
        macs=5_713_216_096,
        statistics=34_526,
    ),
    ZooModel(
        name="resnet18",
        family="resnet",
        title="ResNet-18",
        paper="He et al., CVPR 2016",
        input=(1, 3, 224, 224),
        params=11_693_736,
        macs=1_826_918_400,
        statistics=9_749,
    ),
    ZooModel(
        name="resnet34",
        family="resnet",
        title="ResNet-34",
        paper="He et al., CVPR 2016",
        input=(1, 3, 224, 224),
        params=21_801_896,
        macs=3_676_606_464,
        statistics=17_189,
    ),
    ZooModel(
        name="resnet50",
        family="resnet",
        title="ResNet-50",
        paper="He et al., CVPR 2016",
        input=(1, 3, 224, 224),
        params=25_557_096,
        macs=3_857_973_248,
        statistics=53_173,
    ),
    ZooModel(
        name="resnet101",
        family="resnet",
        title="ResNet-101",
        paper="He et al., CVPR 2016",
        input=(1, 3, 224, 224),
        params=44_549_160,
        macs=7_570_194_432,
        statistics=105_448,
    ),
    ZooModel(
        name="resnet152",
        family="resnet",
        title="ResNet-152",
        paper="He et al., CVPR 2016",
        input=(1, 3, 224, 224),
        params=60_192_808,
        macs=11_282_415_616,
        statistics=151_579,
    ),
    ZooModel(
        name="squeezenet1.0",
        family="squeezenet",
        title="SqueezeNet 1.0",
        paper="Iandola et al., arXiv 2016",
        input=(10, 3, 227, 227),
        params=1_248_424,
        macs=861_339_936,
    ),
    ZooModel(
        name="squeezenet1.1",
        family="squeezenet",
        title="SqueezeNet 1.1",
        paper="Iandola et al., arXiv 2016",
        input=(10, 3, 227, 227),
        params=1_235_496,
        macs=387_747_520,
    ),
    ZooModel(
        name="densenet121",
        family="densenet",
        title="DenseNet-121",
        paper="Huang et al., CVPR 2017",
        input=(1, 3, 224, 224),
        params=7_978_856,
        macs=2_834_161_664,
        statistics=83_769,
    ),
    ZooModel(
        name="mobilenet_v1",
        family="mobilenet",
        title="MobileNet v1",
        paper="Howard et al., arXiv 2017",
        input=(1, 3, 224, 224),
        params=4_231_976,
        macs=568_740_352,
        statistics=21_915,
    ),
    ZooModel(
        name="mobilenet_v2",
        family="mobilenet",
        title="MobileNet v2",
        paper="Sandler et al., CVPR 2018",
        input=(1, 3, 224, 224),
        params=3_505_960,
        macs=429_111_936,
        statistics=34_229,
    ),
    ZooModel(
        name="ssd300",
        family="ssd",
        title="SSD300 (VGG-16, Pascal VOC)",
        paper="Liu et al., ECCV 2016",
        input=(1, 3, 300, 300),
        params=26_285_486,
        macs=31_373_537_792,
        needs=SSD_FORK,
        phase="TRAIN",
    ),
)
