"""Data sets of the board, resolutions and stages, on real Caffe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real.program import doubts, jetbench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.conftest import RealBoard, RealBoards

QUICK = ("--gpu", "none", "--power-mode", "keep", "--no-clocks", "--iterations", "2")
IMAGES = """\
mkdir /tmp/images && cd /tmp/images
for image in 1 2 3; do
  { printf 'P6 40 40 255\\n'; head -c 4800 /dev/urandom; } >$image.ppm
  echo "/tmp/images/$image.ppm $image" >>list.txt
done
"""
NET = """\
name: "images"
layer {
  name: "data" type: "ImageData" top: "data" top: "label"
  image_data_param { source: "/tmp/images/list.txt" batch_size: 5 new_height: 40 new_width: 40 }
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 5 }
}
layer {
  name: "flat" type: "Reshape" bottom: "conv" top: "flat"
  reshape_param { shape { dim: 5 dim: -1 } }
}
layer {
  name: "fc" type: "InnerProduct" bottom: "flat" top: "fc"
  inner_product_param { num_output: 4 }
}
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
"""
STAGED = """\
layer {
  name: "data" type: "Input" top: "data" include { stage: "deploy" }
  input_param { shape { dim: 8 dim: 3 dim: 24 dim: 24 } }
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 5 }
}
"""


@pytest.fixture
def board(real_boards: RealBoards) -> Iterator[RealBoard]:
    """A board with a few images in a folder."""
    board = real_boards.boards[0]
    made = board.run(IMAGES)
    assert made.returncode == 0, made.stderr
    yield board
    board.run("rm -r /tmp/images")


def test_a_data_set_of_the_board_is_read_at_the_batch_asked_for(
    real_boards: RealBoards, board: RealBoard, tmp_path: Path
) -> None:
    """Caffe's own log says so, also of the Reshape further down."""
    (tmp_path / "images.prototxt").write_text(NET)
    done = jetbench(
        *("run", tmp_path / "images.prototxt", "--data-layers", "--batch", "1,3", *QUICK),
        *("--repeats", "1", "-b", board.name, "-i", real_boards.inventory),
        *("--results", tmp_path / "results", "--format", "json"),
    )
    assert done.status == 0, done.said
    shapes = {record["batch"]: record["input_shapes"] for record in done.document["records"]}
    assert shapes == {
        1: {"data": [1, 3, 40, 40], "label": [1]},
        3: {"data": [3, 3, 40, 40], "label": [3]},
    }
    assert [doubts(record) for record in done.document["records"]] == [[]] * len(
        done.document["records"]
    )


def test_resolutions_of_a_staged_net_are_measured_in_turn(
    real_boards: RealBoards, board: RealBoard, tmp_path: Path
) -> None:
    """Each as Caffe's log has it; the stage goes to Caffe as well."""
    (tmp_path / "net.prototxt").write_text(STAGED)
    done = jetbench(
        *("run", tmp_path / "net.prototxt", "--stage", "deploy", *QUICK),
        *("--shape", "data=1x3x24x24", "--shape", "data=2x3x96x96"),
        *("--repeats", "1", "-b", board.name, "-i", real_boards.inventory),
        *("--results", tmp_path / "results", "--format", "json"),
    )
    assert done.status == 0, done.said
    small, large = done.document["records"]
    assert small["model"] == "net@1x3x24x24+deploy"
    assert small["input_shapes"] == {"data": [1, 3, 24, 24]}
    assert large["input_shapes"] == {"data": [2, 3, 96, 96]}
    assert small["forward_ms"]["median"] < large["forward_ms"]["median"]
