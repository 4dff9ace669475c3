"""The patcher: the batch and nothing else, or a reason why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from tests.nets.prototxt import (
    CONV,
    INPUT_DIM,
    INPUT_LAYER,
    INPUT_SHAPE,
    changes,
    inputs,
    layer,
    refused,
)


@pytest.mark.parametrize(
    ("text", "line", "old", "new"),
    [
        (INPUT_LAYER, 5, "dim: 12 ", "dim: 2 "),
        (INPUT_SHAPE, 3, "dim: 12", "dim: 2"),
        (INPUT_DIM, 2, "input_dim: 12", "input_dim: 2"),
        (INPUT_LAYER.replace("\n", "\r\n"), 5, "dim: 12 ", "dim: 2 "),
        (INPUT_SHAPE.replace("\n", " "), 1, "dim: 12", "dim: 2"),
        (INPUT_SHAPE.replace("12", "0x0c"), 3, "0x0c", "0x02"),
        (INPUT_SHAPE.replace("12", "014"), 3, "014", "02"),
        (INPUT_SHAPE.replace("12", "-1"), 3, "-1", "2"),
        (INPUT_DIM.replace("12\n", "12#12\n"), 2, "12#12", "2#12"),
        ('input: "data" input_dim: [12, 3, 40, 40]', 1, "[12", "[2"),
    ],
)
def test_only_the_digits_of_the_batch_change(text: str, line: int, old: str, new: str) -> None:
    """In all three ways of declaring an input, whatever the line ends."""
    text += CONV
    patched = patch_batch(text, 2)
    assert patched.text == text.replace(old, new, 1)
    (edit,) = patched.edits
    assert edit.line == line
    assert edit.new_line == edit.old_line.replace(old, new, 1)
    assert patched.input_shapes == (("data", (2, 3, 40, 40)),)


def test_a_file_that_has_the_batch_already_stays_as_it_is() -> None:
    """No edit, and the same text."""
    patched = patch_batch(INPUT_LAYER + CONV, 12)
    assert patched.edits == ()
    assert patched.text == INPUT_LAYER + CONV


def test_bytes_that_are_no_utf8_survive() -> None:
    """A comment in Latin-1 comes out as it went in."""
    text = "# caf\udce9\n" + INPUT_DIM + CONV
    assert patch_batch(text, 1).text.startswith("# caf\udce9\n")


def test_a_byte_order_mark_is_mended_and_said() -> None:
    """Caffe would refuse the file with it."""
    patched = patch_batch("\ufeff" + INPUT_DIM + CONV, 1)
    assert patched.text == (INPUT_DIM + CONV).replace("12", "1", 1)
    assert any("byte-order mark" in note for note in patched.notes)


def test_several_inputs_that_agree_change_together() -> None:
    """One shape for two tops is one edit; two Input layers are two."""
    both = inputs(data="6x3x8x8", label="6x1") + CONV
    assert len(patch_batch(both, 1).edits) == 2
    shared_shape = INPUT_LAYER.replace('top: "data"', 'top: "data" top: "twin"') + CONV
    patched = patch_batch(shared_shape, 5)
    assert len(patched.edits) == 1
    assert dict(patched.input_shapes) == {"data": (5, 3, 40, 40), "twin": (5, 3, 40, 40)}


def test_inputs_of_both_phases_follow() -> None:
    """The net of the phase asked for decides; the other's input is set as well."""
    train = INPUT_LAYER.replace("12", "64").replace('"in"', '"in" include { phase: TRAIN }')
    test = INPUT_LAYER.replace('"in"', '"in" include { phase: TEST }')
    patched = patch_batch(train + test + CONV, 3)
    assert [edit.line for edit in patched.edits] == [5, 11]
    assert patched.input_shapes == (("data", (3, 3, 40, 40)),)


def test_a_data_layer_of_the_other_phase_does_not_matter() -> None:
    """It counts only where the phase keeps it."""
    data = layer("Data", "include { phase: TRAIN } data_param { batch_size: 8 }", "", "data")
    test = INPUT_LAYER.replace('"in"', '"in" exclude { phase: TRAIN }')
    assert changes(patch_batch(data + test + CONV, 1))[0][0] == 6
    assert "data set" in refused(data + test + CONV, phase="TRAIN").message


def test_an_input_of_the_other_phase_alone_is_no_input() -> None:
    """The hint says which phase has one."""
    only = INPUT_LAYER.replace('"in"', '"in" include { phase: TRAIN }') + CONV
    assert "--phase TRAIN" in (refused(only).hint or "")
    assert patch_batch(only, 1, phase="TRAIN").edits


