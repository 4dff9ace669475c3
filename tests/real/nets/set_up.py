"""How real Caffe sets a net up: each layer with its blobs and their shapes, as its log says.

Parameters are not in the log. ``caffe train`` writes them to a file even where it is to learn
for no iteration at all; so that is how a net is loaded of which they are to be known.
"""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING

from jetbench.nets.build import build_net
from jetbench.nets.net import count
from tests.real.nets.caffemodel import stored_layers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.nets.net import Shape
    from tests.real.conftest import RealBoard

# What follows the set-up is a pass over a net that may be large, or a second file as large as
# the net, with the state of the learning; so Caffe is killed before that has well begun. It says
# itself when: a recurrent layer has nets within, each with its own end.
_LOAD = """\
folder=$(mktemp -d) && cd "$folder" && mkfifo log && cat >net.prototxt || exit
ulimit -v 8000000
cat >solver.prototxt <<'END'
{solver}
END
GLOG_logtostderr=1 caffe {command} >log 2>&1 &
timeout 45 sed '/\\] {end}$/q' <log | iconv -c -f utf-8 -t utf-8
kill -9 $! 2>/dev/null
wait
[ ! -e s_iter_0.caffemodel ] || mv s_iter_0.caffemodel {model}
cd / && rm -r "$folder"
"""
_TIME = "time -model net.prototxt -iterations 1 -phase {phase}{stages}"
_TIME_BEGINS = "Performing Forward"
# The phase of a solver's net is TRAIN, but for what train_state says.
_SOLVER = """\
net: "net.prototxt" max_iter: 0 base_lr: 0 lr_policy: "fixed" solver_mode: CPU
snapshot_prefix: "s" train_state {{ phase: {phase} {stages} }}"""
_SAVED = "Snapshotting solver state to binary proto file s_iter_0.solverstate"
_BEGUN = "Initializing net from parameters"
_DONE = "Network initialization done"
_MESSAGE = re.compile(r"[IWEF]\d{4} \S+ +\d+ [\w.]+:\d+\] (.*)")
_COMPLAINT = re.compile(r"^(?:F\d{4} |\[libprotobuf ERROR ).*", re.MULTILINE)
_CREATING = re.compile(r"^Creating Layer (.*)\n", re.MULTILINE)
_SHAPE = re.compile(r"^Top shape: ((?:\d+ )*)\(\d+\)$", re.MULTILINE)
_SHARING = re.compile(
    r"^Sharing parameters '.*' owned by layer '(.*)', param index (\d+)$", re.MULTILINE
)
_NAME_AND_TYPE = re.compile(r'^  name: "(.*)"\n  type: "(.*)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """A net, and as what Caffe is to load it."""

    text: str
    phase: str = "TEST"
    stages: tuple[str, ...] = ()
    with_params: bool = False
    """Whether to have the parameters too, which takes seconds where they are many."""


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
    glog cuts what is printed, and no Split that Caffe has added; but all of them where the
    parameters were asked for."""
    stored: tuple[tuple[str, int | None], ...] = ()
    """By layer, how many numbers it has in a file with the net's parameters: what is learned
    and what is not, also what it shares with another layer."""
    owned: int | None = None
    """The same of the whole net, with what is shared counted once."""
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
        stored=tuple(
            (layer.name, None if layer.params is None else layer.params + layer.statistics)
            for layer in net.layers
        ),
        owned=None if net.params is None else net.params + net.statistics,
    )


def _on_board(board: RealBoard, load: Load) -> SetUp:
    # The board's user writes the file, and this machine's root user reads it where it lies.
    model = f"tmp/{secrets.token_hex(8)}.caffemodel"
    end = _SAVED if load.with_params else _TIME_BEGINS
    try:
        done = board.run(_script(load, end, f"/{model}"), stdin=load.text)
        assert done.returncode == 0, done.stderr
        log = done.stdout
        if not log.endswith(f"] {end}\n"):
            return _from_log(log, "\n".join(_COMPLAINT.findall(log)) or log)
        seen = _from_log(log)
        return _with_params(seen, log, board.root / model) if load.with_params else seen
    finally:
        (board.root / model).unlink(missing_ok=True)


def _script(load: Load, end: str, model: str) -> str:
    stages = f" -stage {','.join(load.stages)}" if load.stages else ""
    rules = " ".join(f'stage: "{stage}"' for stage in load.stages)
    return _LOAD.format(
        command=(
            "train -solver solver.prototxt"
            if load.with_params
            else _TIME.format(phase=load.phase, stages=stages)
        ),
        solver=_SOLVER.format(phase=load.phase, stages=rules),
        end=end,
        model=model,
    )


def _from_log(log: str, failure: str | None = None) -> SetUp:
    printed, _, _ = log.partition("] Creating Layer ")
    return SetUp(
        layers=tuple(_layers("\n".join(_of_the_net_itself(log)))),
        types=dict(_NAME_AND_TYPE.findall(printed)),
        failure=failure,
    )


def _with_params(seen: SetUp, log: str, model: Path) -> SetUp:
    layers = stored_layers(model)
    blobs = {layer.name: layer.blobs for layer in layers}
    stored = tuple((layer.name, sum(map(count, layer.blobs))) for layer in layers)
    shared = sum(
        count(blobs[owner][int(index)])
        for owner, index in _SHARING.findall("\n".join(_of_the_net_itself(log)))
    )
    return replace(
        seen,
        types={layer.name: layer.type for layer in layers},
        stored=stored,
        owned=sum(number for _, number in stored) - shared,
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
