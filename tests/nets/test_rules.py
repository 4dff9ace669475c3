"""The rules of BVLC Caffe's layers against what real Caffe made of the same layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from jetbench.domain.errors import ModelError
from jetbench.nets.build import build_net
from jetbench.nets.net import shape_text
from jetbench.nets.rules import RULES

HERE = Path(__file__).parent


def cases(file: str) -> list[list[str]]:
    """The rows of a table of this folder, columns apart."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [line.split(" | ") for line in lines if line and not line.startswith("#")]


def net_of(layer: str, bottoms: str) -> str:
    """The layer behind Input layers ``a``, ``b``, … of these shapes, one on each line."""
    shapes = [] if bottoms == "-" else bottoms.split()
    inputs = [
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        + " ".join(f"dim: {size}" for size in shape.split("x"))
        + " } } }"
        for name, shape in zip("abcdef", shapes, strict=False)
    ]
    return "\n".join([*inputs, f'layer {{ name: "x" {layer} }}'])


@pytest.mark.parametrize(("layer", "bottoms", "tops", "stored"), cases("rules.txt"))
def test_rule_agrees_with_caffe(layer: str, bottoms: str, tops: str, stored: str) -> None:
    """Shapes of the tops and the number of stored values are those of real Caffe."""
    built = build_net(net_of(layer, bottoms)).layers[-1]
    assert " ".join(map(shape_text, built.output_shapes)) == tops.replace("-", "")
    assert built.params is not None
    assert built.params + built.statistics == int(stored)


@pytest.mark.parametrize(("layer", "bottoms", "words"), cases("refused.txt"))
def test_rule_refuses_what_cannot_be(layer: str, bottoms: str, words: str) -> None:
    """A layer that Caffe could not set up is refused, with its line and the reason."""
    with pytest.raises(ModelError) as caught:
        build_net(net_of(layer, bottoms))
    assert words in caught.value.bare
    assert caught.value.line == (0 if bottoms == "-" else len(bottoms.split())) + 1


def test_every_common_type_has_a_rule() -> None:
    """The table of rules names types as a modern prototxt does, and leaves Python out."""
    assert {"Convolution", "Pooling", "LSTM", "SPP", "PriorBox", "WindowData"} <= RULES.keys()
    assert "Python" not in RULES
