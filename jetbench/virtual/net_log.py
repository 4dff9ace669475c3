"""What Caffe logs while it sets a net up (``Net::Init``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.nets.net import FP32_BYTES, count

if TYPE_CHECKING:
    from jetbench.nets.net import Layer, Net, Shape
    from jetbench.virtual.glog import Glog
    from jetbench.virtual.settings import Settings

_SSD_LAYERS = (
    "AnnotatedData", "DetectionEvaluate", "DetectionOutput", "MultiBoxLoss", "Normalize",
    "Permute", "PriorBox", "SmoothL1Loss", "VideoData",
)  # fmt: skip
_MEMORY_BYTES = 6_900_000_000
"""What Caffe finds free of the 8 GB that CPU and GPU share."""
_COPIES = 2
"""Of every blob there are the data and its gradient."""


@dataclass(frozen=True, slots=True)
class NetLog:
    """Writes the set-up of nets on one board."""

    glog: Glog
    settings: Settings

    def set_up(self, net: Net, text: str) -> None:
        """Log the set-up of a net, whose printed form is `text`.

        Ends the process, as Caffe's does, where a layer is not known or memory is too small.
        """
        place = self.settings.net_place
        self.glog.info(place(53), f"Initializing net from parameters: \n{text}")
        memory_bytes = 0
        taken_bytes = 0
        for layer in net.layers:
            self._declare(layer)
            self.glog.info(place(124), f"Setting up {layer.name}")
            for shape in layer.output_shapes:
                self.glog.info(place(131), f"Top shape: {_shape_text(shape or ())}")
                memory_bytes += FP32_BYTES * count(shape or ())
            self.glog.info(place(139), f"Memory required for data: {memory_bytes}")
            taken_bytes += _COPIES * (layer.weight_bytes or 0)
            if taken_bytes + _COPIES * memory_bytes > _MEMORY_BYTES:
                self._out_of_memory()
        needed = needs_backward(net)
        for layer in reversed(net.layers):
            if layer.name in needed:
                self.glog.info(place(200), f"{layer.name} needs backward computation.")
            else:
                self.glog.info(place(202), f"{layer.name} does not need backward computation.")
        for blob in sorted(_outputs(net)):
            self.glog.info(place(244), f"This network produces output {blob}")
        self.glog.info(place(257), "Network initialization done.")

    def _declare(self, layer: Layer) -> None:
        place = self.settings.net_place
        self.glog.info("layer_factory.hpp:77", f"Creating layer {layer.name}")
        if not layer.known or (layer.type in _SSD_LAYERS and not self.settings.ssd):
            message = "Check failed: registry.count(type) == 1 (0 vs. 1) Unknown layer type: "
            self.glog.fatal("layer_factory.hpp:81", f"{message}{layer.type}")
        if any(shape is None for shape in layer.output_shapes):
            # A layer that takes its shapes from data that this board does not have.
            message = "Check failed: mdb_status == 0 (2 vs. 0) No such file or directory"
            self.glog.fatal("db_lmdb.hpp:15", message)
        self.glog.info(place(86), f"Creating Layer {layer.name}")
        for blob in layer.bottoms:
            self.glog.info(place(408), f"{layer.name} <- {blob}")
        for blob in layer.tops:
            if blob in layer.bottoms:
                self.glog.info(place(369), f"{layer.name} -> {blob} (in-place)")
            else:
                self.glog.info(place(382), f"{layer.name} -> {blob}")

    def _out_of_memory(self) -> None:
        message = "Check failed: error == cudaSuccess (2 vs. 0)  out of memory"
        self.glog.fatal("syncedmem.cpp:56", message)


def needs_backward(net: Net) -> frozenset[str]:
    """Names of the layers that a loss needs gradients of; none where there is no loss."""
    learned: set[str] = set()
    """Blobs that depend on something that is learned."""
    for layer in net.layers:
        if layer.params or learned.intersection(layer.bottoms):
            learned.update(layer.tops)
    wanted: set[str] = set()
    """Blobs that a loss depends on."""
    needed = set()
    for layer in reversed(net.layers):
        to_loss = layer.type.endswith("Loss") or bool(wanted.intersection(layer.tops))
        if to_loss:
            wanted.update(layer.bottoms)
            if learned.intersection(layer.tops):
                needed.add(layer.name)
    return frozenset(needed)


def _outputs(net: Net) -> set[str]:
    """Blobs that no layer reads."""
    left: set[str] = set()
    for layer in net.layers:
        left.difference_update(layer.bottoms)
        left.update(layer.tops)
    return left


def _shape_text(shape: Shape) -> str:
    return " ".join(map(str, (*shape, f"({count(shape)})")))
