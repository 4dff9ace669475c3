"""The models that come along are exactly the published ones."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from jetbench.formats.textproto import Message, Scalar, parse
from jetbench.nets.batch import patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.zoo import BVLC, MODELS, SSD_FORK, text_of
from tests.shared import shared

if TYPE_CHECKING:
    from jetbench.nets.net import Net

PUBLISHED = {
    "bvlc_alexnet": "BVLC__caffe__models-bvlc_alexnet-deploy",
    "caffenet": "BVLC__caffe__models-bvlc_reference_caffenet-deploy",
    "vgg16": "dividiti__ck-caffe__package-caffemodel-vgg16-deploy",
    "bvlc_googlenet": "BVLC__caffe__models-bvlc_googlenet-deploy",
    "resnet50": "KaimingHe__deep-residual-networks__prototxt-ResNet-50-deploy",
    "resnet152": "KaimingHe__deep-residual-networks__prototxt-ResNet-152-deploy",
    "squeezenet1.0": "DeepScale__SqueezeNet__SqueezeNet_v1.0-deploy",
    "squeezenet1.1": "DeepScale__SqueezeNet__SqueezeNet_v1.1-deploy",
    "mobilenet_v2": "intel__caffe__models-intel_optimized_models-benchmark-mobilenet_v2-deploy",
    "ssd300": "dividiti__ck-caffe__package-caffemodel-ssd-voc-300-patch.linux-deploy",
}
"""The published file of each model that the corpus has."""
SHORTCUT = 64 * 64 + 2 * 64
"""The first shortcut of the Caffe ResNet-18: a 1 x 1 convolution and its normalisation."""
EXPANSION = 32 * 32 + 2 * 32
"""The first 1 x 1 convolution of the Caffe MobileNet v2, likewise."""
DEFAULTS = {
    ("pad", 0),
    ("stride", 1),
    ("dilation", 1),
    ("group", 1),
    ("operation", "SUM"),
    ("bias_term", "true"),
}
"""What a field says that could as well be left out; Scale alone differs in its bias_term."""
LEFT_OUT = {
    # Of training, and of fillers that do not look at it.
    *("param", "blobs_lr", "weight_decay", "std"),
    # Where SSD would write its results.
    "save_output_param",
    # Intel's copy of MobileNet v2 leaves the choice of an engine to Caffe.
    "engine",
}


@pytest.mark.parametrize(
    ("name", "layers", "params"),
    [
        # The size of the published caffemodel: four bytes a number.
        ("bvlc_alexnet", 24, 60_965_224),
        ("caffenet", 24, 60_965_224),
        ("bvlc_googlenet", 143, 6_998_552),
        # torchvision and Keras give the same numbers for the same architectures.
        ("vgg16", 40, 138_357_544),
        ("vgg19", 46, 143_667_240),
        ("inception_v3", 405, 23_834_568),
        ("resnet101", 450, 44_549_160),
        ("resnet152", 671, 60_192_808),
        ("squeezenet1.0", 67, 1_248_424),
        ("squeezenet1.1", 67, 1_235_496),
        ("densenet121", 548, 7_978_856),
        ("mobilenet_v1", 112, 4_231_976),
        # torchvision's numbers, and what the Caffe models have beyond them.
        ("resnet18", 93, 11_689_512 + SHORTCUT),
        ("resnet34", 165, 21_797_672 + SHORTCUT),
        ("resnet50", 229, 25_557_032 + 64),
        ("mobilenet_v2", 209, 3_504_872 + EXPANSION),
        # The number that its port to PyTorch (amdegroot's ssd.pytorch) has, too.
        ("ssd300", 102, 26_285_486),
    ],
)
def test_layers_and_parameters_are_the_published_ones(name: str, layers: int, params: int) -> None:
    """As the published files and other frameworks' models have them."""
    net = build_net(text_of(name))
    assert (len(net.layers), net.params) == (layers, params)
    assert net.unknown_layers == ()


@pytest.mark.parametrize("name", MODELS)
def test_catalogue_says_what_the_net_is(name: str) -> None:
    """Input and counts, which the list of models and the comment at the top repeat."""
    model, net = MODELS[name], build_net(text_of(name))
    assert net.input_shapes == (("data", model.input),)
    assert (net.params, net.statistics) == (model.params, model.statistics)
    assert net.macs == model.macs * model.input[0]


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        # He et al., table 1, give 1.8, 3.6, 3.8, 7.6 and 11.3 billion.
        ("resnet18", 1.8e9),
        ("resnet34", 3.6e9),
        ("resnet50", 3.8e9),
        ("resnet101", 7.6e9),
        ("resnet152", 11.3e9),
        # Howard et al., table 4.
        ("mobilenet_v1", 569e6),
        # torchvision's tables.
        ("vgg19", 19.63e9),
        ("inception_v3", 5.71e9),
        ("densenet121", 2.83e9),
    ],
)
def test_work_is_that_of_the_papers(name: str, macs: float) -> None:
    """Multiply-accumulates of one image, to the two digits that papers give."""
    assert MODELS[name].macs == pytest.approx(macs, rel=0.025)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"densenet121", "ssd300"}))
