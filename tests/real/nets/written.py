"""What is asked of the nets of ours, and the inputs that must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.nets.batch import patch_batch
from tests.nets.prototxt import INPUT_DIM, inputs
from tests.real.nets.texts import (
    CAPTIONS,
    CLASSIFIER,
    CONSTANT,
    DENSE,
    DUMMY,
    FOLDED,
    LOSSES,
    LSTM,
    MEMORY,
    ODD,
    OLD_DUMMY,
    PAIRS,
    POINTWISE,
    SEGMENTS,
    SHUFFLE,
    SIBLINGS,
    SIDES,
    STAGED,
    STATES,
    TWINS,
    TWO_PHASES,
    V0,
    V1,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jetbench.nets.batch import Patched
    from jetbench.nets.net import Shape


@dataclass(frozen=True, slots=True)
class Written:
    """A net, what is asked of its patch, and the inputs that this must give it."""

    about: str
    text: str
    batch: int
    """The one that is tried besides 1."""
    inputs: str
    """Those of the net at that batch."""
    phase: str = "TEST"
    stages: tuple[str, ...] = ()
    shapes: Mapping[str, Shape] | None = None
    """Whole shapes, beside the batch."""
    data_layers: bool = False
    takes_one: bool = True
    """Whether there is such a net at batch 1; not where a batch is made of pairs."""

    def patched(self, batch: int, shapes: Mapping[str, Shape] | None = None) -> Patched:
        """The net at that batch, in its phase and stages."""
        return patch_batch(
            self.text,
            batch,
            phase=self.phase,
            stages=self.stages,
            shapes=shapes or {},
            data_layers=self.data_layers,
        )


WRITTEN = (
    Written("an Input layer", inputs(data="10x3x32x32") + CLASSIFIER, 3, "data=3x3x32x32"),
    Written(
        "an Input layer, learning",
        inputs(data="10x3x32x32") + CLASSIFIER,
        3,
        "data=3x3x32x32",
        phase="TRAIN",
    ),
    Written(
        "shared parameters",
        inputs(left="8x3x9x9", right="8x3x9x9") + SIBLINGS,
        5,
        "left=5x3x9x9 right=5x3x9x9",
    ),
    Written("one shape for two inputs", TWINS, 5, "left=5x3x9x9 right=5x3x9x9"),
    Written(
        "input and input_shape",
        "input: 'data' input_shape { dim: 10 dim: 3 dim: 32 dim: 32 }" + CLASSIFIER,
        4,
        "data=4x3x32x32",
    ),
    Written("input and input_dim", INPUT_DIM + CLASSIFIER, 3, "data=3x3x40x40"),
    Written(
        "two inputs of input_dim",
        "input: 'data' input: 'label' input_dim: [8, 3, 9, 9, 8, 1, 1, 1]" + LOSSES,
        2,
        "data=2x3x9x9 label=2x1x1x1",
    ),
    Written("V1", V1, 3, "data=3x3x16x16"),
    Written("V0 with padding", V0, 3, "data=3x3x17x17"),
    Written("DummyData", DUMMY + LOSSES, 6, "data=6x3x9x9 label=6"),
    Written(
        "old DummyData, learning",
        OLD_DUMMY + LOSSES,
        6,
        "data=6x3x9x9 label=6x1x1x1",
        phase="TRAIN",
    ),
    Written("a constant beside the input", CONSTANT, 2, "data=2x3x9x9 mean=3"),
    Written(
        "labels and losses", inputs(data="8x3x9x9", label="8") + LOSSES, 3, "data=3x3x9x9 label=3"
    ),
    Written("the batch in Reshape", inputs(data="6x8x3x5") + SHUFFLE, 3, "data=3x8x3x5"),
    Written("pairs", inputs(data="8x3x9x9") + PAIRS, 6, "data=6x3x9x9", takes_one=False),
    Written(
        "time first", inputs(words="20x16x9", cont="20x16") + LSTM, 3, "words=20x3x9 cont=20x3"
    ),
    Written(
        "time and batch in one axis",
        inputs(data="320x3x5x5", marks="320x1x1x1") + FOLDED + LSTM,
        3,
        "data=60x3x5x5 marks=60x1x1x1",
    ),
    Written(
        "a recurrent net with an image",
        inputs(words="20x16", cont="20x16", image="16x5", target="20x16") + CAPTIONS,
        3,
        "words=20x3 cont=20x3 image=3x5 target=20x3",
    ),
    Written(
        "states of a recurrent layer",
        inputs(words="1x16x9", cont="1x16", h0="1x16x7", c0="1x16x7") + STATES,
        3,
        "words=1x3x9 cont=1x3 h0=1x3x7 c0=1x3x7",
    ),
    Written("a stage", STAGED + CLASSIFIER, 3, "data=3x3x16x16", stages=("deploy",)),
    Written("two stages", STAGED + CLASSIFIER, 3, "data=3x3x16x16", stages=("deploy", "extra")),
    Written("an input for each phase", TWO_PHASES + CLASSIFIER, 3, "data=3x3x24x24"),
    Written(
        "an input for each phase, learning",
        TWO_PHASES + CLASSIFIER,
        3,
        "data=3x3x16x16",
        phase="TRAIN",
    ),
    Written(
        "inputs without a batch",
        inputs(data="4x3x9x9", rois="300x5", im_info="1x3") + SIDES,
        1,
        "data=1x3x9x9 rois=300x5 im_info=1x3 factor=scalar",
    ),
    Written(
        "a whole shape",
        inputs(data="6x8x3x5") + SHUFFLE,
        2,
        "data=2x8x9x4",
        shapes={"data": (2, 8, 9, 4)},
    ),
    Written(
        "a shape of fewer axes",
        inputs(data="10x3x32x32") + DENSE,
        2,
        "data=2x9",
        shapes={"data": (2, 9)},
    ),
    Written("odd syntax", ODD, 3, "data=3x3x16x16"),
    Written("most layers there are", inputs(data="4x3x19x23") + SEGMENTS, 3, "data=3x3x19x23"),
    Written("each number by itself", inputs(data="4x3x6") + POINTWISE, 3, "data=3x3x6"),
    Written("a data layer", MEMORY + LOSSES, 3, "data=3x3x9x7 label=3", data_layers=True),
)
