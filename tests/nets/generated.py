"""Nets made up for the tests, of which it is known what another batch does to them.

The generator keeps the shape of every blob as numbers and multiples of the batch. It makes
only nets in which the batch is certain; so it is the judge of what the patcher makes of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.nets.generated_layers import eltwise, grow, inner_product
from tests.nets.maker import Maker, Net, Shape, dims, shaped
from tests.nets.surfaces import Node, Surface, Times, Value, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

Named = list[tuple[str, Shape]]

_MOST_LAYERS = 6
_LEGACY = ("input_dim", "num")
"""Styles of four axes."""
_V1_STYLES = ("input_shape", "input_dim", "DummyData", "num")

surfaces = st.builds(Surface, st.just(0) | st.integers(0, 2**32))


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """A net with a few inputs and layers."""
    v1 = draw(st.sampled_from((False, False, True)))
    maker = Maker(draw, v1=v1, units=draw(st.sampled_from((1, 1, 2, 3))))
    style = maker.pick(_V1_STYLES if v1 else ("Input", "shared", *_V1_STYLES))
    label = _inputs(maker, style)
    for _ in range(maker.pick(range(1, _MOST_LAYERS))):
        grow(maker, maker.pick([blob for blob in maker.blobs if blob != label]))
    if label is not None:
        _loss(maker, label)
    if not v1 and maker.pick((False, False, True)):
        # Where all is DummyData, nothing but its size tells a constant from an input.
        constants = () if style in {"DummyData", "num"} else (_constant,)
        maker.pick((_regions, _code, *constants))(maker)
    return maker.net()


@st.composite
def sequences(draw: st.DrawFn) -> Net:
    """A recurrent net: time first, batch second; or both folded into one axis at first."""
    maker = Maker(draw, v1=False, units=1)
    steps, width, hidden = maker.pick((1, 2, 3, 5, 20)), maker.small() + 1, maker.small()
    batch, folded = maker.batch, maker.pick((False, False, True))
    words, go_on, lstm = maker.name("words"), maker.name("cont"), maker.name("lstm")
    shape: Shape = (steps, batch, width)
    named: Named = [(words, (Times(steps), width) if folded else shape), (go_on, (steps, batch))]
    bottoms = [words, go_on]
    if maker.pick((False, True)):
        bottoms.append(maker.name("image"))
        named.append((bottoms[-1], (batch, maker.small() + 1)))
    _declare(maker, named, maker.pick(("input_shape", "Input")))
    if folded:
        bottoms[0] = maker.name("unfolded")
        maker.add("Reshape", [words], {bottoms[0]: shape}, reshape_param=shaped(shape))
    top: dict[str, Shape] = {lstm: (steps, batch, hidden)}
    maker.add("LSTM", bottoms, top, recurrent_param=(("num_output", hidden),))
    if maker.pick((False, True)):
        inner_product(maker, lstm, axis=2)
    return maker.net()


def _inputs(maker: Maker, style: str) -> str | None:
    """One image or row a sample; perhaps a second one like it, perhaps a label.

    Returns:
        The label's blob.
    """
    sides = (2, 4, 8)
    sample: Shape = (maker.small(), maker.pick(sides), maker.pick(sides))
    if style not in _LEGACY and maker.pick((False, False, True)):
        sample = (maker.small() + 1,)
    shape = (maker.batch, *sample)
    named: Named = [(maker.name("data"), shape) for _ in range(maker.pick((1, 1, 2)))]
    pair = [name for name, _ in named]
    label = None
    if style != "shared" and maker.pick((False, False, True)):
        label = maker.name("label")
        ones: tuple[Shape, ...] = ((1, 1, 1),) if style in _LEGACY else ((), (1,), (1, 1, 1))
        named.append((label, (maker.batch, *maker.pick(ones))))
    _declare(maker, named, style)
    if len(pair) > 1:
        # Two inputs that meet, so that neither can be anything but a batch.
        eltwise(maker, *pair)
    return label


def _loss(maker: Maker, label: str) -> None:
    """A classifier over the whole batch, and the label."""
    whole = [
        blob
        for blob, shape in maker.blobs.items()
        if shape[:1] == (maker.batch,) and len(shape) > 1 and blob != label
    ]
    scores = inner_product(maker, maker.pick(whole))
    maker.add("SoftmaxWithLoss", [scores, label], {maker.name("loss"): ()})


def _regions(maker: Maker) -> None:
    """Regions beside an image: an input with another first number, which stays."""
    images = [blob for blob, shape in maker.blobs.items() if _is_image(shape)]
    if not images or maker.inputs[0] not in images:
        return
    image, regions, top = maker.pick(images), maker.name("rois"), maker.name("roi")
    maker.write("Input", [], [regions], input_param=shaped((9, 5)))
    maker.declare([(regions, (9, 5))])
    shape: Shape = (9, maker.blobs[image][1], 2, 2)
    options: tuple[Node, ...] = (("pooled_w", 2), ("pooled_h", 2))
    maker.add("ROIPooling", [image, regions], {top: shape}, roi_pooling_param=options)


def _constant(maker: Maker) -> None:
    """A factor a channel as numbers of its own, beside an image."""
    if not _is_image(maker.blobs[maker.inputs[0]]):
        return
    channels, top = maker.pick(range(1, 12)), maker.name("fc")
    options: tuple[Node, ...] = (("num_output", channels),)
    scores: dict[str, Shape] = {top: (maker.batch, channels)}
    maker.add("InnerProduct", maker.inputs[:1], scores, inner_product_param=options)
    factors = maker.name("factors")
    _declare(maker, [(factors, (channels,))], "DummyData")
    maker.add("Scale", [top, factors], {maker.name("scaled"): scores[top]})


def _code(maker: Maker) -> None:
    """A Python layer at the end, of which nothing is known."""
    options: tuple[Node, ...] = (("module", "layers"), ("layer", "Decoder"))
    bottom, top = maker.pick(list(maker.blobs)), maker.name("code")
    maker.write("Python", [bottom], [top], python_param=options)
    maker.unsure_at_1 = True


def _is_image(shape: Shape) -> bool:
    """Whether it is a batch of images with more than one place each."""
    return len(shape) == 4 and isinstance(shape[0], Times) and 1 not in shape[2:]


def _declare(maker: Maker, named: Named, style: str) -> None:
    if style in {"input_shape", "input_dim"}:
        maker.nodes += _at_the_top(maker, named, style)
    elif style == "Input":
        _input_layers(maker, named)
    else:
        kind, block = ("Input", "input_param")
        if style != "shared":
            kind, block = ("DummyData", "dummy_data_param")
        maker.write(kind, [], [name for name, _ in named], **{block: _shapes(named, style)})
    maker.declare(named)


def _shapes(named: Named, style: str) -> tuple[Node, ...]:
    """All shapes in one block: one for all, one each, or the old columns."""
    if style == "shared":
        return shaped(named[0][1])
    if style == "DummyData":
        return tuple(node for _, shape in named for node in shaped(shape))
    axes = ("num", "channels", "height", "width")
    columns = zip(*(shape for _, shape in named), strict=True)
    return tuple((axis, dim) for axis, dims_ in zip(axes, columns, strict=True) for dim in dims_)


def _at_the_top(maker: Maker, named: Named, style: str) -> Sequence[Node]:
    """The old lines, with each name before its shape or all names before all shapes."""
    names: list[Node] = [("input", name) for name, _ in named]
    shapes: list[tuple[Node, ...]] = [
        dims(shape, style) if style == "input_dim" else ((style, dims(shape)),)
        for _, shape in named
    ]
    if maker.pick((False, True)):
        return [*names, *(node for nodes in shapes for node in nodes)]
    return [node for name, nodes in zip(names, shapes, strict=True) for node in (name, *nodes)]


def _input_layers(maker: Maker, named: Named) -> None:
    """An Input layer each; in phase TRAIN perhaps others, or a data layer."""
    phases = maker.pick((None, None, "Data", "Input"))
    for name, shape in named:
        rules = {} if phases is None else _rule(maker, "TEST", "TRAIN")
        maker.write("Input", [], [name], input_param=shaped(shape), **rules)
    if phases == "Input":
        for name, shape in named:
            rules = _rule(maker, "TRAIN", "TEST")
            maker.write("Input", [], [name], input_param=shaped(shape), **rules)
    elif phases == "Data":
        options: tuple[Node, ...] = (("source", "train_lmdb"), ("batch_size", 64))
        tops = [name for name, _ in named]
        maker.write("Data", [], tops, data_param=options, **_rule(maker, "TRAIN", "TEST"))


def _rule(maker: Maker, phase: str, other: str) -> dict[str, Value]:
    include: dict[str, Value] = {"include": (("phase", Word(phase)),)}
    exclude: dict[str, Value] = {"exclude": (("phase", Word(other)),)}
    return maker.pick((include, exclude))
