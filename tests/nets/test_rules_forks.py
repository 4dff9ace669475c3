"""The rules of the forks' layers against what their sources say, and padding of 2013."""

from __future__ import annotations

import pytest

from jetbench.domain.errors import ModelError
from jetbench.nets.build import build_net
from jetbench.nets.net import shape_text
from jetbench.nets.read import read_net
from jetbench.nets.rules import RULES, Effect
from tests.nets.test_rules import cases, net_of


@pytest.mark.parametrize(("layer", "bottoms", "tops", "stored"), cases("rules_forks.txt"))
def test_rule_agrees_with_the_fork(layer: str, bottoms: str, tops: str, stored: str) -> None:
    """Shapes of the tops and the number of stored values are those of the fork's source."""
    built = build_net(net_of(layer, bottoms)).layers[-1]
    assert built.known
    assert " ".join(map(shape_text, built.output_shapes)) == tops
    assert built.params is not None
    assert built.params + built.statistics == int(stored)


@pytest.mark.parametrize(
    ("layer", "bottoms", "macs"),
    [
        (
            (
                'type: "Correlation" bottom: "a" bottom: "b" top: "t" correlation_param '
                "{ pad: 20 kernel_size: 1 max_displacement: 20 stride_2: 2 }"
            ),
            "1x256x48x64 1x256x48x64",
            441 * 48 * 64 * 256,
        ),
        (
            (
                'type: "Correlation" bottom: "a" bottom: "b" top: "t" correlation_param '
                "{ pad: 4 kernel_size: 3 max_displacement: 4 stride_1: 2 }"
            ),
            "2x16x8x9 2x16x8x9",
            2 * 81 * 3 * 4 * 9 * 16,
        ),
        (
            (
                'type: "Convolution3D" bottom: "a" top: "t" convolution3d_param '
                "{ num_output: 64 kernel_size: 3 kernel_depth: 3 pad: 1 temporal_pad: 1 }"
            ),
            "2x3x16x112x112",
            2 * 64 * 16 * 112 * 112 * 81,
        ),
        (
            (
                'type: "ConvolutionDepthwise" bottom: "a" top: "t" convolution_param '
                "{ num_output: 6 kernel_size: 3 stride: 2 pad: 1 }"
            ),
            "1x6x9x9",
            6 * 5 * 5 * 9,
        ),
        (
            (
                'type: "DeformableConvolution" bottom: "a" bottom: "b" top: "t" '
                "deformable_convolution_param { num_output: 32 kernel_size: 3 pad: 1 }"
            ),
            "1x64x14x14 1x18x14x14",
            32 * 14 * 14 * 64 * 9,
        ),
        (
            (
                'type: "MarginInnerProduct" bottom: "a" bottom: "b" top: "t" '
                "margin_inner_product_param { num_output: 100 }"
            ),
            "8x512 8",
            8 * 512 * 100,
        ),
        (
            'type: "Lstm" bottom: "a" top: "t" lstm_param { num_output: 6 }',
            "5x2x10",
            5 * 2 * 24 * (10 + 6),
        ),
        (
            'type: "InnerDistance" bottom: "a" top: "t" inner_distance_param { num_output: 3 }',
            "8x512",
            8 * 512 * 3,
        ),
        (
            'type: "DetectionOutput" bottom: "a" bottom: "b" bottom: "c"  top: "t"',
            "2x32 2x168 1x2x32",
            0,
        ),
    ],
)
def test_products_of_forks_are_counted(layer: str, bottoms: str, macs: int) -> None:
    """Correlations, depthwise, deformable and 3D convolutions count, detectors' ends do not."""
    built = build_net(net_of(layer, bottoms)).layers[-1]
    assert built.macs == macs


def test_bent_convolution_has_no_fast_algorithm() -> None:
    """Winograd needs windows that do not bend."""
    layer = (
        'type: "DeformableConvolution" bottom: "a" bottom: "b" top: "t" '
        "deformable_convolution_param { num_output: 4 kernel_size: 3 }"
    )
    built = build_net(net_of(layer, "1x4x9x9 1x18x7x7")).layers[-1]
    assert built.fast_macs == built.macs


