"""Nets and their patches in real Caffe: they load, with the layers and shapes that we say."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from jetbench.nets.net import shape_text
from jetbench.nets.phases import PHASES
from jetbench.nets.zoo import BVLC, MODELS, text_of
from tests.nets.prototxt import CONV, INPUT_DIM, inputs, layer
from tests.nets.test_published_nets import rows
from tests.nets.test_rules import cases, net_of
from tests.real.nets.set_up import Load, SetUp, as_we_say, set_up
from tests.real.nets.texts import PAIRS, SHUFFLE
from tests.real.nets.written import WRITTEN, Written
from tests.shared import SHARED, shared

if TYPE_CHECKING:
    from jetbench.nets.batch import Patched
    from tests.real.conftest import RealBoard, RealBoards

LARGEST = "vgg19"
LOADED = ("ok", "loads")
"""How the corpus begins what it says of a file that Caffe can set up."""
RESHAPED = (
    layer("Reshape", "reshape_param { shape { dim: 12 dim: -1 } }", top="folded")
    + layer("InnerProduct", "inner_product_param { num_output: 3 }", "folded", "fc")
    + layer("Reshape", "reshape_param { shape { dim: 6 dim: 6 } }", "fc")
)


@pytest.fixture(scope="module")
def boards(real_boards: RealBoards) -> tuple[RealBoard, ...]:
    """Two, so that two nets are set up at a time."""
    return real_boards.boards[:2]


def assert_as_we_say(load: Load, seen: SetUp) -> None:
    """Caffe has loaded the net, and has our layers, blobs, shapes and types.

    And as many parameters in each as we say, where they were asked for.
    """
    ours = as_we_say(load)
    assert seen.failure is None
    assert seen.layers == ours.layers
    assert seen.types
    assert seen.types == {name: ours.types[name] for name in seen.types}
    if load.with_params:
        assert seen.types.keys() == ours.types.keys()
        assert seen.stored == ours.stored
        assert seen.owned == ours.owned


def assert_same_net(patched: SetUp, original: SetUp) -> None:
    """The patch has the layers of its original, which was loaded with its parameters."""
    assert patched.wiring == original.wiring
    assert patched.types.items() <= original.types.items()


def assert_inputs(seen: SetUp, patched: Patched) -> None:
    """The inputs are in Caffe what the patch says of them."""
    assert {name: seen.blobs[name] for name, _ in patched.input_shapes} == dict(
        patched.input_shapes
    )


@pytest.mark.parametrize("net", WRITTEN, ids=lambda net: net.about)
def test_a_patched_net_is_the_same_net(boards: tuple[RealBoard, ...], net: Written) -> None:
    """At batch 1 and at another: the layers of the original, and the inputs asked for.

    The original has our parameters, too.
    """
    asked = [net.patched(1)] if net.takes_one else []
    asked.append(net.patched(net.batch, net.shapes))
    loads = [
        Load(net.text, net.phase, net.stages, with_params=True),
        *(Load(patched.text, net.phase, net.stages) for patched in asked),
    ]
    original, *seen = set_up(boards, *loads)
    assert_as_we_say(loads[0], original)
    for load, patched, one in zip(loads[1:], asked, seen, strict=True):
        assert_as_we_say(load, one)
        assert_inputs(one, patched)
        assert_same_net(one, original)
    assert " ".join(f"{n}={shape_text(s)}" for n, s in asked[-1].input_shapes) == net.inputs


@pytest.mark.parametrize(
    ("text", "inputs_wanted"),
    [
        ("\ufeff" + INPUT_DIM + CONV, {}),
        ('input: "data"\n' + CONV, {"data": (1, 3, 9, 9)}),
    ],
    ids=["byte-order mark", "no shape"],
)
def test_a_patch_can_mend_what_caffe_refuses(
    boards: tuple[RealBoard, ...], text: str, inputs_wanted: dict[str, tuple[int, ...]]
) -> None:
    """Caffe dies of the original, and loads the patched file."""
    patched = patch_batch(text, 1, shapes=inputs_wanted)
    original, seen = set_up(boards, Load(text), Load(patched.text))
    assert original.failure
    assert_as_we_say(Load(patched.text), seen)
    assert_inputs(seen, patched)


@pytest.mark.parametrize(
    ("text", "batch"),
    [
        (inputs(data="8x3x9x9") + PAIRS, 1),
        (
            inputs(data="12x3")
            + layer("Slice", "slice_param { axis: 0 slice_point: 5 }", top="a b"),
            4,
        ),
        (inputs(data="12x4") + RESHAPED, 2),
    ],
    ids=["pairs", "unequal pieces", "two numbers"],
)
def test_caffe_refuses_what_we_do(boards: tuple[RealBoard, ...], text: str, batch: int) -> None:
    """Where the patcher refuses, the plain edit of the first number gives no net."""
    with pytest.raises(ModelError):
        patch_batch(text, batch)
    original, edited = set_up(boards, Load(text), Load(plainly_edited(text, batch)))
    assert original.failure is None
    assert edited.failure


def test_a_batch_further_down_is_needed(boards: tuple[RealBoard, ...]) -> None:
    """The net whose Reshapes hold the batch loads with our patch, and not with the input's."""
    text = inputs(data="6x8x3x5") + SHUFFLE
    plain, ours = set_up(boards, Load(plainly_edited(text, 1)), Load(patch_batch(text, 1).text))
    assert "divisible" in (plain.failure or "")
    assert ours.failure is None


