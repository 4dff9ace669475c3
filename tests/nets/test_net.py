"""From a prototxt to a net: phases, old forms, wiring, and what is not known."""

from __future__ import annotations

import pytest

from jetbench.domain.errors import ModelError
from jetbench.nets.build import AUTOMATIC_TOP, build_net

INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 6 } } }\n'
FORK = (
    INPUT
    + """\
layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc"
  inner_product_param { num_output: 4 } }
layer { name: "act" type: "ReLU" bottom: "fc" top: "fc" }
layer { name: "left" type: "Sigmoid" bottom: "fc" top: "left" }
layer { name: "right" type: "TanH" bottom: "fc" top: "right" }
layer { name: "sum" type: "Eltwise" bottom: "left" bottom: "right" top: "sum" }
"""
)


def test_counts_are_for_the_whole_batch() -> None:
    """MACs and bytes grow with the batch, parameters do not."""
    layer = build_net(FORK).layers[1]
    assert (layer.params, layer.macs) == (6 * 4 + 4, 2 * 6 * 4)
    assert layer.weight_bytes == 4 * (6 * 4 + 4)
    assert layer.activation_bytes == 4 * (2 * 6 + 2 * 4)
    assert build_net(FORK).input_shapes == (("x", (2, 6)),)


def test_splits_are_those_of_caffe() -> None:
    """A top that feeds two layers is split behind the last layer that changes it in place."""
    net = build_net(FORK, insert_splits=True)
    assert [layer.name for layer in net.layers] == [
        "in",
        "fc",
        "act",
        "fc_act_0_split",
        "left",
        "right",
        "sum",
    ]
    split, left, right = net.layers[3:6]
    assert split.tops == ("fc_act_0_split_0", "fc_act_0_split_1")
    assert (left.bottoms, right.bottoms) == (split.tops[:1], split.tops[1:])
    assert (split.activation_bytes, split.line) == (0, None)


def test_splits_change_no_sum() -> None:
    """With and without Split layers the net costs the same."""
    plain, split = build_net(FORK), build_net(FORK, insert_splits=True)
    assert (plain.params, plain.macs) == (split.params, split.macs)
    assert plain.activation_bytes == split.activation_bytes


def test_loss_weight_counts_as_a_reader() -> None:
    """A top with a loss_weight that one layer reads is split in two, as in Caffe."""
    text = INPUT.replace('top: "x"', 'top: "x" loss_weight: 0.5') + (
        'layer { name: "act" type: "ReLU" bottom: "x" top: "y" }'
    )
    net = build_net(text, insert_splits=True)
    assert net.layers[1].name == "x_in_0_split"
    assert net.layers[2].bottoms == ("x_in_0_split_1",)


def test_legacy_input_becomes_a_layer() -> None:
    """Input lines at the end of the file still make the first layer, called input."""
    text = """\
name: "old"
layer { name: "pair" type: "Concat" bottom: "a" bottom: "b" top: "pair" }
input: "a"
input: "b"
input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
input_dim: 1 input_dim: 2 input_dim: 8 input_dim: 8
"""
    net = build_net(text)
    assert [layer.name for layer in net.layers] == ["input", "pair"]
    assert net.input_shapes == (("a", (1, 3, 8, 8)), ("b", (1, 2, 8, 8)))
    assert net.layers[1].output_shapes == ((1, 5, 8, 8),)


def test_legacy_input_shape() -> None:
    """An input_shape each, of any number of axes; without a shape the line means nothing."""
    text = (
        'input: "a" input_shape { dim: 7 dim: 5 } layer { name: "s" type: "Silence" bottom: "a" }'
    )
    assert build_net(text).input_shapes == (("a", (7, 5)),)
    assert build_net('input: "x"\n' + INPUT).input_shapes == (("x", (2, 6)),)


@pytest.mark.parametrize(
    "declared",
    [
        'input: "a" input: "b" input_shape { dim: 1 }',
        'input: "a" input_dim: 1 input_dim: 3 input_dim: 8',
    ],
)
def test_legacy_input_without_its_shape_is_refused(declared: str) -> None:
    """Fewer shapes than inputs are no net."""
    with pytest.raises(ModelError) as caught:
        build_net(declared + ' layer { name: "s" type: "Silence" bottom: "a" }')
    assert caught.value.line == 1


def test_v1_layers_get_modern_types() -> None:
    """``layers { type: INNER_PRODUCT }`` is an InnerProduct layer, sharing by plain names."""
    text = """\
input: "x" input_dim: 2 input_dim: 6 input_dim: 1 input_dim: 1
layers { name: "p" type: INNER_PRODUCT bottom: "x" top: "p" param: "w" param: "b"
         inner_product_param { num_output: 4 } }
layers { name: "q" type: INNER_PRODUCT bottom: "x" top: "q" param: "w" param: "b"
         inner_product_param { num_output: 4 } }
"""
    net = build_net(text)
    assert [layer.type for layer in net.layers] == ["Input", "InnerProduct", "InnerProduct"]
    assert [layer.params for layer in net.layers] == [0, 28, 28]
    assert net.params == 28


def test_a_layer_can_share_with_itself() -> None:
    """Two blobs of one layer with one name are one blob, as in Caffe."""
    text = """\
input: "x" input_dim: 2 input_dim: 3 input_dim: 9 input_dim: 9
layer { name: "s" type: "Scale" bottom: "x" top: "x" param { name: "z" } param { name: "z" }
        scale_param { bias_term: true } }
"""
    net = build_net(text)
    assert (net.layers[-1].params, net.layers[-1].shared_params) == (6, 3)
    assert net.params == 3


