"""Nets for tests of the patcher, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch

if TYPE_CHECKING:
    from jetbench.nets.batch import Patched

CONV = """\
layer {
  name: "stem"  type: "Convolution"  bottom: "data"  top: "stem"
  convolution_param { num_output: 6 kernel_size: 3 }  # dim: 12
}
"""
INPUT_LAYER = """\
layer {
  name: "in"
  type: "Input"
  top: "data"
  input_param { shape: { dim: 12 dim: 3 dim: 40 dim: 40 } }
}
"""
INPUT_SHAPE = 'input: "data"\ninput_shape {\n  dim: 12\n  dim: 3\n  dim: 40\n  dim: 40\n}\n'
INPUT_DIM = 'input: "data"\ninput_dim: 12\ninput_dim: 3\ninput_dim: 40\ninput_dim: 40\n'


def layer(kind: str, rest: str = "", bottom: str = "data", top: str = "out") -> str:
    """A layer on one line."""
    blobs = "".join(f' bottom: "{name}"' for name in bottom.split())
    blobs += "".join(f' top: "{name}"' for name in top.split())
    return f'layer {{ name: "{top}" type: "{kind}"{blobs} {rest} }}\n'


def inputs(**shapes: str) -> str:
    """An Input layer for each blob."""
    return "".join(
        layer("Input", "input_param { shape { " + dims(shape) + " } }", bottom="", top=name)
        for name, shape in shapes.items()
    )


def dims(shape: str) -> str:
    """``2x3`` as fields."""
    return " ".join(f"dim: {dim}" for dim in shape.split("x"))


def refused(text: str, batch: int = 1, phase: str = "TEST") -> ModelError:
    """The error that a net gives; it says what to do."""
    with pytest.raises(ModelError) as caught:
        patch_batch(text, batch, phase=phase)
    assert caught.value.hint
    return caught.value


def changes(patched: Patched) -> list[tuple[int, str]]:
    """The lines that change, with what they become."""
    return [(edit.line, edit.new_line.strip()) for edit in patched.edits]