@pytest.mark.parametrize(
    ("layer", "bottoms"),
    [
        ('type: "Lstm" bottom: "a" top: "t" recurrent_param { num_output: 6 }', "5x2x10"),
        ('type: "Lstm" bottom: "a" top: "t" lstm_param { num_output: 6 batch_size: 2 }', "5x2x10"),
        ('type: "LSTM" bottom: "a" bottom: "b" top: "t" lstm_param { hidden_dim: 6 }', "5x2x10 5"),
        ('type: "GroupNorm" bottom: "a" top: "t"', "2x4x3x3"),
        ('type: "MarginInnerProduct" bottom: "a" bottom: "b" top: "t"', "8x16 8"),
        ('type: "CenterLoss" bottom: "a" bottom: "b" top: "t"', "8x16 8"),
        (
            (
                'type: "Convolution3D" bottom: "a" top: "t" convolution_param '
                "{ num_output: 4 kernel_size: 3 }"
            ),
            "1x3x8x8x8",
        ),
        ('type: "Deconvolution3D" bottom: "a" top: "t"', "1x3x8x8x8"),
        ('type: "Transpose" bottom: "a" top: "t" transpose_param { dim: 0 dim: 1 }', "2x3"),
        ('type: "Transpose" top: "t"', "-"),
    ],
)
def test_what_forks_disagree_on_is_left_open(layer: str, bottoms: str) -> None:
    """Where settings do not tell whose layer it is, shapes, weights and MACs are not known."""
    effect = effect_of(layer, bottoms)
    assert effect.tops == (None,)
    assert effect.macs is None
    assert not effect.weights_known


def test_shape_can_be_known_where_weights_are_not() -> None:
    """Versions of InnerDistance differ in a bias, but not in what they make."""
    layer = 'type: "InnerDistance" bottom: "a" top: "t" inner_distance_param { num_output: 3 }'
    effect = effect_of(layer, "8x512")
    assert effect.tops == ((8, 3),)
    assert not effect.weights_known
    pair = 'type: "InnerDistance" bottom: "a" bottom: "b" top: "t"'
    assert effect_of(pair, "8x512 7x512").tops == ((8, 7),)


OLD_NET = """\
input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9
layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 pad: 7 }
         bottom: "pad1" top: "conv1" }
layers { layer { name: "pad2" type: "padding" } bottom: "conv1" top: "pad2" }
layers { layer { name: "pool2" type: "pool" kernelsize: 2 } bottom: "pad2" top: "pool2" }
layers { layer { name: "relu" type: "relu" } bottom: "conv1" top: "relu" }
"""


def test_padding_layers_are_taken_up() -> None:
    """A convolution or pooling behind a padding of 2013 pads by itself, as Caffe upgrades it."""
    layers = read_net(OLD_NET).layers
    assert [layer.name for layer in layers] == ["input", "conv1", "pool2", "relu"]
    assert [layer.bottoms for layer in layers] == [(), ("data",), ("conv1",), ("conv1",)]
    pads = [layer.fields.block("convolution_param").natural("pad") for layer in layers[:2]]
    assert pads == [0, 2]
    assert layers[2].fields.block("pooling_param").natural("pad") == 0


def test_a_modern_layer_called_padding_stays() -> None:
    """Only the first two forms of the format are brought up to date; a fork's layer is its own."""
    text = """
        input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
        layer { name: "pad" type: "padding" bottom: "data" top: "pad" }
        layer { name: "relu" type: "ReLU" bottom: "pad" top: "relu" }
    """
    assert [layer.type for layer in read_net(text).layers] == ["Input", "padding", "ReLU"]


@pytest.mark.parametrize(
    "reader",
    [
        'layers { layer { name: "x" type: "relu" } bottom: "pad1" top: "x" }',
        'layers { layer { name: "x" type: "padding" } bottom: "pad1" top: "x" }',
        'layers { layer { name: "x" type: "conv" } bottom: "pad1" bottom: "data" top: "x" }',
    ],
)
def test_padding_of_anything_else_is_refused(reader: str) -> None:
    """Caffe takes a padding up in a convolution or pooling with one bottom only."""
    text = "".join(OLD_NET.splitlines(keepends=True)[:2]) + reader
    with pytest.raises(ModelError, match="pads its input"):
        read_net(text)


@pytest.mark.parametrize(
    "layer",
    [
        'layer { name: "d" type: "images" batchsize: 5 cropsize: 9 }',
        'name: "d" type: IMAGE_DATA image_data_param { batch_size: 5 crop_size: 9 }',
    ],
)
def test_old_images_have_their_size(layer: str) -> None:
    """Crops of the first two forms are read from where those have them."""
    net = build_net(f'layers {{ {layer} top: "data" top: "label" }}')
    assert net.layers[0].output_shapes == ((5, 3, 9, 9), (5,))


def effect_of(layer: str, bottoms: str) -> Effect:
    """What the rule alone says of the layer."""
    spec = read_net(net_of(layer, bottoms)).layers[-1]
    shapes = [] if bottoms == "-" else bottoms.split()
    return RULES[spec.type].apply(
        spec, tuple(tuple(map(int, shape.split("x"))) for shape in shapes)
    )
