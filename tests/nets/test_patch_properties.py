"""The patcher held against nets whose batch is known, and against damaged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from jetbench.nets.batch import Patched, patch_batch
from jetbench.nets.build import build_net
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Asked, reader
from tests.nets.generated import nets, sequences, surfaces

if TYPE_CHECKING:
    from random import Random

    from tests.nets.maker import Net
    from tests.nets.surfaces import Surface

any_net = nets() | sequences()
# At a batch of 1 a 1 further down may be the batch or not; a test of its own has it.
units = st.integers(2, 9) | st.sampled_from([16, 32, 100, 128, 500])


@given(any_net, surfaces, units, units)
@settings(max_examples=400)
def test_a_patch_writes_what_the_author_would_have(
    net: Net, surface: Surface, first: int, second: int
) -> None:
    """Byte for byte, there and back, and once for all; what it says of the inputs is so."""
    old, new = net.written(surface, first), net.written(surface, second)
    note(old)
    patched = patch_batch(old, second * net.units)
    assert patched.text == new
    assert len(patched.edits) <= new.count("\n") + 1
    assert dict(patched.input_shapes) == inputs_of(net, second)
    assert_sentences(patched)
    assert patch_batch(new, second * net.units).edits == ()
    assert patch_batch(new, first * net.units).text == old


@given(any_net, surfaces, units)
@settings(max_examples=240)
def test_one_image_is_no_exception(net: Net, surface: Surface, first: int) -> None:
    """The way to a batch of 1 is always there; the way from it, where no other 1 is in doubt."""
    old, one = net.written(surface, first), net.written(surface, 1)
    note(old)
    assert patch_batch(old, net.units).text == one
    if not net.unsure_at_1:
        assert patch_batch(one, first * net.units).text == old


@given(nets(), surfaces, units, units)
@settings(max_examples=240)
def test_whole_shapes_say_the_batch_as_well(
    net: Net, surface: Surface, first: int, second: int
) -> None:
    """All inputs at their shapes for another batch is that batch."""
    old, new = net.written(surface, first), net.written(surface, second)
    note(old)
    assert patch_batch(old, None, shapes=inputs_of(net, second)).text == new


@given(any_net, surfaces, units, units)
@settings(max_examples=240)
def test_every_blob_has_the_shape_that_its_author_meant(
    net: Net, surface: Surface, first: int, second: int
) -> None:
    """At both batches; and each layer has the same weights."""
    old, new = (build_net(net.written(surface, unit)) for unit in (first, second))
    for built, unit in ((old, first), (new, second)):
        blobs: dict[str, object] = {}
        for layer in built.layers:
            blobs.update(zip(layer.tops, layer.output_shapes, strict=True))
        assert {name: blobs[name] for name in net.blobs} == net.shapes(unit)
    for one, other in zip(old.layers, new.layers, strict=True):
        assert (one.params, one.statistics) == (other.params, other.statistics)


@given(any_net, surfaces, st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=400)
def test_a_damaged_net_is_patched_or_refused(
    net: Net, surface: Surface, times: int, random: Random
) -> None:
    """With an error that helps, or a patch that changes numbers only; nothing else comes out."""
    text = net.written(surface, 12)
    damaged = mutated(text, random, times)
    assume(damaged != text)
    note(damaged)
    data = damaged.encode("utf-8", "surrogateescape")
    reader(data)
    Asked.of(data).answer()


def inputs_of(net: Net, unit: int) -> dict[str, tuple[int, ...]]:
    """The inputs with their shapes, at a batch of so many units."""
    shapes = net.shapes(unit)
    return {name: shapes[name] for name in net.inputs}


def assert_sentences(patched: Patched) -> None:
    """What is said of a patch has a beginning and an end."""
    for words in patched.notes:
        assert words[0].isupper()
        assert words.endswith(".")
