"""The models that come along, written for jetbench from the published architectures."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.nets.net import Shape


@dataclass(frozen=True, slots=True)
class ZooModel:
    """One model: ``NAME.prototxt`` beside this file."""

    name: str
    title: str
    paper: str
    input: Shape
    """Batch, channels, height and width, as published."""


_MODELS = (
    ZooModel(
        name="bvlc_alexnet",
        title="AlexNet (BVLC)",
        paper="Krizhevsky et al., NIPS 2012",
        input=(10, 3, 227, 227),
    ),
    ZooModel(
        name="bvlc_googlenet",
        title="GoogLeNet (BVLC)",
        paper="Szegedy et al., CVPR 2015",
        input=(10, 3, 224, 224),
    ),
    ZooModel(
        name="vgg16",
        title="VGG-16",
        paper="Simonyan, Zisserman, ICLR 2015",
        input=(10, 3, 224, 224),
    ),
    ZooModel(
        name="resnet50",
        title="ResNet-50",
        paper="He et al., CVPR 2016",
        input=(1, 3, 224, 224),
    ),
)

MODELS: Mapping[str, ZooModel] = MappingProxyType({model.name: model for model in _MODELS})
"""The models by name, in the order in which they are listed."""


def text_of(name: str) -> str:
    """The prototxt of a model, with its published batch.

    Raises:
        KeyError: there is no such model in `MODELS`.
    """
    model = MODELS[name]
    return (resources.files(__name__) / f"{model.name}.prototxt").read_text(encoding="utf-8")