def test_side_inputs_are_left_alone_and_named() -> None:
    """Regions, boxes and single numbers have no batch in their first place."""
    text = (
        inputs(data="4x3x40x40", rois="300x5", label="1x1x7x8")
        + 'input: "scale" input_shape { }\n'
        + CONV
        + layer("ROIPooling", bottom="stem rois")
    )
    patched = patch_batch(text, 1)
    assert len(patched.edits) == 1
    assert dict(patched.input_shapes)["rois"] == (300, 5)
    assert sum("left alone" in note for note in patched.notes) == 3


def test_dummy_data_alone_is_an_input() -> None:
    """Shapes, or the old num, channels, height and width."""
    new = layer("DummyData", "dummy_data_param { shape { dim: 9 dim: 4 } }", "", "data")
    old = layer(
        "DummyData", "dummy_data_param { num: 9 channels: 4 height: 1 width: 1 }", "", "data"
    )
    assert "dim: 1 dim: 4" in patch_batch(new + CONV, 1).text
    assert "num: 1 channels: 4" in patch_batch(old + CONV, 1).text


def test_a_number_of_the_old_form_may_serve_several_tops() -> None:
    """As in Caffe: each of the four is given once, or once for each top."""
    text = layer(
        "DummyData",
        "dummy_data_param { num: 9 channels: 3 channels: 1 height: 8 width: [8, 1] }",
        bottom="",
        top="data label",
    )
    patched = patch_batch(text + CONV, 2)
    assert patched.text == (text + CONV).replace("num: 9", "num: 2")
    assert patched.input_shapes == (("data", (2, 3, 8, 8)), ("label", (2, 1, 8, 1)))
    assert "differ in number" in refused(text.replace("num: 9", "num: 9 " * 3) + CONV).message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (inputs(data="8x3x9x9", other="5x7") + layer("Any", bottom="data other"), "first number"),
        (inputs(data="1x3x9x9", other="1x7") + layer("Any", bottom="data other"), "not certain"),
        (inputs(data="8x7", other="5x7") + CONV, "differ in their first"),
        (inputs(data="7") + CONV, "one dimension"),
        (inputs(data="8x3x9x0") + CONV, "nothing to compute"),
        (inputs(data="8x3x1099511627776x9") + CONV, "2^31"),
        (inputs(data="1099511627776x3x9x9") + CONV, "2^31"),
        (INPUT_LAYER + CONV.replace("num_output: 6", "num_output: " + "9" * 5000), "characters"),
        (inputs(data="8x3x9x9") * 2 + CONV, "twice"),
        (inputs(data="8.0x3x9x9") + CONV, "no integer"),
        (INPUT_SHAPE + INPUT_DIM.partition("\n")[2] + CONV, "both input_shape and input_dim"),
        (INPUT_DIM.replace("input_dim: 12\n", "") + CONV, "3 input_dim"),
        ('input: "more"\n' + INPUT_SHAPE + CONV, "2 input"),
        ('input: "data"\n' + CONV, "no shape"),
        (CONV, "no input"),
        (INPUT_LAYER.replace("data", "other") + CONV, "no layer makes its bottom 'data'"),
        (INPUT_LAYER.replace("input_param", "input_param { } input_param") + CONV, "twice"),
        (layer("Input", bottom="", top="data") + CONV, "no shape"),
        (INPUT_LAYER + CONV.replace("layer", "layers"), "both"),
    ],
)
def test_inputs_that_are_not_certain_are_refused(text: str, words: str) -> None:
    """With a line, and a word on what to do."""
    error = refused(text, batch=2)
    assert words in error.message
    assert error.line is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n\r\n", "empty"),
        ("\ufeff", "empty"),
        ("# only words\n", "comments"),
        ("\x0a\x07CaffeNet\x00\x12", "binary"),
        ("\udcff\udcfen\x00a\x00", "UTF-16"),
        ("\x1f\udc8b\x08\x00", "gzip"),
        ("\n<!DOCTYPE html>\n<html></html>", "web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "LFS"),
        ('net: "deploy.prototxt"\nbase_lr: 0.01\n', "solver"),
        ('item { name: "cat" id: 1 }', "label map"),
        ("node { op: 'Conv' }", "no layer"),
        (INPUT_DIM.replace("12", "$#batch#$") + CONV, "value"),
        (INPUT_DIM + CONV.replace("num_output: 6", "num_output: cls6"), "not a number"),
        ("layer {" * 1000 + "}" * 1000, "deep"),
        ("input_dim: " + "9" * 5000 + "\nlayer { }", "5000 characters"),
        ("input: 'a' input_dim: [" + "9" * 5000 + ",1,1,1] layer { }", "5000 characters"),
    ],
)
def test_what_is_no_net_is_named(text: str, words: str) -> None:
    """One clear reason; never a traceback."""
    assert words in refused(text).message


