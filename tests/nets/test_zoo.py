"""The models that come along are exactly the published ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jetbench.cli.models import ModelsFormat, models
from jetbench.nets.build import build_net
from jetbench.nets.zoo import MODELS, text_of
from tests.shared import shared

if TYPE_CHECKING:
    from jetbench.nets.net import Net

PUBLISHED = {
    "bvlc_alexnet": "BVLC__caffe__models-bvlc_alexnet-deploy.prototxt",
    "bvlc_googlenet": "BVLC__caffe__models-bvlc_googlenet-deploy.prototxt",
    "vgg16": "dividiti__ck-caffe__package-caffemodel-vgg16-deploy.prototxt",
    "resnet50": "KaimingHe__deep-residual-networks__prototxt-ResNet-50-deploy.prototxt",
}


@pytest.mark.parametrize(
    ("name", "params", "statistics", "macs"),
    [
        ("bvlc_alexnet", 60_965_224, 0, 724_406_816),
        ("bvlc_googlenet", 6_998_552, 0, 1_582_671_872),
        ("vgg16", 138_357_544, 0, 15_470_264_320),
        ("resnet50", 25_557_096, 53_173, 3_857_973_248),
    ],
)
def test_counts_are_the_published_ones(name: str, params: int, statistics: int, macs: int) -> None:
    """Parameters, statistics, and multiply-accumulates an image."""
    net = build_net(text_of(name))
    assert (net.params, net.statistics) == (params, statistics)
    assert net.macs == macs * MODELS[name].input[0]
    assert net.unknown_layers == ()


@pytest.mark.parametrize("name", MODELS)
def test_input_is_the_published_one(name: str) -> None:
    """One blob called data, with the batch that the list of models states."""
    assert build_net(text_of(name)).input_shapes == (("data", MODELS[name].input),)


@pytest.mark.parametrize("name", MODELS)
def test_model_ends_in_a_thousand_classes(name: str) -> None:
    """The last layer is a Softmax over 1000 classes, called prob."""
    last = build_net(text_of(name)).layers[-1]
    batch = MODELS[name].input[0]
    assert (last.type, last.tops, last.output_shapes) == ("Softmax", ("prob",), ((batch, 1000),))


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
@pytest.mark.parametrize("name", MODELS)
def test_net_is_the_published_one(name: str, phase: str) -> None:
    """Layer by layer the same name, type, blobs, shapes and parameters, in the same order."""
    path = shared(f"corpus/prototxt/{PUBLISHED[name]}")
    published = path.read_text(encoding="utf-8").replace("$#batch_size#$", "10")
    ours, theirs = build_net(text_of(name), phase=phase), build_net(published, phase=phase)
    assert ours.name == theirs.name
    assert _outline(ours) == _outline(theirs)


def test_every_model_says_where_it_comes_from() -> None:
    """Each file begins with a comment that states its parameters."""
    for name in MODELS:
        comment, _, _ = text_of(name).partition("name:")
        assert f"{build_net(text_of(name)).params:,} parameters" in comment


def test_models_command_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people, one JSON document for scripts, a markdown table for documents."""
    models(ModelsFormat.TABLE)
    table = capsys.readouterr().out
    assert "vgg16" in table
    assert "138,357,544    15.47" in table
    assert max(map(len, table.splitlines())) <= 80
    models(ModelsFormat.JSON)
    listed = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in listed] == list(MODELS)
    assert listed[0]["macs"] == 724_406_816
    models(ModelsFormat.MARKDOWN)
    assert capsys.readouterr().out.startswith("| Model ")


def _outline(net: Net) -> list[tuple[object, ...]]:
    return [
        (
            layer.name,
            layer.type,
            layer.bottoms,
            layer.tops,
            layer.output_shapes,
            layer.params,
            layer.statistics,
        )
        for layer in net.layers
    ]
