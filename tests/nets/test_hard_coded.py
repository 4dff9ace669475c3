"""Batches further down: found through the shapes, or refused."""

from __future__ import annotations

import pytest

from jetbench.nets.batch import patch_batch
from tests.nets.prototxt import (
    INPUT_LAYER,
    changes,
    dims,
    inputs,
    layer,
    refused,
)

FORK = layer("Any")
"""A layer of which nothing is known."""


def lstm(bottom: str = "words cont") -> str:
    """A recurrent layer that Caffe knows."""
    return layer("LSTM", "recurrent_param { num_output: 7 }", bottom)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (layer("Reshape", "reshape_param { shape { dim: 2 dim: 48 dim: -1 } }"), "which number"),
        (layer("Slice", "slice_param { axis: 0 slice_point: 5 }", top="a b"), "unequal pieces"),
        (
            layer("Slice", "slice_param { axis: 0 slice_point: 4 slice_point: 8 }", top="a b c"),
            "3 pieces",
        ),
        (layer("InnerProduct", "inner_product_param { axis: 0 num_output: 5 }"), "other weights"),
        (layer("Bias", "bias_param { axis: 0 }"), "other weights"),
        (layer("Python", 'python_param { param_str: "{n: 12}" }'), "param_str"),
        (layer("Anything", "anything_param { batch_size: 12 }"), "batch_size"),
        (layer("BatchReindex", bottom="data data"), "by number"),
        (layer("LSTM", bottom="data data"), "recurrent"),
        (layer("Python", "python_param { module: 'feeder' }", ""), "own data"),
        (layer("MemoryData", "memory_data_param { batch_size: 12 }", ""), "data set"),
        (FORK + layer("Reshape", "reshape_param { shape { dim: 12 } }", "out"), "batch"),
        (
            FORK + layer("Reshape", "reshape_param { shape { dim: -1 dim: 12 } }", "out"),
            "may hold",
        ),
        (FORK + layer("Slice", "slice_param { slice_dim: 0 }", "out", "a b"), "axis 0"),
        (FORK + layer("Permute", "permute_param { order: 1 order: 0 }", "out"), "another axis"),
    ],
)
def test_a_batch_that_cannot_be_followed_is_refused(tail: str, words: str) -> None:
    """The line of the layer is named, and what makes it uncertain."""
    error = refused(INPUT_LAYER + tail)
    assert error.line is not None
    assert error.line >= 7
    assert words in error.message


@pytest.mark.parametrize(
    ("tail", "changed"),
    [
        (layer("Reshape", "reshape_param { shape { dim: 12 dim: -1 } }"), "dim: 4 dim: -1"),
        (layer("Reshape", "reshape_param { shape { dim: 36 dim: 1600 } }"), "dim: 12 dim: 1600"),
        (layer("Reshape", "reshape_param { shape { dim: 1 dim: 12 dim: -1 } }"), "dim: 1 dim: 4"),
        (
            layer("Reshape", "reshape_param { num_axes: 1 shape { dim: 12 dim: 1 } }"),
            "dim: 4 dim: 1",
        ),
        (layer("Slice", "slice_param { axis: 0 slice_point: 6 }", top="a b"), "slice_point: 2"),
        (
            layer("Permute", "permute_param { order: 1 order: 0 }")
            + layer("Reshape", "reshape_param { shape { dim: 0 dim: 12 dim: -1 } }", "out", "r"),
            "dim: 0 dim: 4 dim: -1",
        ),
    ],
)
def test_a_batch_further_down_is_found_through_the_shapes(tail: str, changed: str) -> None:
    """It changes with the input's, a note says so, and the way back gives the first file."""
    text = INPUT_LAYER + tail
    patched = patch_batch(text, 4)
    assert len(patched.edits) == 2
    assert changed in patched.edits[1].new_line
    assert any("held the batch" in note for note in patched.notes)
    assert patch_batch(patched.text, 4).text == patched.text
    assert patch_batch(patched.text, 12).text == text


def test_a_one_is_the_batch_where_the_net_could_not_be_built_otherwise() -> None:
    """Beside a -1 it could be another number, but not if what follows needs one row an image."""
    text = inputs(data="1x8x6x6") + layer("Reshape", "reshape_param { shape { dim: 1 dim: -1 } }")
    assert "whether the 1" in refused(text, batch=4).message
    dense = layer("InnerProduct", "inner_product_param { num_output: 5 }", "out", "fc")
    patched = patch_batch(text + dense, 4)
    assert patched.text == (text + dense).replace("dim: 1 ", "dim: 4 ")
    assert patch_batch(patched.text, 1).text == text + dense


