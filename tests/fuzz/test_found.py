"""The fuzzer's seeds, and what it has found, cut down by hand; without the fuzzer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, Asked, check_answer
from tests.nets.prototxt import inputs, layer

SEEDS = sorted((Path(__file__).parent / "seeds").iterdir())


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
@pytest.mark.parametrize("target", TARGETS)
def test_a_seed_finds_nothing(target: str, path: Path) -> None:
    """What is damaged is in order; and a target takes what is not of its kind."""
    TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize(
    "text",
    [
        # A Reshape that takes a part of the batch as it comes.
        inputs(data="4x1x2x2")
        + layer("Slice", "slice_param { axis: 0 }", top="a b")
        + layer("Reshape", "reshape_param { shape { dim: -1 dim: 4 } }", "b"),
        # A Reshape to a single number.
        inputs(data="1x1x1x1") + layer("Reshape", "", "data", "r"),
        # One of two inputs whose weights hold the batch, the other unread.
        inputs(a="1x1", b="1x1")
        + layer("InnerProduct", "inner_product_param { num_output: 2 axis: 0 }", "a"),
        # An input beside a sequence that nobody reads.
        inputs(words="20x6x9", cont="20x6", image="7x5")
        + layer("LSTM", "recurrent_param { num_output: 3 }", "words cont"),
        # One that could be the batch nowhere else, and is in doubt where it could.
        inputs(data="1x2", label="1")
        + layer("Reshape", "reshape_param { shape { dim: -1 dim: 1 } }", "data", "r")
        + layer("InnerProduct", "inner_product_param { num_output: 2 }", "data", "fc")
        + layer("SoftmaxWithLoss", "", "fc label", "loss"),
        # What Caffe refuses: something fixed that is not there for each sequence.
        inputs(words="1x12x2", cont="1x12", image="1x3")
        + layer("LSTM", "recurrent_param { num_output: 3 }", "words cont image"),
    ],
)
def test_what_was_found_stays_mended(text: str, batch: int) -> None:
    """Each came out as another exception, as another file, or as another net."""
    check_answer(Asked(text, batch, "TEST", data_layers=False))
