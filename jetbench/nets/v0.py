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
    "images": "image_data_param",
    "window_data": "window_data_param",
}
"""Where the settings that decide on shapes go; those of other types decide on none."""

_NAMES = {
    "kernelsize": "kernel_size",
    "biasterm": "bias_term",
    "batchsize": "batch_size",
    "cropsize": "crop_size",
}
_PADDING = "padding"
_TAKES_PADDING = {"Convolution": _BLOCKS["conv"], "Pooling": _BLOCKS["pool"]}


def is_v0(fields: Fields) -> bool:
    """Whether this ``layers`` entry has the first form."""
    return bool(fields.blocks("layer"))


def read_layer(fields: Fields) -> LayerSpec:
    """A ``layers`` entry of the first form as a layer of today."""
    inner = fields.block("layer")
    kind = inner.word("type", "")
    own = () if inner.message is None else inner.message.fields
    if inner.message is not None and kind in _BLOCKS:
        settings = tuple(field._replace(name=_NAMES.get(field.name, field.name)) for field in own)
        message = inner.message._replace(fields=settings)
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


def without_padding(layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
    """The layers of a net of the first form, its padding layers taken up by what they feed.

    As Caffe's ``UpgradeV0PaddingLayers`` does it: a convolution or pooling behind a layer of
    type ``padding`` reads that layer's bottom, with that layer's ``pad`` as its own.

    Raises:
        ModelError: another layer is fed by a padding, or one by several blobs; Caffe refuses
            that too.
    """
    makers: dict[str, LayerSpec] = {}
    kept = []
    for layer in layers:
        paddings = [makers[blob] for blob in layer.bottoms if blob in makers]
        paddings = [maker for maker in paddings if maker.type == _PADDING]
        if layer.type != _PADDING or paddings:
            kept.append(_with_padding(layer, paddings[0]) if paddings else layer)
        makers.update(dict.fromkeys(layer.tops, layer))
    return tuple(kept)


def _with_padding(layer: LayerSpec, padding: LayerSpec) -> LayerSpec:
    """A convolution or pooling that pads by itself."""
    alone = len(layer.bottoms) == len(padding.bottoms) == len(padding.tops) == 1
    block = _TAKES_PADDING.get(layer.type)
    message = layer.fields.message
    options = None if block is None else layer.fields.block(block).message
    if not alone or message is None or options is None:
        raise layer.wrong(
            f"{padding.name!r} pads its input, which only a convolution or pooling can take up",
            hint="each must have one bottom, and the padding one top",
        )
    pads = () if padding.fields.message is None else padding.fields.message.fields
    settings = (
        *(field for field in options.fields if field.name != "pad"),
        *(field for field in pads if field.name == "pad"),
    )
    padded = options._replace(fields=settings)
    fields = tuple(
        field._replace(value=padded) if field.value is options else field
        for field in message.fields
    )
    return replace(
        layer,
        bottoms=padding.bottoms,
        fields=Fields(message._replace(fields=fields), layer.fields.places),
    )
