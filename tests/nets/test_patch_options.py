"""Whole shapes, data layers and stages: what a patch does when it is asked for them."""

from __future__ import annotations

import pytest

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from tests.nets.prototxt import CONV, INPUT_DIM, INPUT_LAYER, INPUT_SHAPE, changes, inputs, layer

SMALL = {"data": (2, 3, 24, 32)}
DENSE = layer("InnerProduct", "inner_product_param { num_output: 4 }")
LMDB = 'data_param { source: "train" batch_size: 64 }'


def refusal(text: str, **asked: object) -> ModelError:
    """The error, which says what to do."""
    with pytest.raises(ModelError) as caught:
        patch_batch(text, **asked)  # type: ignore[arg-type]
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("style", [INPUT_LAYER, INPUT_SHAPE, INPUT_DIM])
def test_a_whole_shape_is_set_number_by_number(style: str) -> None:
    """In all three ways of declaring an input, and the batch is the shape's."""
    patched = patch_batch(style + CONV, None, shapes=SMALL)
    assert patched.batch == 2
    assert patched.input_shapes == (("data", (2, 3, 24, 32)),)
    expected = (style + CONV).replace("12", "2", 1).replace("40", "24", 1).replace("40", "32", 1)
    assert patched.text == expected
    assert patch_batch(patched.text, None, shapes=SMALL).text == patched.text
    assert patch_batch(patched.text, None, shapes={"data": (12, 3, 40, 40)}).text == style + CONV


def test_a_shape_and_a_batch_must_agree() -> None:
    """Both may be given if they say the same."""
    assert patch_batch(INPUT_LAYER + CONV, 2, shapes=SMALL).batch == 2
    assert "not 4" in refusal(INPUT_LAYER + CONV, batch=4, shapes=SMALL).message


def test_other_inputs_follow_the_batch_of_a_shape() -> None:
    """A label beside the image has as many as there are images."""
    text = inputs(data="12x3x40x40", label="12x1") + CONV
    patched = patch_batch(text, None, shapes=SMALL)
    assert dict(patched.input_shapes) == {"data": (2, 3, 24, 32), "label": (2, 1)}


def test_a_batch_further_down_follows_a_shape() -> None:
    """Also where the shape changes what goes into the layer that holds it."""
    text = (
        INPUT_LAYER + DENSE + layer("Reshape", "reshape_param { shape { dim: 12 dim: 4 } }", "out")
    )
    patched = patch_batch(text, None, shapes=SMALL)
    assert "dim: 2 dim: 4" in patched.text
    assert any("other weights, in out" in note for note in patched.notes)


@pytest.mark.parametrize(
    ("shape", "numbers"),
    [
        ((5, 6), "dim: 5 dim: 6"),
        ((5, 3, 4, 6, 7), "dim: 5 dim: 3 dim: 4 dim: 6 dim: 7"),
    ],
)
def test_a_shape_may_have_another_number_of_axes(shape: tuple[int, ...], numbers: str) -> None:
    """Axes are added behind the last one, or cut off; nothing else changes."""
    patched = patch_batch(INPUT_LAYER + DENSE, None, shapes={"data": shape})
    old = "dim: 12 dim: 3 dim: 40 dim: 40"
    assert patched.text == (INPUT_LAYER + DENSE).replace(old, numbers)
    in_a_list = INPUT_LAYER.replace(old, "dim: [12, 3,40,40]") + DENSE
    assert patch_batch(in_a_list, None, shapes={"data": shape}).input_shapes == (("data", shape),)


@pytest.mark.parametrize(
    "text",
    [
        layer("Input", bottom="", top="data") + CONV,
        layer("Input", "input_param { }", "", "data") + CONV,
        layer("Input", "input_param { shape { } }", "", "data") + DENSE,
        layer("DummyData", "", "", "data") + CONV,
        'input: "data"\n' + CONV,
    ],
)
def test_an_input_without_a_shape_can_be_given_one(text: str) -> None:
    """It is written in where it belongs, and read again as asked for."""
    patched = patch_batch(text, None, shapes=SMALL)
    assert patched.input_shapes == (("data", (2, 3, 24, 32)),)
    assert len(patched.edits) == 1
    assert patch_batch(patched.text, 2).edits == ()


def test_whole_shapes_of_a_sequence_say_how_many_there_are() -> None:
    """By the marker; a shape that keeps its number of sequences is another length."""
    net = inputs(words="4x2x5", cont="4x2") + layer(
        "LSTM", "recurrent_param { num_output: 3 }", "words cont"
    )
    more = patch_batch(net, None, shapes={"words": (4, 3, 5), "cont": (4, 3)})
    assert more.batch == 3
    assert more.text == net.replace("dim: 4 dim: 2", "dim: 4 dim: 3")
    longer = patch_batch(net, None, shapes={"words": (9, 2, 5), "cont": (9, 2)})
    assert longer.text == net.replace("dim: 4 dim: 2", "dim: 9 dim: 2")


def test_shapes_tell_inputs_apart_that_are_not_certain() -> None:
    """One that keeps its first number has no batch."""
    text = inputs(data="12x3x40x40", state="8x5") + layer("Any", bottom="data state") + CONV
    assert "--shape state=8x5" in (refusal(text, batch=2).hint or "")
    patched = patch_batch(text, 2, shapes={"state": (8, 5), "data": (2, 3, 40, 40)})
    assert dict(patched.input_shapes) == {"data": (2, 3, 40, 40), "state": (8, 5)}


