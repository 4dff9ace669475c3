"""From the text of a prototxt to its layers as declared.

Older forms are brought up to date as Caffe does it (``upgrade_proto.cpp``): a list of
``input:`` becomes a layer of type Input named ``input`` in the first place, and the
enumerated types of ``layers { type: CONVOLUTION }`` get their modern names.
"""

from __future__ import annotations

from jetbench.domain.errors import ModelError
from jetbench.nets import not_a_net, v0
from jetbench.nets.spec import Fields, LayerSpec, NetSpec, Places

_DIMS_A_INPUT = 4
"""The old ``input_dim`` stands four times for each input."""

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
        raise ModelError(
            "the net has both 'layer' and 'layers'",
            hint="Caffe ignores one of them; keep the one you mean",
            line=old[0].line(),
        )
    inputs = _legacy_inputs(fields)
    layers = [_read_layer(layer, old=False) for layer in modern]
    layers += [_read_layer(layer, old=True) for layer in old]
    return NetSpec(
        name=fields.word("name", ""),
        layers=tuple([inputs, *layers] if inputs else layers),
        stages=fields.block("state").words("stage"),
    )


def _read_layer(fields: Fields, *, old: bool) -> LayerSpec:
    if old and v0.is_v0(fields):
        return v0.read_layer(fields)
    kind = fields.word("type", "")
    return LayerSpec(
        name=fields.word("name", ""),
        type=V1_TYPES.get(kind, kind) if old else kind,
        bottoms=fields.words("bottom"),
        tops=fields.words("top"),
        fields=fields,
        line=fields.line(),
    )


def _legacy_inputs(fields: Fields) -> LayerSpec | None:
    """The Input layer that Caffe makes of ``input:``, ``input_shape`` and ``input_dim``.

    A bare ``input:`` without any shape is dropped, as Caffe does: an Input layer further
    down gives the shape.
    """
    names = fields.words("input")
    shapes = tuple(block.integers("dim") for block in fields.blocks("input_shape"))
    if not shapes:
        dims = fields.integers("input_dim")
        shapes = tuple(
            dims[start : start + _DIMS_A_INPUT] for start in range(0, len(dims), _DIMS_A_INPUT)
        )
        if dims and len(dims) < _DIMS_A_INPUT * len(names):
            raise ModelError(
                f"{len(names)} inputs need {_DIMS_A_INPUT * len(names)} input_dim, "
                f"there are {len(dims)}",
                line=fields.line_of("input_dim"),
            )
    if not names or not shapes:
        return None
    if len(shapes) < len(names):
        raise ModelError(
            f"{len(names)} inputs, but {len(shapes)} input_shape",
            line=fields.line_of("input_shape"),
        )
    return LayerSpec(
        name="input",
        type="Input",
        bottoms=(),
        tops=names,
        fields=Fields(None, fields.places),
        line=fields.line_of("input"),
        inputs=shapes[: len(names)],
    )
