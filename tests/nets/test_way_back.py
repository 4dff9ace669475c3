"""What a patch cannot take back is said, and nothing else."""

from __future__ import annotations

import pytest

from jetbench.nets.batch import patch_batch
from jetbench.nets.way_back import way_back_note
from tests.nets.prototxt import CONV, INPUT_LAYER, inputs, layer


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
