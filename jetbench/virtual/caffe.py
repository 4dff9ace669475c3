"""The ``caffe`` of a virtual board: ``caffe time`` with computed times, in Caffe's words.

It reads the net that it is given, takes each layer's time from `cost_model` and the clocks of
the board, adds a little noise that is the same for the whole process (as on a board, where the
spread between processes is the one that matters), and prints what Caffe prints. The time it
pretends to need is scaled down by the board's ``time_scale``. The stand-in script runs it as
``python -m jetbench.virtual.caffe``.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.phases import State
from jetbench.virtual.bad_net import last_words
from jetbench.virtual.clock import Clock
from jetbench.virtual.cost_model import Clocks, Engine, backward_ms, forward_ms
from jetbench.virtual.ends import Ends
from jetbench.virtual.gflags import CommandLine, FlagError, read_command_line
from jetbench.virtual.glog import Glog, aborted
from jetbench.virtual.incidents import Incidents
from jetbench.virtual.net_log import NetLog, needs_backward
from jetbench.virtual.net_text import printed_net
from jetbench.virtual.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from jetbench.nets.net import Net

_SETUP_S = 0.6
"""To start CUDA and to fill the weights."""
_NOISE_LOCKED = 0.004
_NOISE_UNLOCKED = 0.025
_NOISE_ITERATION = 0.006
_NOISE_BOARD = 0.008
"""How much two boards differ."""
_ACTIONS = ("device_query", "test", "time", "train")
_SIMULATED = "SIMULATED by jetbench: a virtual board, its times are computed, nothing is measured"


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    forward_ms: float
    backward_ms: float


class _Benchmark:
    """One run of ``caffe time``."""

    def __init__(self, settings: Settings, glog: Glog, asked: CommandLine) -> None:
        self._settings = settings
        self._glog = glog
        self._asked = asked
        self._place = settings.caffe_place
        self._incidents = Incidents(settings)
        number = self._incidents.number
        self._ends = Ends(settings.faults, number, glog)
        self._clock = Clock(settings.root, settings.faults, number)
        glog.offset_s = self._clock.offset_s
        # Each run has its own noise.
        self._random = random.Random(f"{settings.seed}/{self._incidents.number - 1}")  # noqa: S311

    def run(self) -> None:
        """Print the whole log, in scaled time."""
        self._ends.before_a_word()
        self._glog.info("jetbench.cpp:1", _SIMULATED)
        phase = self._phase()
        if not self._asked.model:
            message = "Check failed: FLAGS_model.size() > 0 (0 vs. 0) "
            self._glog.fatal(self._place(331), f"{message}Need a model definition to time.")
        self._choose_device()
        text = self._of_wrong_batch(self._read_model(), phase)
        net, printed = self._build(text, phase)
        NetLog(self._glog, self._settings).set_up(net, printed)
        layers = self._layers(net, phase, self._incidents.begin())
        self._glog.info(self._place(351), "Performing Forward")
        self._glog.advance(_SETUP_S)
        self._glog.info(self._place(356), "Initial loss: 0")
        self._glog.info(self._place(357), "Performing Backward")
        self._glog.info(self._place(365), "*** Benchmark begins ***")
        self._glog.info(self._place(366), f"Testing for {self._asked.iterations} iterations.")
        changed_hz = self._incidents.change_mode()
        if changed_hz is not None:
            layers = self._layers(net, phase, changed_hz)
        self._ends.in_the_middle()
        self._iterate(layers)
        self._incidents.end()

    def _phase(self) -> str:
        # Caffe's own default, which is not what one wants to measure.
        phase = self._asked.phase or "TRAIN"
        if phase not in {"TRAIN", "TEST"}:
            self._glog.fatal("caffe.cpp:119", 'phase must be "TRAIN" or "TEST"')
        return phase

    def _choose_device(self) -> None:
        if not self._asked.gpu:
            self._glog.info(self._place(343), "Use CPU.")
            return
        device = self._asked.gpu.split(",")[0].replace("all", "0")
        self._glog.info(self._place(339), f"Use GPU with device ID {device}")
        if not self._settings.gpu_build:
            self._glog.fatal("common.cpp:66", "Cannot use GPU in CPU-only Caffe: check mode.")
        if device != "0":
            message = "Check failed: error == cudaSuccess (10 vs. 0)  invalid device ordinal"
            self._glog.fatal("common.cpp:152", message)

    def _read_model(self) -> str:
        file = self._asked.model
        try:
            data = Path(file).read_bytes()
        except IsADirectoryError:
            data = b""  # which can be opened, and nothing is read from it
        except OSError:
            message = f"Check failed: fd != -1 (-1 vs. -1) File not found: {file}"
            self._glog.fatal("io.cpp:39", message)
        return data.decode("utf-8", "surrogateescape")

    def _of_wrong_batch(self, text: str, phase: str) -> str:
        """The net with another batch, on a board with that fault."""
        batch = self._settings.faults.wrong_batch
        if batch is None:
            return text
        try:
            return patch_batch(text, batch, phase=phase, stages=self._asked.stages).text
        except ModelError:
            return text

    def _build(self, text: str, phase: str) -> tuple[Net, str]:
        asked = self._asked
        try:
            printed = printed_net(text, phase=phase, stages=asked.stages, level=asked.level)
        except ModelError as error:
            self._unreadable(error)
        try:
            net = build_net(
                text, phase=phase, stages=asked.stages, level=asked.level, insert_splits=True
            )
        except ModelError as error:
            place = self._settings.net_place(53)
            self._glog.info(place, f"Initializing net from parameters: \n{printed}")
            self._glog.fatal(*last_words(text, State(phase, asked.stages, asked.level), error))
        return net, printed

    def _unreadable(self, error: ModelError) -> NoReturn:
        place = f"{error.line or 1}:{error.column or 1}"
        self._glog.raw(
            "[libprotobuf ERROR google/protobuf/text_format.cc:309] Error parsing "
            f"text-format caffe.NetParameter: {place}: {error.bare}"
        )
        message = "Check failed: ReadProtoFromTextFile(param_file, param) Failed to parse "
        self._glog.fatal(
            "upgrade_proto.cpp:90", f"{message}NetParameter file: {self._asked.model}"
        )

    def _layers(self, net: Net, phase: str, gpu_hz: int) -> list[_Layer]:
        """The time of each layer in this process: the model's, with noise."""
        clocks = Clocks.read(self._settings.root, gpu_hz)
        engine = Engine.gpu(clocks) if self._asked.gpu else Engine.cpu(clocks)
        spread = _NOISE_LOCKED if clocks.locked else _NOISE_UNLOCKED
        board = random.Random(f"board {self._settings.seed}").gauss(1, _NOISE_BOARD)  # noqa: S311
        process = board * self._random.gauss(1, spread)
        process *= self._incidents.slowness(gpu=bool(self._asked.gpu))
        needed = needs_backward(net)
        layers = []
        for layer in net.layers:
            own = process * max(0.5, self._random.gauss(1, spread))
            forward = forward_ms(layer, engine, phase)
            backward = backward_ms(layer, engine, phase, needed=layer.name in needed)
            layers.append(_Layer(layer.name, forward * own, backward * own))
        return self._with_a_slow_one(layers)

    def _with_a_slow_one(self, layers: list[_Layer]) -> list[_Layer]:
        """One layer takes twice as long, on a board with that fault."""
        number = self._settings.faults.slow_layer
        if number is None or not layers:
            return layers
        place = min(max(number, 1), len(layers)) - 1
        slow = layers[place]
        twice = _Layer(slow.name, 2 * slow.forward_ms, 2 * slow.backward_ms)
        return [*layers[:place], twice, *layers[place + 1 :]]

    def _iterate(self, layers: Sequence[_Layer]) -> None:
        iterations = self._asked.iterations
        # On the CPU Caffe times with the board's clock; CUDA has one of its own.
        mistimed = 0.0
        if iterations > 0 and not self._asked.gpu and layers:
            mistimed = self._clock.jump_s * 1e3 / iterations
            first = replace(layers[0], forward_ms=layers[0].forward_ms + mistimed)
            layers = [first, *layers[1:]]
        forward = sum(layer.forward_ms for layer in layers)
        backward = sum(layer.backward_ms for layer in layers)
        total = 0.0
        fair = forward + backward - mistimed
        for number in range(1, iterations + 1):
            # What lies between the layers, and what an iteration differs from another.
            once = fair * 1.003 * max(0.5, self._random.gauss(1, _NOISE_ITERATION))
            self._glog.advance(once / 1e3)
            if number == (iterations + 1) // 2:
                self._jump()
                once += mistimed * iterations
            total += once
            message = f"Iteration: {number} forward-backward time: {self._timer(once)} ms."
            self._glog.info(self._place(394), message)
        self._glog.info(self._place(397), "Average time per layer: ")
        for layer in layers:
            for place, what, each in (
                (400, "forward", layer.forward_ms),
                (403, "backward", layer.backward_ms),
            ):
                message = f"{layer.name:>10}\t{what}: {self._mean(each)} ms."
                self._glog.info(self._place(place), message)
        both = total / iterations if iterations > 0 else 0.0
        for place, message in (
            (408, f"Average Forward pass: {self._mean(forward)} ms."),
            (410, f"Average Backward pass: {self._mean(backward)} ms."),
            (412, f"Average Forward-Backward: {self._mean(both)} ms."),
            (414, f"Total Time: {self._timer(total)} ms."),
            (415, "*** Benchmark ends ***"),
        ):
            self._glog.info(self._place(place), message)

    def _jump(self) -> None:
        """Somebody sets the board's clock now, if this is that run."""
        self._clock.jump()
        self._glog.offset_s = self._clock.offset_s

    def _timer(self, milliseconds: float) -> str:
        """A time as the stream prints it; on the CPU the clock counts whole milliseconds."""
        return f"{milliseconds if self._asked.gpu else int(milliseconds):g}"

    def _mean(self, milliseconds: float) -> str:
        """A sum over all iterations, divided by their number, as the stream prints it."""
        if self._asked.iterations > 0:
            return f"{milliseconds:g}"
        return "-nan" if self._asked.iterations == 0 else "-0"


def _terminated(number: int, _: FrameType | None) -> None:
    """What glog prints when it is told to end."""
    text = aborted(signal.SIGTERM, os.getppid())
    # It may have come in the middle of a write to the stream.
    os.write(sys.stderr.fileno(), text.encode())
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def main(arguments: list[str]) -> int:
    """Do what the command line of ``caffe`` asks for; the exit status."""
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _terminated)
    if isinstance(sys.stderr, io.TextIOWrapper):
        # Names of layers are bytes to Caffe.
        sys.stderr.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        asked = read_command_line(arguments)
    except FlagError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    settings = Settings.read(Path(os.environ["JETBENCH_ROOT"]))
    glog = Glog(settings.time_scale)
    if asked.action == "time":
        _Benchmark(settings, glog, asked).run()
    else:
        glog.error("caffe.cpp:78", "Available caffe actions:")
        for action in _ACTIONS:
            glog.error("caffe.cpp:81", f"\t{action}")
        glog.fatal("caffe.cpp:83", f"Unknown action: {asked.action or ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
