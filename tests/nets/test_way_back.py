"""What a patch cannot take back is said, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.nets.batch import patch_batch
from jetbench.nets.way_back import _is_plain, way_back_note
from tests.nets.generated import nets, sequences, surfaces
from tests.nets.prototxt import CONV, INPUT_LAYER, inputs, layer

if TYPE_CHECKING:
    from tests.nets.maker import Net
    from tests.nets.surfaces import Surface

units = st.integers(2, 40)


def note_on(text: str, batch: int = 1, *, data_layers: bool = False) -> str | None:
    """The note on a patch of this net."""
    patched = patch_batch(text, batch, data_layers=data_layers)
    return way_back_note(text, patched, phase="TEST", stages=(), data_layers=data_layers)


@pytest.mark.parametrize(
    "text",
    [
        INPUT_LAYER + CONV,
        INPUT_LAYER.replace("12", "0x00c") + CONV,
        "\ufeff" + INPUT_LAYER + CONV,
        INPUT_LAYER.replace("12", "0") + CONV,
        INPUT_LAYER.replace("12", "1") + CONV,
        inputs(data="4x3x40x40", rois="300x5") + CONV + layer("ROIPooling", bottom="stem rois"),
    ],
    ids=["decimal", "hexadecimal", "byte-order mark", "none", "unchanged", "regions"],
)
def test_a_patch_that_can_be_taken_back_is_not_spoken_of(text: str) -> None:
    """Nor one of a file whose number was no batch, which nothing could give again."""
    assert note_on(text) is None


def test_batches_of_two_phases_do_not_come_back() -> None:
    """The other phase's line is named."""
    train = layer(
        "Data", "include { phase: TRAIN } data_param { batch_size: 64 }", "", "data"
    ) + layer("Data", "include { phase: TEST } data_param { batch_size: 50 }", "", "data")
    note = note_on(train + CONV, data_layers=True)
    assert note is not None
    assert "back to 50" in note
    assert "line 1 would differ" in note


def test_an_input_that_looks_like_the_batch_does_not_come_back() -> None:
    """At a batch of 1 every 1 does; capitals of a hexadecimal number are lost as well."""
    text = inputs(data="4x3x40x40", scale="1x5") + CONV + layer("ReLU", bottom="scale")
    assert "line 2 would differ" in (note_on(text) or "")
    capitals = inputs(data="0x1Ax3x40x40".replace("0x1A", "@")).replace("@", "0x1A") + CONV
    assert "line 1 would differ" in (note_on(capitals) or "")


def test_a_way_back_that_would_be_refused_is_said() -> None:
    """With the reason."""
    text = inputs(data="4x8x6x6") + layer("Reshape", "reshape_param { shape { dim: 4 dim: -1 } }")
    assert "whether the 1" in (note_on(text) or "")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (INPUT_LAYER + CONV, True),
        (INPUT_LAYER.replace("12", "0x00c") + CONV, False),
        (inputs(data="4x3x40x40", scale="1x5") + CONV, False),
        (
            INPUT_LAYER + CONV + layer("Reshape", "reshape_param { shape { dim: 0 dim: -1 } }"),
            False,
        ),
    ],
    ids=["one number", "hexadecimal", "two inputs", "a layer that may hold it"],
)
def test_only_the_plainest_patch_is_not_tried_the_other_way(text: str, *, plain: bool) -> None:
    """Where one decimal number of one input was changed, nothing can be lost."""
    assert _is_plain(text, patch_batch(text, 7)) is plain


@given(net=nets() | sequences(), surface=surfaces, units=st.tuples(units, units | st.just(1)))
def test_what_is_not_tried_the_other_way_comes_back(
    net: Net, surface: Surface, units: tuple[int, int]
) -> None:
    """Generated nets whose patch is taken for plain give their own text again."""
    text = net.written(surface, units[0])
    patched = patch_batch(text, units[1] * net.units)
    if patched.edits and _is_plain(text, patched):
        assert patch_batch(patched.text, patched.before).text == text
