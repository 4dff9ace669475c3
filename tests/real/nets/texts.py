"""Nets of ours: each of the things that a patch has to deal with, in small."""

from __future__ import annotations

from tests.nets.prototxt import layer

CLASSIFIER = """\
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1 } param { lr_mult: 2 }
  convolution_param { num_output: 6 kernel_size: 3 pad: 1 stride: 2
                      weight_filler { type: "xavier" } }
}
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1" lrn_param { local_size: 3 } }
layer {
  name: "pool1" type: "Pooling" bottom: "norm1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 }
}
layer {
  name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 6 kernel_size: 1 group: 2 bias_term: false }
}
layer { name: "sum" type: "Eltwise" bottom: "pool1" bottom: "conv2" top: "sum" }
layer { name: "bn" type: "BatchNorm" bottom: "sum" top: "sum" }
layer { name: "scale" type: "Scale" bottom: "sum" top: "sum" scale_param { bias_term: true } }
layer {
  name: "fc" type: "InnerProduct" bottom: "sum" top: "fc" inner_product_param { num_output: 5 }
}
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" dropout_param { dropout_ratio: 0.5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
LOSSES = """\
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
        inner_product_param { num_output: 5 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" loss_weight: 0.5 }
layer {
  name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy"
  include { phase: TEST }
}
"""

V1 = """\
name: "first generation but one"
input: "data"
input_dim: 10 input_dim: 3 input_dim: 16 input_dim: 16
layers {
  name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1"
  blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
  convolution_param { num_output: 4 kernel_size: 3 }
}
layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
layers {
  name: "pool1" type: POOLING bottom: "conv1" top: "pool1"
  pooling_param { pool: AVE kernel_size: 2 stride: 2 }
}
layers {
  name: "fc" type: INNER_PRODUCT bottom: "pool1" top: "fc" param: "shared" param: "bias"
  inner_product_param { num_output: 7 }
}
layers { name: "prob" type: SOFTMAX bottom: "fc" top: "prob" }
"""
V0 = """\
name: "first generation"
input: "data"
input_dim: 10
input_dim: 3
input_dim: 17
input_dim: 17
layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
layers {
  layer { name: "conv1" type: "conv" num_output: 8 kernelsize: 5 stride: 2 group: 1 biasterm: true
          weight_filler { type: "gaussian" std: 0.01 } blobs_lr: 1. blobs_lr: 2. }
  bottom: "pad1" top: "conv1"
}
layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
layers { layer { name: "pad2" type: "padding" pad: 1 } bottom: "conv1" top: "pad2" }
layers {
  layer { name: "conv2" type: "conv" num_output: 4 kernelsize: 3 group: 2 }
  bottom: "pad2" top: "conv2"
}
layers {
  layer { name: "pool2" type: "pool" kernelsize: 3 stride: 2 pool: MAX }
  bottom: "conv2" top: "pool2"
}
layers {
  layer { name: "norm2" type: "lrn" local_size: 3 alpha: 0.0001 } bottom: "pool2" top: "norm2"
}
layers { layer { name: "fc" type: "innerproduct" num_output: 9 } bottom: "norm2" top: "fc" }
layers { layer { name: "prob" type: "softmax" } bottom: "fc" top: "prob" }
"""
ODD = """\
# An input of 7 images: dim: 7\r
input: "da" 'ta' ; input_shape < dim: [ 0x7, 03, 0X10 ] dim: 020 > # dim: 7
layer\t<\r
  name: "conv"; type: "Convolution", bottom: "data" top: "conv"
  convolution_param: { num_output: 0x6, kernel_size: [3, 0x3] stride: 07 }
> layer { name: 'sep' type: "Re\\x4cU" bottom: 'conv' top: "sep" }
layer{name:"fc"type:"InnerProduct"bottom:"sep"top:"fc"inner_product_param{num_output:7}}"""
TWO_PHASES = """\
layer {
  name: "learn" type: "Input" top: "data" include { phase: TRAIN }
  input_param { shape { dim: 64 dim: 3 dim: 16 dim: 16 } }
}
layer {
  name: "look" type: "Input" top: "data" exclude { phase: TRAIN }
  input_param { shape { dim: 50 dim: 3 dim: 24 dim: 24 } }
}
"""
STAGED = """\
layer {
  name: "in" type: "Input" top: "data" include { stage: "deploy" }
  input_param { shape { dim: 10 dim: 3 dim: 16 dim: 16 } }
}
layer {
  name: "lmdb" type: "Data" top: "data" include { not_stage: "deploy" }
  data_param { source: "no such data set" batch_size: 10 }
}
layer {
  name: "extra" type: "ReLU" bottom: "data" top: "extra"
  include { phase: TRAIN stage: "deploy" } include { stage: "deploy" stage: "extra" }
}
"""
SHUFFLE = """\
layer { name: "cut" type: "Reshape" bottom: "data" top: "cut"
        reshape_param { shape { dim: 6 dim: 2 dim: 4 dim: -1 } } }
layer { name: "fold" type: "Reshape" bottom: "cut" top: "fold"
        reshape_param { shape { dim: 12 dim: 4 dim: -1 } } }
layer { name: "fc" type: "InnerProduct" bottom: "fold" top: "fc"
        inner_product_param { num_output: 5 } }
layer { name: "back" type: "Reshape" bottom: "fc" top: "back"
        reshape_param { shape { dim: 6 dim: 10 } num_axes: -1 } }
layer { name: "one" type: "Reshape" bottom: "back" top: "one"
        reshape_param { axis: 0 num_axes: 1 shape { dim: 1 dim: 6 } } }
"""
PAIRS = """\
layer { name: "cut" type: "Slice" bottom: "data" top: "a" top: "b"
        slice_param { axis: 0 slice_point: 4 } }
layer { name: "fc" type: "InnerProduct" bottom: "a" top: "fa"
        inner_product_param { num_output: 3 }
        param { name: "w" } param { name: "b" } }
layer { name: "fc_p" type: "InnerProduct" bottom: "b" top: "fb"
        inner_product_param { num_output: 3 }
        param { name: "w" } param { name: "b" } }
layer { name: "loss" type: "EuclideanLoss" bottom: "fa" bottom: "fb" top: "loss" }
"""
LSTM = """\
layer { name: "lstm1" type: "LSTM" bottom: "words" bottom: "cont" top: "lstm1"
        recurrent_param { num_output: 7 weight_filler { type: "uniform" } } }
layer { name: "fc" type: "InnerProduct" bottom: "lstm1" top: "fc"
        inner_product_param { num_output: 11 axis: 2 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" softmax_param { axis: 2 } }
"""
FOLDED = """\
layer { name: "fc6" type: "InnerProduct" bottom: "data" top: "fc6"
        inner_product_param { num_output: 9 } }
layer { name: "split" type: "Reshape" bottom: "fc6" top: "words"
        reshape_param { shape { dim: 20 dim: 16 dim: 9 } } }
layer { name: "marks" type: "Reshape" bottom: "marks" top: "cont"
        reshape_param { shape { dim: 20 dim: 16 } } }
"""
CAPTIONS = """\
layer { name: "embed" type: "Embed" bottom: "words" top: "embedded"
        embed_param { input_dim: 8801 num_output: 6 bias_term: false } }
layer { name: "rnn" type: "RNN" bottom: "embedded" bottom: "cont" bottom: "image" top: "rnn"
        recurrent_param { num_output: 7 } }
layer { name: "fc" type: "InnerProduct" bottom: "rnn" top: "fc"
        inner_product_param { num_output: 8801 axis: 2 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "target" top: "loss"
        loss_param { ignore_label: -1 } softmax_param { axis: 2 } }
"""
STATES = """\
layer { name: "lstm" type: "LSTM" bottom: "words" bottom: "cont" bottom: "h0" bottom: "c0"
        top: "lstm" top: "h1" top: "c1" recurrent_param { num_output: 7 expose_hidden: true } }
"""
SEGMENTS = """\
layer { name: "down" type: "Convolution" bottom: "data" top: "down"
        convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 stride: 2 pad_w: 1 } }
layer { name: "prelu" type: "PReLU" bottom: "down" top: "down" }
layer { name: "mvn" type: "MVN" bottom: "down" top: "mvn" }
layer { name: "pyramid" type: "SPP" bottom: "down" top: "pyramid" spp_param { pyramid_height: 2 } }
layer { name: "near" type: "LRN" bottom: "down" top: "near"
        lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 } }
layer { name: "up" type: "Deconvolution" bottom: "mvn" top: "up"
        convolution_param { num_output: 5 kernel_size: 5 stride: 2 group: 1 } }
layer { name: "crop" type: "Crop" bottom: "up" bottom: "data" top: "crop"
        crop_param { axis: 2 offset: 1 } }
layer { name: "joined" type: "Concat" bottom: "crop" bottom: "data" top: "joined" }
layer { name: "a" type: "Slice" bottom: "joined" top: "a" top: "b" top: "c"
        slice_param { slice_point: 3 slice_point: 5 } }
layer { name: "tile" type: "Tile" bottom: "b" top: "tile" tile_param { axis: 2 tiles: 3 } }
layer { name: "flat" type: "Flatten" bottom: "c" top: "flat" flatten_param { axis: 2 } }
layer { name: "best" type: "ArgMax" bottom: "flat" top: "best" argmax_param { axis: 1 top_k: 2 } }
layer { name: "mean" type: "Reduction" bottom: "tile" top: "mean"
        reduction_param { operation: MEAN axis: 2 } }
layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 3 } } }
layer { name: "add" type: "Bias" bottom: "a" bottom: "w" top: "add" }
layer { name: "quiet" type: "Silence" bottom: "pyramid" bottom: "near" bottom: "best" }
"""
POINTWISE = "".join(
    layer(kind, top=kind)
    for kind in ("AbsVal", "BNLL", "ELU", "Exp", "Log", "Power", "Sigmoid", "Swish", "TanH")
) + layer("Clip", "clip_param { min: 0 max: 1 }")
MEMORY = """\
layer { name: "in" type: "MemoryData" top: "data" top: "label"
        memory_data_param { batch_size: 8 channels: 3 height: 9 width: 7 } }