def test_scores_of_a_detector_are_of_the_images_of_its_places() -> None:
    """So the 1 in front of SSD's classes is the batch, and can be another one and 1 again."""
    permuted = "permute_param { order: 0 order: 2 order: 3 order: 1 }"
    text = (
        inputs(data="1x8x6x6")
        + layer("Permute", permuted, top="places")
        + layer("Flatten", bottom="places", top="flat")
        + layer("Permute", permuted, top="all")
        + layer("Reshape", "reshape_param { shape { dim: 1 dim: -1 dim: 2 } }", "all", "scores")
        + layer("Flatten", bottom="scores", top="rows")
        + layer("PriorBox", "prior_box_param { min_size: 3 }", "data data", "boxes")
    )
    detector = layer("DetectionOutput", bottom="flat rows boxes")
    assert "whether the 1" in refused(text, batch=8).message
    patched = patch_batch(text + detector, 8)
    assert [edit.line for edit in patched.edits] == [1, 5]
    assert patch_batch(patched.text, 1).text == text + detector


def test_a_batch_that_is_folded_into_one_item_is_refused() -> None:
    """Twelve frames pooled into one are no batch of twelve: there is no smaller one."""
    flat = layer("InnerProduct", "inner_product_param { num_output: 5 }")
    rows = layer(
        "Reshape", "reshape_param { shape { dim: 1 dim: 1 dim: 12 dim: 5 } }", "out", "rows"
    )
    pool = "pooling_param { kernel_h: 12 kernel_w: 1 stride_h: 12 stride_w: 1 }"
    error = refused(INPUT_LAYER + flat + rows + layer("Pooling", pool, "rows", "one"))
    assert (error.line, "not change with the batch" in error.message) == (9, True)


def test_what_stands_in_the_other_phase_alone_changes_too() -> None:
    """The file stays a net in both phases."""
    twins = "".join(
        layer(
            "Reshape",
            f"include {{ phase: {phase} }} reshape_param {{ shape {{ dim: 12 dim: -1 }} }}",
        )
        for phase in ("TRAIN", "TEST")
    )
    assert [edit.line for edit in patch_batch(INPUT_LAYER + twins, 3).edits] == [5, 7, 8]
    own = layer("Reshape", "include { phase: TRAIN } reshape_param { shape { dim: 5 dim: -1 } }")
    patched = patch_batch(INPUT_LAYER + own, 3)
    assert [edit.line for edit in patched.edits] == [5]
    assert any("phase TRAIN alone keeps its batch (line 7" in note for note in patched.notes)


def test_a_batch_that_cannot_be_cut_says_which_can() -> None:
    """Triplets come in threes."""
    triplet = "slice_param { axis: 0 slice_point: 4 slice_point: 8 }"
    text = INPUT_LAYER + layer("Slice", triplet, top="a b c")
    assert "multiple of 3" in (refused(text, batch=4).hint or "")
    assert len(patch_batch(text, 6).edits) == 2


def test_a_part_of_the_batch_is_followed_like_the_whole() -> None:
    """Behind a Slice into pairs, where -1 stands and where a number does."""
    pair = layer("Slice", "slice_param { axis: 0 slice_point: 6 }", top="a b")
    rest = layer("Reshape", "reshape_param { shape { dim: -1 dim: 4800 } }", "a", "c")
    held = layer("Reshape", "reshape_param { shape { dim: 6 dim: -1 } }", "b", "d")
    patched = patch_batch(INPUT_LAYER + pair + rest + held, 2)
    assert [edit.line for edit in patched.edits] == [5, 7, 9]
    assert patch_batch(patched.text, 12).text == INPUT_LAYER + pair + rest + held


def test_a_1_that_may_be_the_batch_or_none_is_refused() -> None:
    """With a -1 beside it, both would do."""
    text = INPUT_LAYER.replace("12", "1") + layer(
        "Reshape", "reshape_param { shape { dim: 1 dim: -1 dim: 4 } }"
    )
    assert "whether the 1" in refused(text, batch=2).message
    assert patch_batch(text, 1).text == text


@pytest.mark.parametrize(
    "tail",
    [
        layer("Reshape", "reshape_param { shape { dim: 0 dim: 12 dim: -1 } }"),
        layer("Reshape", "reshape_param { shape { dim: -1 dim: 5 } }"),
        layer("Reshape", "reshape_param { axis: 1 shape { dim: 12 dim: -1 } }"),
        layer("Permute", "permute_param { order: 1 order: 0 }"),
        layer("Slice", "slice_param { axis: 0 }", top="a b c"),
        layer("Slice", "slice_param { axis: 1 slice_point: 1 }"),
        layer("Permute", "permute_param { order: 0 order: 2 }"),
        layer("Concat", "concat_param { axis: 0 }", "data data"),
        layer("Scale", "scale_param { axis: 0 }", "data data"),
        layer("Embed", "embed_param { input_dim: 8801 }"),
    ],
)
def test_layers_that_take_the_batch_from_their_bottoms_are_no_obstacle(tail: str) -> None:
    """The input alone changes."""
    assert changes(patch_batch(INPUT_LAYER + tail, 3))[0][0] == 5


