"""What a log says of the net: the types of its layers, and the shapes of its inputs.

Caffe prints the net it has built (protobuf's text format, one field a line), and then each
layer with its bottoms, its tops and their shapes while it sets it up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast

from jetbench.formats.caffe_log_lines import clean, messages
from jetbench.formats.textproto import Scalar

if TYPE_CHECKING:
    from jetbench.domain.timing import Fork
    from jetbench.formats.caffe_log_lines import Message

_MAX_SETUP_BYTES = 4 << 20
"""What Caffe says of some five thousand layers."""
_MAX_LAYERS = 10_000
_MAX_AXES = 32  # Caffe's kMaxBlobAxes
_NAME_LENGTH = 300
_SSD_TYPES = {"MultiBoxLoss", "DetectionOutput", "PriorBox", "AnnotatedData"}
_INTEL_TYPES = {"IntelPack", "IntelUnpack", "MKLConvolution", "MKLDNNConvolution"}
_NO_INPUTS = {"Parameter"}

_FIELD = re.compile(rb"(\w+): (.+)")
_CREATING = re.compile(rb"Creating Layer (.+)")
_TOP = re.compile(rb"(.+) -> (.+?)(?: \(in-place\))?")
_BOTTOM = re.compile(rb".+ <- .+")
_SHAPE = re.compile(rb"Top shape: ((?:[0-9]{1,10} )*)\([0-9]{1,20}\)")
_SPLIT = re.compile(r".+_[0-9]+_split")
_LEGACY_INPUT = re.compile(rb"Input [0-9]+ -> .+")


class SetUp:
    """What a run says while it prints its nets and builds them, kept as it came.

    To read it takes longer than to find its end, and only one run of a log is asked for it.
    """

    def __init__(self) -> None:
        self.printing = False
        """Whether a line without a prefix belongs to a printed net."""
        self._building = 0
        self._nets: list[list[bytes]] = []
        self._room = _MAX_SETUP_BYTES

    @property
    def begun(self) -> bool:
        """Whether a net has been printed or built."""
        return bool(self._nets)

    def start(self) -> None:
        """A net is being built; perhaps one within a layer of the other (an unrolled LSTM)."""
        if not self._building:
            self._nets.append([])
        self._building += 1
        self.printing = True

    def finish(self) -> None:
        """The net that was begun last is done."""
        self._building = max(0, self._building - 1)

    def end(self) -> None:
        """The run has come to its measurement."""
        self._building = 0

    def keep(self, text: bytes) -> None:
        """Keep whole lines of the log, where they belong to the set-up."""
        if not self._nets and b"] Creating Layer " in text:  # the log has lost its beginning
            self.start()
            self.printing = False
        if self._building and self._room:
            self._nets[-1].append(text[: self._room])
            self._room -= len(self._nets[-1][-1])

    def read(self) -> NetReader:
        """What has been kept says this."""
        reader = NetReader()
        for kept in self._nets:
            reader.start()
            for message in messages(b"".join(kept)):
                reader.read(message)
        return reader


class NetReader:
    """Reads what the messages of a set-up say of the net."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self.phase: Literal["TEST", "TRAIN"] | None = None
        self._building = 0
        self._printing = False
        self._path: list[bytes] = []
        self._fields: dict[bytes, bytes] = {}
        self._layer: bytes | None = None
        self._has_bottom = False
        self._tops: list[str] = []
        self._shapes: list[tuple[int, ...]] = []
        self._inputs: dict[str, tuple[int, ...]] = {}
        self._legacy_names: list[str] = []
        self._legacy_groups: list[list[int]] = []
        self._legacy_dims: list[int] = []

    @property
    def seen(self) -> bool:
        """Whether a net has been printed or built."""
        return bool(self._building or self.types or self._inputs)

    @property
    def built(self) -> bool:
        """Whether a net has been built to its end."""
        return self.seen and not self._building

    def start(self) -> None:
        """A net is being built, perhaps within a layer of another."""
        self._building += 1
        self._printing = True
        self._path = []

    def read(self, message: Message) -> None:
        """Read the next message; those on nets within a layer are passed over."""
        text = message.text
        if message.level is None:
            if self._printing and self._building == 1:
                self._printed(text)
        elif text.startswith(b"Initializing net from parameters"):
            self.start()
        elif text.startswith(b"Network initialization done"):
            self._close_layer()
            self._building = max(0, self._building - 1)
            self._printing = False
        else:
            self._printing = False
            if self._building <= 1:
                self._built(text)

    def _printed(self, line: bytes) -> None:
        if line.endswith(b"{"):
            self._path.append(line[:-1].strip(b" :"))
            if len(self._path) == 1:
                self._fields = {}
        elif line == b"}" and self._path:
            closed = self._path.pop()
            if not self._path and closed in {b"layer", b"layers"}:
                self._add_layer()
        elif found := _FIELD.fullmatch(line):
            self._field(found[1], found[2])

    def _built(self, text: bytes) -> None:
        if found := _CREATING.fullmatch(text):
            self._close_layer()
            self._layer = found[1]
        elif found := _SHAPE.fullmatch(text):
            self._shapes.append(tuple(int(dim) for dim in found[1].split()[:_MAX_AXES]))
        elif _LEGACY_INPUT.fullmatch(text):
            return
        elif _BOTTOM.fullmatch(text):
            self._has_bottom = True
        elif self._layer is not None and (found := _TOP.fullmatch(text)):
            self._tops.append(clean(found[2], _NAME_LENGTH))

    def type_of(self, layer: str) -> str | None:
        """The type of a layer; Caffe inserts Split layers after it has printed the net."""
        known = self.types.get(layer)
        return "Split" if known is None and self.types and _SPLIT.fullmatch(layer) else known

    def input_shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each blob that no layer computes, with its shape."""
        if self._inputs:
            return tuple(self._inputs.items())
        groups = self._legacy_groups or [
            self._legacy_dims[i : i + 4] for i in range(0, len(self._legacy_dims), 4)
        ]
        return tuple(
            (name, tuple(group)) for name, group in zip(self._legacy_names, groups, strict=False)
        )

    def fork(self) -> Fork | None:
        """The fork to which one of the layers belongs alone."""
        kinds = set(self.types.values())
        if kinds & _INTEL_TYPES:
            return "intel"
        return "ssd" if kinds & _SSD_TYPES else None

    def _field(self, name: bytes, value: bytes) -> None:
        match self._path:
            case []:
                if name == b"input":
                    self._legacy_names.append(_text(value))
                elif name == b"input_dim" and value.isdigit():
                    self._legacy_dims.append(int(value[:10]))
            case [b"input_shape"]:
                if name == b"dim" and value.isdigit():
                    if not self._fields:
                        self._legacy_groups.append([])
                    self._fields[name] = value
                    self._legacy_groups[-1].append(int(value[:10]))
            case [b"state"]:
                if name == b"phase" and value in {b"TEST", b"TRAIN"}:
                    self.phase = cast('Literal["TEST", "TRAIN"]', value.decode("ascii"))
            case [b"layer"] | [b"layers"]:
                self._fields.setdefault(name, value)

    def _add_layer(self) -> None:
        name, kind = self._fields.get(b"name"), self._fields.get(b"type")
        if name is not None and kind is not None and len(self.types) < _MAX_LAYERS:
            self.types[_text(name)] = _text(kind)

    def _close_layer(self) -> None:
        """Keep the tops of a layer that has no bottoms: they are inputs of the net."""
        if self._layer is not None and not self._has_bottom:
            kind = self.types.get(clean(self._layer, _NAME_LENGTH))
            if kind not in _NO_INPUTS and len(self._inputs) < _MAX_LAYERS:
                self._inputs.update(zip(self._tops, self._shapes, strict=False))
        self._layer, self._has_bottom = None, False
        self._tops, self._shapes = [], []


def _text(value: bytes) -> str:
    """The text of a printed field: a string in quotes, or a bare word."""
    source = value.decode("utf-8", "surrogateescape")
    if len(source) > 1 and source[0] == source[-1] == '"':
        source = Scalar(source, 0, len(source), "string").as_str()
    return clean(source.encode("utf-8", "surrogateescape"), _NAME_LENGTH)
