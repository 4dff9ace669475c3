"""Which layers carry a difference."""

from __future__ import annotations

import pytest

from jetbench.analysis.difference import carriers, layer_differences
from jetbench.domain.record import LayerTime, Record
from tests import make


def net(**layers: float | None) -> Record:
    """A record with these forward times."""
    return make.record(
        layers=tuple(LayerTime(name, "Convolution", ms, 1.0) for name, ms in layers.items())
    )


def test_differences_are_told_the_largest_first() -> None:
    """With the part that each has of the whole, those that became faster as well."""
    found = layer_differences(net(a=1.0, b=2.0, c=3.0), net(a=1.5, b=1.8, c=5.0))
    assert [(each.name, each.a_ms, each.b_ms) for each in found] == [
        ("c", 3.0, 5.0), ("a", 1.0, 1.5), ("b", 2.0, 1.8),
    ]  # fmt: skip
    assert sum(each.share for each in found) == pytest.approx(1.0)
    assert found[-1].share < 0


def test_one_slow_layer_carries_it() -> None:
    """And nothing else is named."""
    before = net(a=2.0, b=2.0, c=2.0, d=2.0)
    assert [each.name for each in carriers(before, net(a=2.01, b=2.0, c=4.0, d=1.99))] == ["c"]


def test_where_all_changed_alike_none_carries_it() -> None:
    """A clock that fell: a large layer has a large part of it, as it has of the time."""
    assert carriers(net(a=8.0, b=1.0, c=1.0), net(a=9.6, b=1.2, c=1.2)) == ()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (net(), net()),
        (net(a=1.0), net()),
        (net(a=1.0), net(b=2.0)),
        (net(a=None), net(a=2.0)),
        (net(a=1.0), net(a=1.0)),
        (net(a=0.0), net(a=0.0)),
    ],
)
def test_where_nothing_can_be_said_nothing_is(before: Record, now: Record) -> None:
    """No layers, none that both have, no times, no difference."""
    assert layer_differences(before, now) == ()
    assert carriers(before, now) == ()


def test_layers_of_one_name_are_told_apart_by_their_order() -> None:
    """Caffe allows two of a name."""
    before = make.record(layers=(LayerTime("x", None, 1.0, None), LayerTime("x", None, 2.0, None)))
    now = make.record(layers=(LayerTime("x", None, 1.0, None), LayerTime("x", None, 5.0, None)))
    assert [(each.a_ms, each.b_ms) for each in layer_differences(before, now)] == [
        (2.0, 5.0), (1.0, 1.0),
    ]  # fmt: skip