def test_classifier_ends_in_a_thousand_classes(name: str) -> None:
    """The last layer is a Softmax over 1000 classes, called prob."""
    last = build_net(text_of(name)).layers[-1]
    assert (last.type, last.tops) == ("Softmax", ("prob",))
    (shape,) = last.output_shapes
    assert shape is not None
    assert shape[:2] == (MODELS[name].input[0], 1000)
    assert set(shape[2:]) <= {1}


def test_densenet_ends_as_published_without_a_softmax() -> None:
    """In a convolution that stands for a fully connected layer."""
    last = build_net(text_of("densenet121")).layers[-1]
    assert (last.name, last.type, last.output_shapes) == (
        "fc6",
        "Convolution",
        ((1, 1000, 1, 1),),
    )


def test_ssd300_lays_the_papers_boxes_over_the_image() -> None:
    """8732 of them; what finds the objects among them stands in phase TEST alone."""
    net = build_net(text_of("ssd300"), phase="TRAIN")
    shapes = {layer.name: layer.output_shapes for layer in net.layers}
    assert shapes["mbox_priorbox"] == ((1, 2, 8732 * 4),)
    assert shapes["mbox_conf_reshape"] == ((1, 8732, 21),)
    assert "detection_out" not in shapes
    assert build_net(text_of("ssd300")).layers[-1].name == "detection_out"


def test_only_ssd300_needs_a_fork() -> None:
    """And only it cannot be timed in phase TEST, since a layer there has no backward pass."""
    odd = {name for name, model in MODELS.items() if model.needs != BVLC}
    assert odd == {name for name, model in MODELS.items() if model.phase != "TEST"} == {"ssd300"}
    assert MODELS["ssd300"].needs == SSD_FORK


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_net_is_the_published_one(name: str, phase: str) -> None:
    """Layer by layer the same name, type, blobs, shapes and counts, in the same order."""
    published = _published(name)
    ours, theirs = build_net(text_of(name), phase=phase), build_net(published, phase=phase)
    assert ours.name == theirs.name
    assert _outline(ours) == _outline(theirs)


@pytest.mark.parametrize("name", PUBLISHED)
def test_layers_say_what_the_published_ones_say(name: str) -> None:
    """Every field that inference depends on, fillers too; what is a default may be left out."""
    ours, theirs = _fields(text_of(name)), _fields(_published(name))
    assert ours == theirs


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
@pytest.mark.parametrize("name", MODELS)
def test_any_batch_changes_one_number(name: str, phase: str) -> None:
    """And the way back gives the text again, byte for byte."""
    text, batch = text_of(name), MODELS[name].input[0]
    patched = patch_batch(text, 24, phase=phase)
    (edit,) = patched.edits
    assert edit.new_line == edit.old_line.replace(f"dim: {batch}", "dim: 24", 1)
    assert patched.notes == ()
    assert patch_batch(patched.text, batch, phase=phase).text == text


@pytest.mark.parametrize("name", MODELS)
def test_text_is_made_to_be_read(name: str) -> None:
    """It begins with what the net is and whose; lines fit, and nothing but ASCII is in it."""
    model, text = MODELS[name], text_of(name)
    comment = text[: text.index("\n\n")]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert model.paper.split()[0].rstrip(",") in comment
    assert model.paper.split()[-1] in comment
    assert f"{model.params:,} parameters" in comment
    assert text.isascii()
    assert text.endswith("}\n")
    assert all(len(line) <= 88 and line == line.rstrip() for line in text.splitlines())


def test_list_of_models_costs_nothing() -> None:
    """The families that write the texts are imported when one is asked for."""
    code = "import sys; from jetbench.nets.zoo import MODELS; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("jetbench.nets.zoo.")}
    assert loaded == {"jetbench.nets.zoo.catalogue"}


def test_unknown_model_is_a_key_error() -> None:
    """As `text_of` says."""
    with pytest.raises(KeyError):
        text_of("resnet19")


def _published(name: str) -> str:
    """The published file, at the batch that is published elsewhere if it is a template."""
    text = shared(f"corpus/prototxt/{PUBLISHED[name]}.prototxt").read_text(encoding="utf-8")
    batch = MODELS[name].input[0]
    return patch_batch(text.replace("$#batch_size#$", str(batch)), batch).text


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


def _fields(text: str) -> dict[str, list[tuple[str, object]]]:
    """What each layer but the input says beyond its name, its type and its blobs."""
    root = parse(text)
    layers = [*root.messages("layer"), *root.messages("layers")]
    said = {}
    for layer in layers:
        name, kind = layer.get("name"), layer.get("type")
        assert name is not None
        assert kind is not None
        if kind.as_str() != "Input":
            said[name.as_str()] = sorted(_said(layer, ""), key=str)
    return said


def _said(message: Message, path: str) -> list[tuple[str, object]]:
    said: list[tuple[str, object]] = []
    for field in message.fields:
        if field.name in LEFT_OUT or (not path and isinstance(field.value, Scalar)):
            continue
        if isinstance(field.value, Message):
            said += _said(field.value, f"{path}{field.name}.")
        elif path == "scale_param." or (field.name, _value(field.value)) not in DEFAULTS:
            said.append((path + field.name, _value(field.value)))
    return said


def _value(scalar: Scalar) -> object:
    number = scalar.as_float()
    return scalar.as_str() if number is None else number
