"""How real Caffe sets a net up: each layer with its blobs and their shapes, as its log says."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from jetbench.nets.build import build_net

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.nets.net import Shape
    from tests.real.conftest import RealBoard

# What follows the set-up is a pass over a net that may be large; so Caffe is killed before it
# has well begun. It says itself when: a recurrent layer has nets within, each with its own end.
_LOAD = """\
folder=$(mktemp -d) && cd "$folder" && mkfifo log && cat >net.prototxt || exit
ulimit -v 8000000
GLOG_logtostderr=1 caffe time -model net.prototxt -iterations 1 {options} >log 2>&1 &
timeout 45 sed '/\\] Performing Forward$/q' <log | iconv -c -f utf-8 -t utf-8
kill -9 $! 2>/dev/null
wait
cd / && rm -r "$folder"
"""
_SET_UP = "] Performing Forward\n"
_BEGUN = "Initializing net from parameters"
_DONE = "Network initialization done"
_MESSAGE = re.compile(r"[IWEF]\d{4} \S+ +\d+ [\w.]+:\d+\] (.*)")
_COMPLAINT = re.compile(r"^(?:F\d{4} |\[libprotobuf ERROR ).*", re.MULTILINE)
_CREATING = re.compile(r"^Creating Layer (.*)\n", re.MULTILINE)
_SHAPE = re.compile(r"^Top shape: ((?:\d+ )*)\(\d+\)$", re.MULTILINE)
_NAME_AND_TYPE = re.compile(r'^  name: "(.*)"\n  type: "(.*)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """A net, and as what Caffe is to load it."""

    text: str
    phase: str = "TEST"
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetUpLayer:
    """One layer, with its blobs."""

    name: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    shapes: tuple[Shape | None, ...]
    """One for each top; Caffe knows them all."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A whole net, with the Split layers that Caffe adds."""

    layers: tuple[SetUpLayer, ...]
    types: dict[str, str]
    """By layer. Of Caffe's, those that stand in the first 30,000 characters of the net, where
    glog cuts what is printed; and no Split that Caffe has added."""
    failure: str | None = None
    """Why Caffe has given up, in its own words."""

    @property
    def wiring(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """The layers without the shapes."""
        return [(layer.name, layer.bottoms, layer.tops) for layer in self.layers]

    @property
    def blobs(self) -> dict[str, Shape | None]:
        """Every blob, with the shape that it is made with."""
        return {
            top: shape
            for layer in reversed(self.layers)
            for top, shape in zip(layer.tops, layer.shapes, strict=True)
        }


def set_up(boards: tuple[RealBoard, ...], *loads: Load) -> list[SetUp]:
    """Has real Caffe set up each of the nets, on as many boards at a time as there are."""
    with ThreadPoolExecutor(len(boards)) as pool:
        return list(pool.map(_on_board, cycle(boards), loads))


def as_we_say(load: Load) -> SetUp:
    """The same net as ``build_net`` sees it."""
    net = build_net(load.text, phase=load.phase, stages=load.stages, insert_splits=True)
    return SetUp(
        layers=tuple(
            SetUpLayer(layer.name, layer.bottoms, layer.tops, layer.output_shapes)
            for layer in net.layers
        ),
        types={layer.name: layer.type for layer in net.layers},
    )


def _on_board(board: RealBoard, load: Load) -> SetUp:
    stages = f"-stage {','.join(load.stages)}" if load.stages else ""
    done = board.run(_LOAD.format(options=f"-phase {load.phase} {stages}"), stdin=load.text)
    assert done.returncode == 0, done.stderr
    log = done.stdout
    printed, _, _ = log.partition("] Creating Layer ")
    return SetUp(
        layers=tuple(_layers("\n".join(_of_the_net_itself(log)))),
        types=dict(_NAME_AND_TYPE.findall(printed)),
        failure=None if log.endswith(_SET_UP) else "\n".join(_COMPLAINT.findall(log)) or log,
    )


def _of_the_net_itself(log: str) -> Iterator[str]:
    """The messages of a set-up without those on nets within its layers."""
    depth = 0
    for line in log.splitlines():
        if found := _MESSAGE.fullmatch(line):
            depth += found[1].startswith(_BEGUN)
            if depth == 1:
                yield found[1]
            depth -= found[1].startswith(_DONE)


def _layers(messages: str) -> Iterator[SetUpLayer]:
    _, *parts = _CREATING.split(messages)
    for name, said in zip(parts[::2], parts[1::2], strict=True):
        yield SetUpLayer(
            name=name,
            bottoms=tuple(_after(f"{name} <- ", said)),
            tops=tuple(top.removesuffix(" (in-place)") for top in _after(f"{name} -> ", said)),
            shapes=tuple(tuple(map(int, dims.split())) for dims in _SHAPE.findall(said)),
        )


def _after(prefix: str, said: str) -> list[str]:
    return [line.removeprefix(prefix) for line in said.splitlines() if line.startswith(prefix)]