def test_a_hard_coded_batch_is_right_where_nothing_changes() -> None:
    """The file has the batch that was asked for."""
    text = INPUT_LAYER + layer("Reshape", "reshape_param { shape { dim: 12 dim: -1 } }")
    assert patch_batch(text, 12).text == text


def test_one_step_of_one_sequence_is_certain() -> None:
    """Time and batch are both 1, whatever the recurrent layer; with more steps they are not."""
    net = inputs(words="1x1", cont="1x1") + layer("GRU", bottom="words cont")
    assert patch_batch(net, 1).text == net
    refused(net, batch=2)
    refused(net.replace("dim: 1 dim: 1", "dim: 1 dim: 40"))


@pytest.mark.parametrize(
    ("net", "after"),
    [
        (inputs(words="20x16x9", cont="20x16") + lstm(), ["20x4x9", "20x4"]),
        (
            inputs(words="1x16x9", cont="1x16", fixed="16x5") + lstm("words cont fixed"),
            ["1x4x9", "1x4", "4x5"],
        ),
        (
            inputs(data="320x9", cont="20x16")
            + layer("Reshape", "reshape_param { shape { dim: 20 dim: 16 dim: 9 } }", top="words")
            + lstm(),
            ["80x9", "20x4", "20x4x9"],
        ),
        (
            inputs(data="320x9x1x1", marks="320x1x1x1")
            + layer("Reshape", "reshape_param { shape { dim: 20 dim: 16 dim: 9 } }", top="words")
            + layer("Reshape", "reshape_param { shape { dim: 20 dim: 16 } }", "marks", "cont")
            + lstm(),
            ["80x9x1x1", "80x1x1x1", "20x4x9", "20x4"],
        ),
    ],
)
def test_the_batch_of_a_sequence_is_the_axis_behind_its_time(net: str, after: list[str]) -> None:
    """Time stays; where the two are folded into one axis, it shrinks with the batch."""
    patched = patch_batch(net, 4)
    assert [dims(shape) for shape in after] == [
        edit.new_line[edit.new_line.index("dim:") : edit.new_line.index(" }")]
        for edit in patched.edits
    ]
    for batch in (1, 16):
        assert patch_batch(patch_batch(patched.text, batch).text, 16).text == net


def test_an_input_that_is_the_same_at_each_step_has_the_batch_first() -> None:
    """Also where its second number could be one."""
    net = inputs(words="1x4x9", cont="1x4", fixed="4x8") + lstm("words cont fixed")
    patched = patch_batch(net, 8)
    assert dict(patched.input_shapes)["fixed"] == (8, 8)
    assert patch_batch(patched.text, 4).text == net


def test_a_time_axis_is_named() -> None:
    """The note says which number is the batch."""
    notes = patch_batch(inputs(words="20x16x9", cont="20x16") + lstm(), 2).notes
    assert any("'cont' (20x2) has time first" in note for note in notes)


def test_constants_beside_an_input_are_told_apart_by_what_consumes_them() -> None:
    """They have the batch where the net needs it, and are refused where both would do."""
    dummy = layer("DummyData", "dummy_data_param { shape { dim: 12 dim: 3 } }", "", "state")
    text = INPUT_LAYER + dummy
    pooled = layer("Pooling", "pooling_param { global_pooling: true }")
    flat = pooled + layer("Flatten", "", "out", "flat")
    summed = flat + layer("Eltwise", "", "flat state", "sum")
    assert "'state' (12x3)" in refused(text + flat).message
    assert patch_batch(text + flat, 12).edits == ()
    assert [edit.line for edit in patch_batch(text + summed, 2).edits] == [5, 7]
    joined = flat + layer("InnerProduct", "inner_product_param { num_output: 12 }", "flat", "fc")
    fixed = joined + layer("Scale", "scale_param { axis: 1 }", "fc weights", "sum")
    text = INPUT_LAYER + dummy.replace("state", "weights").replace(" dim: 3", "")
    assert [edit.line for edit in patch_batch(text + fixed, 2).edits] == [5]


def test_markers_that_a_layer_makes_up_need_no_data_set() -> None:
    """CRNN's say their batch themselves: it is set with the input's, wherever time comes first."""
    markers = "continuation_indicator_param { time_step: 25 batch_size: 2 }"
    text = (
        inputs(data="2x8x1x25")
        + layer("Permute", "permute_param { order: 3 order: 0 order: 1 order: 2 }", top="steps")
        + layer("Flatten", "flatten_param { axis: 2 }", "steps", "words")
        + layer("ContinuationIndicator", markers, "", "cont")
        + lstm()
    )
    patched = patch_batch(text, 6)
    assert patched.text == text.replace("dim: 2 ", "dim: 6 ").replace("size: 2", "size: 6")
    assert patch_batch(patched.text, 2).text == text
