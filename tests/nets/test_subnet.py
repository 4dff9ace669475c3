"""What a layer needs of the net before it, and nothing else."""

from __future__ import annotations

import pytest

from jetbench.domain.errors import UsageError
from jetbench.nets.build import build_net
from jetbench.nets.subnet import up_to

BRANCHES = """\
layer { name: "in" type: "Input" top: "x"
        input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "info" type: "Input" top: "im_info" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "stem" type: "Convolution" bottom: "x" top: "stem"
        convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "stem_relu" type: "ReLU" bottom: "stem" top: "stem" }
layer { name: "left" type: "Convolution" bottom: "stem" top: "l"
        convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "left_relu" type: "ReLU" bottom: "l" top: "l" }
layer { name: "right" type: "Convolution" bottom: "stem" top: "r"
        convolution_param { num_output: 5 kernel_size: 1 } }
layer { name: "odd" type: "Python" bottom: "r" bottom: "im_info" top: "odd" }
layer { name: "join" type: "Concat" bottom: "l" bottom: "r" top: "join" }
layer { name: "late" type: "Dropout" bottom: "join" top: "join" }
"""

TOWERS = """\
input: "a" input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8
input: "b" input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8
layer { name: "fa" type: "InnerProduct" bottom: "a" top: "fa" param { name: "w" }
        param { name: "v" } inner_product_param { num_output: 10 } }
layer { name: "ga" type: "InnerProduct" bottom: "fa" top: "ga" param { name: "u" }
        inner_product_param { num_output: 2 bias_term: false } }
layer { name: "fb" type: "InnerProduct" bottom: "b" top: "fb" param { name: "w" }
        param { name: "v" } inner_product_param { num_output: 10 } }
layer { name: "gb" type: "InnerProduct" bottom: "fb" top: "gb" param { name: "u" }
        inner_product_param { num_output: 2 bias_term: false } }
layer { name: "both" type: "Concat" bottom: "ga" bottom: "gb" top: "both" }
"""
TOWER = 10 * 64 + 10 + 2 * 10


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("in", "in"),
        ("x", "in"),
        # The layer comes first, the blob it is called after is done only with its ReLU.
        ("stem", "in stem"),
        ("stem_relu", "in stem stem_relu"),
        ("left", "in stem stem_relu left"),
        ("l", "in stem stem_relu left left_relu"),
        ("right", "in stem stem_relu right"),
        ("odd", "in info stem stem_relu right odd"),
        ("late", "in stem stem_relu left left_relu right join late"),
        ("join", "in stem stem_relu left left_relu right join"),
    ],
)
def test_only_ancestors_are_kept(name: str, layers: str) -> None:
    """Other branches and what comes later are left out, in-place layers before are not."""
    net = up_to(build_net(BRANCHES), name)
    assert [layer.name for layer in net.layers] == layers.split()


def test_costs_are_those_of_what_is_kept() -> None:
    """An unknown layer in another branch is no obstacle any more."""
    whole = build_net(BRANCHES)
    assert whole.macs is None
    left = up_to(whole, "left")
    assert left.macs == 6 * 6 * 4 * 27 + 6 * 6 * 2 * 4
    assert left.unknown_layers == ()
    assert left.input_shapes == (("x", (1, 3, 8, 8)),)
    assert (left.phase, left.name) == (whole.phase, whole.name)


def test_of_two_layers_with_one_name_the_last_is_meant() -> None:
    """As Caffe finds a layer by its name."""
    text = BRANCHES.replace('name: "right"', 'name: "left"')
    assert up_to(build_net(text), "left").layers[-1].tops == ("r",)


def test_splits_are_kept_where_the_net_has_them() -> None:
    """They are layers like any other."""
    net = up_to(build_net(BRANCHES, insert_splits=True), "left")
    assert [layer.type for layer in net.layers][-2:] == ["Split", "Convolution"]


@pytest.mark.parametrize(("name", "params"), [("ga", TOWER), ("gb", TOWER), ("both", TOWER)])
def test_shared_parameters_count_once(name: str, params: int) -> None:
    """Also in a tower whose parameters belong to one that is left out."""
    assert up_to(build_net(TOWERS), name).params == params


def test_who_shares_is_told_by_name_and_not_by_size() -> None:
    """Two heads of one size, each over two levels: one level has the parameters of both."""
    heads = "".join(
        f'layer {{ name: "{head}{level}" type: "Convolution"'
        f' bottom: "{level}" top: "{head}{level}"'
        f' param {{ name: "{head}" }} convolution_param {{ num_output: 4 kernel_size: 1'
        f" bias_term: false }} }}\n"
        for level in "pq"
        for head in ("cls", "box")
    )
    inputs = "".join(
        f'input: "{level}" input_dim: 1 input_dim: 4 input_dim: 6 input_dim: 6\n' for level in "pq"
    )
    joined = 'layer { name: "all" type: "Concat" bottom: "clsq" bottom: "boxq" top: "all" }\n'
    net = build_net(inputs + heads + joined)
    assert net.params == 2 * 4 * 4
    assert up_to(net, "all").params == 2 * 4 * 4


def test_the_last_layer_gives_the_same_net_where_all_lead_to_it() -> None:
    """Nothing to leave out, nothing changed."""
    net = build_net(TOWERS)
    assert up_to(net, "both") == net


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rihgt", "did you mean right?"),
        ("left_rel", "did you mean left_relu or left?"),
        ("zzz", "its last layer is late"),
        ("", "its last layer is late"),
    ],
)
def test_a_name_that_is_not_there_brings_the_nearest(name: str, hint: str) -> None:
    """An error of usage, with what was perhaps meant."""
    with pytest.raises(UsageError) as caught:
        up_to(build_net(BRANCHES), name)
    assert repr(name) in caught.value.message
    assert caught.value.hint == hint