def plainly_edited(text: str, batch: int) -> str:
    """The first number of every input replaced, and nothing else."""
    return re.sub(r"(input_param { shape { dim: )\d+", rf"\g<1>{batch}", text)


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.needs == BVLC])
def test_models_that_come_along_load(boards: tuple[RealBoard, ...], name: str) -> None:
    """At batch 1 and in both phases, with every shape that we say.

    And with our parameters; in one phase, for no layer of these is in one only.
    """
    text = patch_batch(text_of(name), 1).text
    loads = [Load(text, "TEST", with_params=True), Load(text, "TRAIN")]
    for load, seen in zip(loads, set_up(boards, *loads), strict=True):
        assert_as_we_say(load, seen)


def test_every_rule_is_that_of_caffe(boards: tuple[RealBoard, ...]) -> None:
    """The layers of the table of rules, all in one net, in both phases."""
    own = [
        re.sub(r'(name|bottom|top): "(\w)"', rf'\1: "\g<2>{place}"', net_of(layer, bottoms))
        for place, (layer, bottoms, *_) in enumerate(cases("rules.txt"))
        if "source:" not in layer
    ]
    loads = [Load("\n".join(own), phase, with_params=True) for phase in ("TEST", "TRAIN")]
    for load, seen in zip(loads, set_up(boards, *loads), strict=True):
        assert_as_we_say(load, seen)


def test_caffe_refuses_layers_that_we_refuse(boards: tuple[RealBoard, ...]) -> None:
    """Each layer of the table of what cannot be, if BVLC Caffe knows it.

    But for blobs without a number in them: Caffe sets those up, and there is nothing to measure.
    """
    known = {kind_of(layer) for layer, *_ in cases("rules.txt")}
    loads = [
        Load(net_of(layer, bottoms))
        for layer, bottoms, _ in cases("refused.txt")
        if kind_of(layer) in known and "x0" not in bottoms
    ]
    assert loads
    for load, seen in zip(loads, set_up(boards, *loads), strict=True):
        assert seen.failure, load.text


def kind_of(layer: str) -> str:
    """The type of a row's layer."""
    return layer.split('"')[1]


def loaded_by_caffe() -> list[str]:
    """The published files that Caffe can load, as their manifest says; none where it is absent."""
    if not (SHARED / "corpus/prototxt/MANIFEST.tsv").exists():
        return []
    return [row["file"] for row in rows("prototxt") if row["caffe_original"].startswith(LOADED)]


@dataclass(frozen=True, slots=True)
class Published:
    """A published file, and what Caffe makes of it and of its patch."""

    originals: tuple[tuple[Load, SetUp], ...]
    """One for each of its phases, TEST first."""
    patched: Patched | None = None
    at_one: tuple[Load, SetUp] | None = None
    """The patch, in the phase that has its inputs; the original where it changes nothing."""
    refused: str = ""
    """Why there is no patch."""


@pytest.fixture(scope="module", params=loaded_by_caffe())
def published(request: pytest.FixtureRequest, boards: tuple[RealBoard, ...]) -> Published:
    """Each of the published files, set up together with its patch."""
    raw = shared(f"corpus/prototxt/{request.param}").read_bytes()
    text = raw.decode("utf-8", "surrogateescape")
    loads = [Load(text, phase, with_params=True) for phase in phases_of(text)]
    try:
        patched, phase = patched_to_one(text)
    except ModelError as error:
        originals = zip(loads, set_up(boards, *loads), strict=True)
        return Published(tuple(originals), refused=str(error))
    more = [Load(patched.text, phase)] if patched.edits else []
    done = tuple(zip([*loads, *more], set_up(boards, *loads, *more), strict=True))
    # The last of this phase: the patch where there is one.
    at_one = next(one for one in reversed(done) if one[0].phase == phase)
    return Published(done[: len(loads)], patched, at_one)


def phases_of(text: str) -> tuple[str, ...]:
    """The phases in which a file's nets can differ.

    That is both where it has rules about phases. No layer of BVLC Caffe's has other blobs or
    other parameters in one phase than in the other, so a file without such rules is loaded in
    one. None is left out for its size: the largest take 4 to 9 seconds.
    """
    return PHASES if "phase" in text else PHASES[:1]


def test_published_nets_are_those_of_caffe(published: Published) -> None:
    """The layers, shapes and parameters that we say, in every phase that Caffe can set up.

    Of a file that is loaded in one phase we say the same in the other.
    """
    assert published.originals[0][1].failure is None
    for load, seen in published.originals:
        if seen.failure is None:
            assert_as_we_say(load, seen)
    if len(published.originals) == 1:
        ((load, _),) = published.originals
        assert as_we_say(replace(load, phase=PHASES[1])) == as_we_say(load)


def test_published_nets_load_when_patched(published: Published) -> None:
    """At batch 1, in the phase that has their inputs: the same layers, and our shapes."""
    if published.patched is None or published.at_one is None:
        pytest.skip(f"not patched: {published.refused}")
    load, seen = published.at_one
    assert_as_we_say(load, seen)
    assert_inputs(seen, published.patched)
    (original,) = [one for its, one in published.originals if its.phase == load.phase]
    assert_same_net(seen, original)


def patched_to_one(text: str) -> tuple[Patched, str]:
    """A net at batch 1, and the phase that has its inputs."""
    try:
        return patch_batch(text, 1), "TEST"
    except ModelError as error:
        if "--phase TRAIN" not in (error.hint or ""):
            raise
    return patch_batch(text, 1, phase="TRAIN"), "TRAIN"


def test_nothing_goes_on_afterwards(boards: tuple[RealBoard, ...]) -> None:
    """Caffe is ended before it passes over the net, and its folder and its file are gone."""
    text = text_of(LARGEST)
    set_up(boards, Load(text), Load(text, with_params=True))
    for board in boards:
        assert "caffe" not in board.run("ps -e -o comm").stdout
        left = board.run("ls /tmp").stdout
        assert "tmp." not in left
        assert "caffemodel" not in left