def test_a_solver_names_its_net() -> None:
    """The hint is what to pass instead."""
    assert "deploy.prototxt" in (refused('net: "deploy.prototxt"\nmax_iter: 5').hint or "")


def test_a_template_is_told_from_a_syntax_error() -> None:
    """The hint says that placeholders are not filled in."""
    assert "template" in (refused(INPUT_DIM.replace("12", "$#batch#$") + CONV).hint or "")


def test_a_late_input_layer_and_a_size_set_at_run_time_are_noted() -> None:
    """They are patched as asked, and the user is warned."""
    late = patch_batch(CONV + INPUT_LAYER, 1)
    assert any("Caffe will refuse" in note for note in late.notes)
    runtime = INPUT_DIM.replace("40\n", "16 # defined at runtime\n") + CONV
    assert any("run time" in note for note in patch_batch(runtime, 1).notes)


def test_nonsense_is_refused_before_anything_is_read() -> None:
    """A batch below 1, a phase that is none."""
    refused(INPUT_DIM + CONV, batch=0)
    refused(INPUT_DIM + CONV, phase="test")


styles = st.sampled_from([INPUT_LAYER, INPUT_SHAPE, INPUT_DIM])


@given(styles, st.integers(1, 9999), st.integers(1, 9999), st.sampled_from(["\n", "\r\n"]))
def test_a_patch_is_idempotent_and_can_be_taken_back(
    style: str, first: int, second: int, end: str
) -> None:
    """Twice is as once, and back to the first batch gives the first file."""
    text = (style + CONV).replace("12", str(first), 1).replace("\n", end)
    patched = patch_batch(text, second).text
    assert patch_batch(patched, second).text == patched
    assert patch_batch(patched, first).text == text


@given(st.integers(0, len(INPUT_SHAPE + CONV)), st.text('{}<>[]:,;#"0x9a\n\0', max_size=3))
def test_a_damaged_net_is_patched_or_refused(place: int, damage: str) -> None:
    """Nothing but a ModelError comes out, and a patch changes nothing but one number."""
    text = (INPUT_SHAPE + CONV)[:place] + damage + (INPUT_SHAPE + CONV)[place:]
    try:
        patched = patch_batch(text, 2)
    except ModelError:
        return
    assert len(patched.edits) <= 1


def test_a_layer_that_caffe_refuses_anyhow_is_named() -> None:
    """The patch is right, but the net will not load; the first such layer is told."""
    wrong = layer("Convolution", "convolution_param { kernel_size: 3 }", "stem", "two")
    patched = patch_batch(INPUT_LAYER + CONV + wrong + wrong.replace("two", "three"), 2)
    (note,) = patched.notes
    assert "num_output" in note
    assert "1 more" in note
    assert "line 11" in note


def test_names_in_notes_are_safe_to_show() -> None:
    """Control characters of a layer's name are escaped."""
    (note,) = patch_batch(INPUT_LAYER + layer("Python", top="\\x1b[2J"), 1).notes
    assert "\\x1b[2J" in note
    assert "\x1b" not in note


@pytest.mark.parametrize(
    ("kind", "block"), [("CONVOLUTION", "layer"), ('"CONVOLUTION"', "layers")]
)
def test_a_type_of_the_other_generation_is_refused_as_by_caffe(kind: str, block: str) -> None:
    """With the place of the type: a bare word is none in one form, a string none in the other."""
    text = INPUT_DIM + f'{block} {{ name: "c" bottom: "data" top: "c" type: {kind} }}'
    error = refused(text)
    assert "quotes" in error.message
    assert (error.line, error.column) == (6, text.splitlines()[5].index(kind) + 1)


def test_a_net_that_has_an_input_in_a_stage_says_so() -> None:
    """Where without the stage it reads a data set, as nets of DIGITS do."""
    data = layer(
        "Data", 'include { not_stage: "deploy" } data_param { batch_size: 4 }', "", "data"
    )
    staged = INPUT_LAYER.replace('"in"', '"in" include { stage: "deploy" }')
    assert "--stage deploy" in (refused(data + staged + CONV).hint or "")
    assert patch_batch(data + staged + CONV, 1, stages=("deploy",)).edits
