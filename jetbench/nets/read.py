"""From the text of a prototxt to its layers as declared.

Older forms are brought up to date as Caffe does it (``upgrade_proto.cpp``): a list of
``input:`` becomes a layer of type Input named ``input`` in the first place, and the
enumerated types of ``layers { type: CONVOLUTION }`` get their modern names.
"""

from __future__ import annotations

from jetbench.nets import not_a_net, v0
from jetbench.nets.spec import Fields, LayerSpec, NetSpec, Places

_DIMS_A_INPUT = 4
"""The old ``input_dim`` stands four times for each input."""
_SHOWN = 40

V1_TYPES = {
    "NONE": "",
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IM2COL": "Im2col",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
}
"""Caffe's ``UpgradeV1LayerType``; a fork's own types keep the name they have."""


def read_net(text: str) -> NetSpec:
    """The layers that a prototxt declares.

    Raises:
        ModelError: it is no net, or mixes two generations of the format.
    """
    fields = Fields(not_a_net.read_net(text), Places.of(text))
    modern, old = fields.blocks("layer"), fields.blocks("layers")
    if modern and old:
        message = "the file has both “layer” and “layers” blocks, and Caffe ignores one kind"
        raise old[0].wrong(message, "Keep the one you mean.")
    inputs = _legacy_inputs(fields)
    layers = tuple(_read_layer(layer, old=bool(old)) for layer in modern or old)
    return NetSpec(
        name=fields.word("name", ""),
        layers=((inputs,) if inputs else ()) + (v0.without_padding(layers) if old else layers),
        stages=fields.block("state").words("stage"),
        fields=fields,
    )


def _read_layer(fields: Fields, *, old: bool) -> LayerSpec:
    if old and v0.is_v0(fields):
        return v0.read_layer(fields)
    kind = fields.word("type", "")
    _refuse_kind(fields, old=old)
    return LayerSpec(
        name=fields.word("name", ""),
        type=V1_TYPES.get(kind, kind) if old else kind,
        bottoms=fields.words("bottom"),
        tops=fields.words("top"),
        fields=fields,
        line=fields.line(),
    )


def _refuse_kind(fields: Fields, *, old: bool) -> None:
    """Refuse a type that is not written as its generation of the format wants it.

    Raises:
        ModelError: a string in ``layers``, or a bare word in ``layer``.
    """
    for kind in fields.scalars("type"):
        if old == (kind.kind == "string"):
            shown = kind.text[:_SHOWN]
            message = f"the type {shown} must {'not ' if old else ''}stand in quotes here"
            hint = '“layers” blocks have types like CONVOLUTION, “layer” blocks "Convolution".'
            raise fields.places.wrong(kind.start, message, f"Caffe would refuse it: {hint}")


def _legacy_inputs(fields: Fields) -> LayerSpec | None:
    """The Input layer that Caffe makes of ``input:``, ``input_shape`` and ``input_dim``.

    As in ``UpgradeNetInput``: ``input_shape`` counts where there is both, what there is too
    much of is passed over, and a bare ``input:`` without any shape is dropped, since an
    Input layer further down may give the shape.
    """
    names = fields.scalars("input")
    blocks, all_dims = fields.blocks("input_shape"), fields.scalars("input_dim")
    if not names or not (blocks or all_dims):
        return None
    if blocks:
        if len(blocks) < len(names):
            message = f"there are {len(names)} input and {len(blocks)} input_shape"
            raise blocks[0].wrong(message, "Each input needs one input_shape.")
        dims = tuple(block.scalars("dim") for block in blocks)
        shapes = tuple(block.integers("dim") for block in blocks)
    else:
        if len(all_dims) < _DIMS_A_INPUT * len(names):
            message = f"there are {len(names)} input and {len(all_dims)} input_dim"
            hint = "Each input needs four input_dim."
            raise fields.places.wrong(all_dims[0].start, message, hint)
        cuts = range(0, len(all_dims), _DIMS_A_INPUT)
        sizes = fields.integers("input_dim")
        dims = tuple(all_dims[cut : cut + _DIMS_A_INPUT] for cut in cuts)
        shapes = tuple(sizes[cut : cut + _DIMS_A_INPUT] for cut in cuts)
    return LayerSpec(
        name="input",
        type="Input",
        bottoms=(),
        tops=tuple(name.as_str() for name in names),
        fields=Fields(None, fields.places),
        line=fields.places.line(names[0].start),
        inputs=shapes[: len(names)],
        dims=dims[: len(names)],
        shape_blocks=fields.messages("input_shape"),
    )