@pytest.mark.parametrize(
    ("options", "names", "params", "statistics"),
    [
        ("", "mean var factor", 0, 7),
        ("", "mean var", 0, 8),
        ("", "", 0, 14),
        # NVIDIA's fork has what is learned behind what is not.
        ("batch_norm_param { scale_bias: true }", "mean var factor", 12, 7),
        ("batch_norm_param { scale_bias: true }", "mean var factor slope", 9, 7),
    ],
)
def test_shared_statistics_count_once(
    options: str, names: str, params: int, statistics: int
) -> None:
    """Two branches with one BatchNorm: its means, variances and factor are there once."""
    inputs = "".join(
        f'input: "{name}" input_dim: 2 input_dim: 3 input_dim: 9 input_dim: 9\n' for name in "ab"
    )
    named = " ".join(f'param {{ name: "{name}" lr_mult: 0 }}' for name in names.split())
    norms = "".join(
        f'layer {{ name: "n{name}" type: "BatchNorm" bottom: "{name}" top: "n{name}"'
        f" {named} {options} }}\n"
        for name in "ab"
    )
    net = build_net(inputs + norms)
    assert [layer.statistics for layer in net.layers if layer.bottoms] == [7, 7]
    assert (net.params, net.statistics) == (params, statistics)
    assert net.weight_bytes == 4 * (params + statistics)


def test_v0_layers_get_their_blocks() -> None:
    """The first form, settings side by side in an inner block, gives the same layers."""
    text = """\
input: "x" input_dim: 2 input_dim: 3 input_dim: 9 input_dim: 9
layers {
  layer { name: "c" type: "conv" num_output: 4 kernelsize: 3 stride: 2 biasterm: false }
  bottom: "x" top: "c"
}
layers { layer { name: "p" type: "pool" kernelsize: 3 stride: 2 pool: MAX } bottom: "c" top: "p" }
"""
    convolution, pooling = build_net(text).layers[1:]
    assert (convolution.type, convolution.params) == ("Convolution", 4 * 3 * 3 * 3)
    assert (pooling.name, pooling.output_shapes) == ("p", ((2, 4, 2, 2),))


PHASES = """\
layer { name: "train" type: "Data" top: "x" top: "y" include { phase: TRAIN } }
layer { name: "test" type: "DummyData" top: "x" include { phase: TEST not_stage: "deploy" }
        dummy_data_param { shape { dim: 2 dim: 6 } } }
layer { name: "deploy" type: "DummyData" top: "x" include { phase: TEST stage: "deploy" }
        dummy_data_param { shape { dim: 1 dim: 6 } } }
layer { name: "act" type: "ReLU" bottom: "x" top: "x" }
layer { name: "deep" type: "ReLU" bottom: "x" top: "x" include { min_level: 2 max_level: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "y" exclude { phase: TEST } }
"""


def test_phase_decides_what_is_in_the_net() -> None:
    """Rules to include and exclude are those of Caffe, stages and levels too."""
    names = [layer.name for layer in build_net(PHASES).layers]
    assert names == ["test", "act"]
    names = [layer.name for layer in build_net(PHASES, stages=["deploy"], level=2).layers]
    assert names == ["deploy", "act", "deep"]
    assert build_net('state { stage: "deploy" }\n' + PHASES).input_shapes == (("x", (1, 6)),)


def test_data_sets_leave_shapes_open() -> None:
    """Behind a Data layer nothing is known, and nothing is made up."""
    net = build_net(PHASES, phase="TRAIN")
    assert [layer.name for layer in net.layers] == ["train", "act", "loss"]
    assert net.layers[1].output_shapes == (None,)
    assert (net.params, net.macs, net.input_shapes, net.unknown_layers) == (None, None, (), ())
    assert net.layers[2].tops == (AUTOMATIC_TOP,)


def test_unknown_layer_stops_no_one() -> None:
    """A type without a rule is named; what does not depend on it is known all the same."""
    text = (
        FORK
        + """\
layer { name: "odd" type: "Python" bottom: "sum" top: "odd" }
layer { name: "after" type: "ReLU" bottom: "odd" top: "after" }
layer { name: "beside" type: "ReLU" bottom: "sum" top: "beside" }
"""
    )
    net = build_net(text)
    assert net.unknown_layers == ("odd",)
    assert [layer.output_shapes for layer in net.layers[-3:]] == [(None,), (None,), ((2, 4),)]
    assert (net.params, net.macs, net.activation_bytes) == (None, None, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('layer { name: "z" type: "ReLU" bottom: "nowhere" top: "z" }', "'nowhere'"),
        ('layer { name: "z" type: "ReLU" bottom: "sum" top: "left" }', "already makes"),
        ('layer { name: "z" type: "ReLU" bottom: "left" top: "left" }', "in place"),
        ('layer { name: "z" include { } exclude { } }', "both include and exclude"),
        ('layer { name: "z" name: "y" type: "ReLU" }', "name is given twice"),
        ('layers { name: "z" type: RELU bottom: "sum" top: "z" }', "both “layer” and “layers”"),
    ],
)
def test_net_that_cannot_be_is_refused(line: str, words: str) -> None:
    """The message says what is wrong, and where."""
    with pytest.raises(ModelError) as caught:
        build_net(FORK + line)
    assert words in caught.value.bare
    assert caught.value.line == 8


def test_empty_phase_is_refused() -> None:
    """A net all of whose layers belong to the other phase is none; nor is a made-up phase."""
    text = 'layer { name: "a" type: "Data" top: "a" include { phase: TRAIN } }'
    with pytest.raises(ModelError, match="leaves no layer"):
        build_net(text)
    with pytest.raises(ModelError, match="no such phase"):
        build_net(text, phase="test")
