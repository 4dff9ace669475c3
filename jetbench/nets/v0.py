"""The first form of Caffe's format, of 2013: ``layers { layer { type: "conv" … } … }``.

There the settings of every layer type stand side by side. Caffe's ``upgrade_proto.cpp``
sorts them into the blocks of today, and so does this.
"""

from __future__ import annotations

from dataclasses import replace

from jetbench.formats.textproto import Field, Message
from jetbench.nets.spec import Fields, LayerSpec

TYPES = {
    "accuracy": "Accuracy",
    "bnll": "BNLL",
    "concat": "Concat",
    "conv": "Convolution",
    "data": "Data",
    "dropout": "Dropout",
    "euclidean_loss": "EuclideanLoss",
    "flatten": "Flatten",
    "hdf5_data": "HDF5Data",
    "hdf5_output": "HDF5Output",
    "im2col": "Im2col",
    "images": "ImageData",
    "infogain_loss": "InfogainLoss",
    "innerproduct": "InnerProduct",
    "lrn": "LRN",
    "multinomial_logistic_loss": "MultinomialLogisticLoss",
    "pool": "Pooling",
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "softmax_loss": "SoftmaxWithLoss",
    "split": "Split",
    "tanh": "TanH",
    "window_data": "WindowData",
}

_BLOCKS = {
    "conv": "convolution_param",
    "im2col": "convolution_param",
    "innerproduct": "inner_product_param",
    "pool": "pooling_param",
    "lrn": "lrn_param",
    "concat": "concat_param",
}
"""Where the settings that decide on shapes go; those of other types decide on none."""

_NAMES = {"kernelsize": "kernel_size", "biasterm": "bias_term"}


def is_v0(fields: Fields) -> bool:
    """Whether this ``layers`` entry has the first form."""
    return bool(fields.blocks("layer"))


def read_layer(fields: Fields) -> LayerSpec:
    """A ``layers`` entry of the first form as a layer of today."""
    inner = fields.block("layer")
    kind = inner.word("type", "")
    own = () if inner.message is None else inner.message.fields
    if inner.message is not None and kind in _BLOCKS:
        settings = tuple(replace(field, name=_NAMES.get(field.name, field.name)) for field in own)
        message = replace(inner.message, fields=settings)
        own = (*own, Field(_BLOCKS[kind], message, message.start, message.end))
    connections = () if fields.message is None else fields.message.fields
    begin = 0 if fields.message is None else fields.message.start
    merged = Message((*connections, *own), begin, begin)
    return LayerSpec(
        name=inner.word("name", ""),
        type=TYPES.get(kind, kind),
        bottoms=fields.words("bottom"),
        tops=fields.words("top"),
        fields=Fields(merged, fields.places),
        line=fields.line(),
    )