"""
DUMMY = """\
layer { name: "in" type: "DummyData" top: "data" top: "label" dummy_data_param {
        shape { dim: 32 dim: 3 dim: 9 dim: 9 } shape { dim: 32 }
        data_filler { type: "gaussian" } } }
"""
OLD_DUMMY = """\
layer { name: "in" type: "DummyData" top: "data" top: "label" dummy_data_param {
        num: 32 channels: 3 height: 9 width: 9 num: 32 channels: 1 height: 1 width: 1 } }
"""
TWINS = """\
layer { name: "in" type: "Input" top: "left" top: "right"
        input_param { shape { dim: 8 dim: 3 dim: 9 dim: 9 } } }
layer { name: "less" type: "Eltwise" bottom: "left" bottom: "right" top: "less"
        eltwise_param { coeff: 1 coeff: -1 } }
"""
CONSTANT = """\
layer { name: "in" type: "Input" top: "data"
        input_param { shape { dim: 3 dim: 3 dim: 9 dim: 9 } } }
layer { name: "mean" type: "DummyData" top: "mean" dummy_data_param { shape { dim: 3 } } }
layer { name: "less" type: "Bias" bottom: "data" bottom: "mean" top: "less"
        bias_param { axis: 1 } }
"""
SIDES = """\
layer { name: "factor" type: "Input" top: "factor" input_param { shape { } } }
layer { name: "fc" type: "InnerProduct" bottom: "rois" top: "fc"
        inner_product_param { num_output: 4 } }
layer { name: "times" type: "Scale" bottom: "data" bottom: "factor" top: "times"
        scale_param { axis: 0 } }
layer { name: "quiet" type: "Silence" bottom: "im_info" }
"""
DENSE = """\
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
        inner_product_param { num_output: 5 } }
"""
SIBLINGS = "".join(
    layer(
        "Convolution",
        'param { name: "w" } param { name: "b" }'
        " convolution_param { num_output: 4 kernel_size: 3 }",
        side,
        f"{side}_conv",
    )
    + layer(
        "BatchNorm",
        'param { name: "mean" lr_mult: 0 } param { name: "var" lr_mult: 0 }'
        ' param { name: "factor" lr_mult: 0 }',
        f"{side}_conv",
        f"{side}_norm",
    )
    + layer(
        "Scale",
        'param { name: "once" } param { name: "once" } scale_param { bias_term: true }',
        f"{side}_norm",
        f"{side}_scale",
    )
    + layer(
        "InnerProduct",
        'param { } param { name: "bias" } inner_product_param { num_output: 5 }',
        f"{side}_scale",
        f"{side}_fc",
    )
    for side in ("left", "right")
)