@pytest.mark.parametrize(
    ("text", "shape", "words"),
    [
        (INPUT_LAYER + CONV, {"dat": (1, 3, 8, 8)}, "no input 'dat'"),
        (INPUT_LAYER + CONV, {"data": (1, 3, 2, 2)}, "larger than its input"),
        (INPUT_LAYER + CONV, {"data": (1, 3, 99999, 99999)}, "more than"),
        (INPUT_LAYER + CONV, {"data": (1, 2**40, 1, 1)}, "2^31"),
        (INPUT_DIM + CONV, {"data": (1, 3, 8)}, "4 axes"),
        (
            INPUT_LAYER.replace('top: "data"', 'top: "data" top: "b"') + CONV,
            {"data": (1, 3, 8, 8)},
            "one shape serves both",
        ),
        (
            layer("Input", bottom="", top="data b") + CONV,
            {"data": (1, 3, 8, 8)},
            "2 tops no shape",
        ),
        ('input: "data" input: "b"' + CONV, {"data": (1, 3, 8, 8)}, "'b' has no shape"),
        (layer("Data", LMDB, "", "data") + CONV, {"data": (1, 3, 8, 8)}, "data set"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(
    text: str, shape: dict[str, tuple[int, ...]], words: str
) -> None:
    """With the input or the layer that does not take it."""
    assert words in refusal(text, batch=None, shapes=shape).message


TWO_PHASES = (
    layer("Data", "include { phase: TRAIN } " + LMDB, "", "data label")
    + layer("Data", "include { phase: TEST } " + LMDB.replace("64", "50"), "", "data label")
    + CONV
)


def test_data_layers_are_set_when_asked_for() -> None:
    """In every phase and stage; without being asked, the file is refused and says how."""
    assert "--data-layers" in (refusal(TWO_PHASES).hint or "")
    patched = patch_batch(TWO_PHASES, 4, data_layers=True)
    assert patched.text == TWO_PHASES.replace("64", "4").replace("50", "4")
    assert patch_batch(patched.text, 4, data_layers=True).edits == ()


@pytest.mark.parametrize(
    "source",
    [
        layer("ImageData", "image_data_param { batch_size: 7 }", "", "data label"),
        layer("RandVec", "rand_vec_param { batch_size: 7 dim: 90 }", "", "data label"),
        layer("HDF5Data", "hdf5_data_param { batch_size: 7 }", "", "data label"),
        layer("AnnotatedData", "data_param { batch_size: 7 }", "", "data label"),
        "layers { name: 'd' type: DATA top: 'data' data_param { batch_size: 7 } }\n",
        "layers { layer { name: 'd' type: 'data' batchsize: 7 } top: 'data' top: 'label' }\n",
    ],
)
def test_the_batch_of_a_data_layer_stands_in_its_own_block(source: str) -> None:
    """Whatever its kind, and in all three forms of the format."""
    net = "" if source.startswith("layers") else CONV
    patched = patch_batch(source + net, 3, data_layers=True)
    assert patched.text == (source + net).replace("7", "3", 1)


def test_a_known_size_of_images_is_followed_down_from_a_data_layer() -> None:
    """The numbers of a Reshape below change with it; pairs of images cannot be one."""
    images = layer(
        "MemoryData",
        "memory_data_param { batch_size: 8 channels: 3 height: 5 width: 6 }",
        "",
        "data label",
    )
    reshape = layer("Reshape", "reshape_param { shape { dim: 8 dim: 90 } }")
    patched = patch_batch(images + reshape, 2, data_layers=True)
    assert len(changes(patched)) == 2
    pair = layer("Slice", "slice_param { axis: 0 slice_point: 4 }", top="a b")
    assert "2 pieces" in refusal(images + pair, data_layers=True).message


def test_code_that_makes_data_is_refused_all_the_same() -> None:
    """Its batch is not in the file."""
    python = layer("Python", "python_param { module: 'feeder' }", "", "data")
    assert "own data" in refusal(python + CONV, data_layers=True).message
    bare = layer("Data", "data_param { source: 'x' }", "", "data")
    assert "no batch_size" in refusal(bare + CONV, data_layers=True).message


def test_a_net_that_lacks_a_part_in_this_phase_says_where_it_is() -> None:
    """A bottom that only a data layer of the other phase makes, or one of a stage."""
    only = inputs(label="4x1") + CONV
    train = layer("Data", "include { phase: TRAIN } " + LMDB, "", "data")
    assert "pass --phase" in (refusal(train + only).hint or "")
    staged = layer("Data", 'include { stage: "x" } ' + LMDB, "", "data")
    assert "--stage x" in (refusal(staged + only).hint or "")


def test_a_stage_decides_which_input_there_is() -> None:
    """The hint names the stages; with one, its input is set."""
    staged = INPUT_LAYER.replace('"in"', '"in" include { phase: TEST stage: "deploy" }')
    text = staged + CONV
    assert "--stage deploy" in (refusal(text).hint or "")
    assert changes(patch_batch(text, 1, stages=["deploy"]))[0][0] == 5
    assert "--stage deploy" in (refusal(text, phase="TRAIN").hint or "")
