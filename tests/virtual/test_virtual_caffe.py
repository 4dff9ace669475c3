"""The `caffe` of a virtual board: its words against real Caffe's, its times against published."""

from __future__ import annotations

import re
import signal
import subprocess
from dataclasses import replace
from statistics import stdev
from typing import TYPE_CHECKING

import pytest

from jetbench.formats.caffe_log import classify, parse_log
from jetbench.virtual.board_root import HOME, environment
from jetbench.virtual.options import BoardOptions, Faults
from tests.shared import shared
from tests.virtual.helpers import CAFFE, FAST, Root, at_batch_1, forward_ms, without_prefix

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED_MS = {
    "bvlc_alexnet": 12.9396,
    "bvlc_googlenet": 24.6415,
    "vgg16": 91.82,
    "resnet50": 64.0829,
}
SMALL = """
name: "small"
layer { name: "in" type: "Input" top: "data"
        input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
        inner_product_param { num_output: 5 weight_filler { type: 'gaussian' std: 1e-2 } } }
"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A board in MAXN with locked clocks."""
    board = Root(tmp_path / "board")
    board.run("sudo nvpmodel -m 0; sudo ./jetson_clocks.sh")
    return board


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A net of two layers."""
    file = tmp_path / "small.prototxt"
    file.write_text(SMALL)
    return file


@pytest.mark.parametrize("model", list(PUBLISHED_MS))
def test_a_published_time_is_met(root: Root, tmp_path: Path, model: str) -> None:
    """MAXN, clocks locked, batch 1, phase TEST: within 15 % of the published one."""
    file = at_batch_1(model, tmp_path)
    answer = root.run(f"{CAFFE} time -model {file} -gpu 0 -phase TEST -iterations 5")
    assert answer.status == 0
    assert forward_ms(answer.err) == pytest.approx(PUBLISHED_MS[model], rel=0.15)


def test_lower_modes_and_unlocked_clocks_are_slower(root: Root, tmp_path: Path) -> None:
    """MAXN before MAXP before MAXQ, and each slower with the governor in charge."""
    file = at_batch_1("bvlc_googlenet", tmp_path)
    command = f"{CAFFE} time -model {file} -gpu 0 -phase TEST -iterations 1"
    times = {}
    for mode in (0, 2, 1):
        for lock in ("", "sudo ./jetson_clocks.sh;"):
            answer = root.run(f"sudo nvpmodel -m {mode}; {lock} {command}")
            times[mode, bool(lock)] = forward_ms(answer.err)
    assert times[0, True] < times[2, True] < times[1, True]
    assert all(times[mode, True] < times[mode, False] for mode in (0, 2, 1))


def test_processes_differ_a_little_and_can_be_repeated(root: Root, small: Path) -> None:
    """Each process has noise of its own, below 2 %, and the same on a board of the same seed."""
    command = f"{CAFFE} time -model {small} -gpu 0 -iterations 1"
    times = [forward_ms(root.run(command).err) for _ in range(6)]
    assert len(set(times)) == 6
    assert 0 < stdev(times) / times[0] < 0.02
    again = Root(root.path.with_name("again"))
    again.run("sudo nvpmodel -m 0; sudo ./jetson_clocks.sh")
    assert [forward_ms(again.run(command).err) for _ in range(6)] == times
    other = Root(root.path.with_name("other"), replace(FAST, seed=7))
    other.run("sudo nvpmodel -m 0; sudo ./jetson_clocks.sh")
    assert forward_ms(other.run(command).err) != times[0]


def test_the_first_line_says_that_it_is_simulated(root: Root, small: Path) -> None:
    """Nobody who finds the log alone takes it for a measurement."""
    log = root.run(f"{CAFFE} time -model {small}").err
    assert "SIMULATED" in log.splitlines()[0]


def set_up_lines(log: str) -> list[str]:
    """From the first layer's making to the start of the benchmark, without times."""
    lines = without_prefix(log)
    first = next(number for number, line in enumerate(lines) if "Creating layer" in line)
    last = next(number for number, line in enumerate(lines) if "Performing Forward" in line)
    return lines[first:last]


def printed_net(log: str) -> list[str]:
    """The net between the head of the log and the making of its layers."""
    lines = without_prefix(log)
    first = next(number for number, line in enumerate(lines) if "Initializing net" in line)
    last = next(number for number, line in enumerate(lines) if "Creating layer" in line)
    return lines[first:last]


@pytest.mark.parametrize(
    ("log", "model", "phase"),
    [
        ("caffe1.0-cpu-ok-googlenet-b1-3it-test.log", "bvlc_googlenet", "TEST"),
        ("caffe1.0-cpu-ok-alexnet-b1-3it.log", "bvlc_alexnet", "TRAIN"),
    ],
)
def test_the_log_is_that_of_real_caffe(tmp_path: Path, log: str, model: str, phase: str) -> None:
    """Line by line, but for times: the printed net, its set-up, and the table of layers."""
    real = shared(f"corpus/logs/{log}").read_text()
    published = shared(f"corpus/prototxt/BVLC__caffe__models-{model}-deploy.prototxt").read_text()
    file = tmp_path / "deploy.prototxt"
    file.write_text(published.replace("dim: 10 ", "dim: 1 "))
    root = Root(tmp_path / "board", replace(FAST, release="r32"))
    ours = root.run(f"{CAFFE} time -model {file} -phase {phase} -iterations 3").err
    assert printed_net(ours) == printed_net(real)
    assert set_up_lines(ours) == set_up_lines(real)
    number = re.compile(r"[\d.e+-]+ ms|\d+ iterations")
    tail = [number.sub("N", line) for line in without_prefix(ours)]
    wanted = [number.sub("N", line) for line in without_prefix(real)]
    begin = next(index for index, line in enumerate(tail) if "Performing Forward" in line)
    start = next(index for index, line in enumerate(wanted) if "Performing Forward" in line)
    assert tail[begin:] == wanted[start:]


def test_the_places_are_those_of_ssds_branch(root: Root, small: Path) -> None:
    """As in the published log: averages from caffe.cpp:412 on, the net from net.cpp:58."""
    log = root.run(f"{CAFFE} time -model {small} -gpu 0").err
    assert "caffe.cpp:343] Use GPU with device ID 0" in log
    assert "net.cpp:58] Initializing net from parameters: " in log
    assert re.search(r"caffe.cpp:412\] Average Forward pass: \S+ ms\.$", log, re.MULTILINE)


@pytest.mark.parametrize(
    "flags",
    ["-gpu=0 -iterations=3", "--gpu 0 --iterations 3", "-gpu 0 --iterations=3 -logtostderr"],
)
def test_flags_are_read_as_gflags_does(root: Root, small: Path, flags: str) -> None:
    """One dash or two, the value behind `=` or as the next word."""
    log = root.run(f"{CAFFE} time {flags} -phase=TEST --model={small}").err
    assert "Use GPU with device ID 0" in log
    assert "Testing for 3 iterations." in log
    assert len(re.findall(r"Iteration: \d+ forward-backward time:", log)) == 3
    assert "phase: TEST" in log


def test_the_default_phase_is_train(root: Root, small: Path) -> None:
    """As in every Caffe, and fifty iterations."""
    log = root.run(f"{CAFFE} time -model {small}").err
    assert "phase: TRAIN" in log
    assert "Testing for 50 iterations." in log


def test_on_the_cpu_iterations_are_whole_milliseconds(root: Root, tmp_path: Path) -> None:
    """And everything takes longer than on the GPU."""
    file = at_batch_1("bvlc_alexnet", tmp_path)
    log = root.run(f"{CAFFE} time -model {file} -iterations 2").err
    assert "Use CPU." in log
    assert re.search(r"Iteration: 1 forward-backward time: \d+ ms\.", log)
    assert forward_ms(log) > 2 * PUBLISHED_MS["bvlc_alexnet"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("time -model nosuch.prototxt", 134, "io.cpp:39] Check failed: fd != -1 (-1 vs. -1) File"),
        ("time", 134, "Need a model definition to time."),
        ("time -model {small} -phase VALIDATION", 134, 'phase must be "TRAIN" or "TEST"'),
        ("time -model {small} -batch 1", 1, "ERROR: unknown command line flag 'batch'"),
        ("time -model {small} -iterations many", 1, "ERROR: illegal value 'many'"),
        ("time -model {small} -iterations", 1, "is missing its argument"),
        ("time -model {small} -gpu 3", 134, "(10 vs. 0)  invalid device ordinal"),
        ("tyme -model {small}", 134, "Unknown action: tyme"),
    ],
)
def test_wrong_calls_end_as_they_do_in_caffe(
    root: Root, small: Path, arguments: str, status: int, message: str
) -> None:
    """With its message, and by SIGABRT where Caffe aborts."""
    answer = root.run(f"{CAFFE} {arguments.format(small=small)}")
    assert answer.status == status
    assert message in answer.err


ELTWISE = 'layer { name: "sum" type: "Eltwise" bottom: "fc" bottom: "data" top: "sum" }'


@pytest.mark.parametrize(
    ("text", "message", "kind"),
    [
        ('layer { name: "x" type "Input"', "Error parsing text-format caffe.NetParameter: 1:",
         "bad_model"),
        (SMALL.replace("num_output: 5", 'num_output: "five"'), "Check failed", "bad_model"),
        (SMALL.replace('"InnerProduct"', '"Inner"'), "Unknown layer type: Inner", "bad_model"),
        (SMALL.replace('bottom: "data"', 'bottom: "image"'),
         "insert_splits.cpp:29] Unknown bottom blob 'image' (layer 'fc', bottom index 0)",
         "bad_model"),
        (SMALL + SMALL.splitlines()[2] + "}}}", "Error parsing", "bad_model"),
        (SMALL.replace('top: "fc"', 'top: "fc" top: "fc"'),
         "Top blob 'fc' produced by multiple sources", "bad_model"),
        (SMALL + ELTWISE, "eltwise_layer.cpp:30] Check failed", "bad_model"),
        (SMALL.replace("num_output: 5", ""), "inner_product_layer.cpp:30] Check", "bad_model"),
        (SMALL.replace('"InnerProduct"', '"Convolution"'), "base_conv_layer.cpp", "bad_model"),
        (SMALL.replace('"data"\n', '"data" include { phase: TEST }\n'), "Unknown bottom",
         "bad_model"),
        (SMALL.replace('" type', '" include { phase: TEST } type'), "end < layers_.size()",
         "bad_model"),
        (SMALL.replace("dim: 1 ", "dim: 40000000 "), "Check failed", "bad_model"),
        (SMALL.replace("dim: 1 ", "dim: 9000000 "), "out of memory", "out_of_memory"),
        ("", "Failed to parse NetParameter", "bad_model"),
        ("\0\1\2", "Failed to parse NetParameter", "bad_model"),
    ],
)  # fmt: skip
def test_a_bad_model_ends_in_an_abort(
    root: Root, small: Path, text: str, message: str, kind: str
) -> None:
    """With a fatal line in Caffe's form, from which the parser learns what it was."""
    small.write_text(text)
    answer = root.run(f"{CAFFE} time -model {small} -gpu 0")
    assert answer.status == 134
    assert message in answer.err
    assert re.search(r"^F\d{4} [\d:.]+ +\d+ \w+\.[ch]pp:\d+\] ", answer.err, re.MULTILINE)
    assert "*** Check failure stack trace: ***" in answer.err
    failure = classify(parse_log(answer.err.encode()), answer.status)
    assert failure is not None
    assert failure.kind == kind


def test_a_folder_is_no_model(root: Root, small: Path) -> None:
    """Real Caffe opens it, and finds nothing in it."""
    answer = root.run(f"{CAFFE} time -model {small.parent} -gpu 0")
    assert answer.status == 134
    failure = classify(parse_log(answer.err.encode()), answer.status)
    assert failure is not None
    assert failure.kind == "bad_model"


@pytest.mark.parametrize(
    ("log", "net"),
    [
        ("unknown-bottom", SMALL.replace('bottom: "data"', 'bottom: "image"')),
        ("unknown-layer", SMALL.replace('"InnerProduct"', '"Inner"')),
        ("syntax-error", SMALL.replace('name: "in"', 'name "in"')),
        ("blob-too-big", SMALL.replace("dim: 1 ", "dim: 40000000 ")),
        ("shape-mismatch-reshape",
         SMALL.replace('"InnerProduct"', '"Reshape" reshape_param { shape { dim: 7 } }')),
        ("data-layer-no-lmdb",
         SMALL.replace('"Input"', '"Data" data_param { source: "x" batch_size: 1 }')),
    ],
)  # fmt: skip
def test_it_fails_as_real_caffe_does(root: Root, small: Path, log: str, net: str) -> None:
    """The same kind of failure, from the same kind of line, for the same mistake."""
    real = parse_log(shared(f"corpus/logs/caffe1.0-cpu-fail-{log}.log").read_bytes())
    small.write_text(net)
    ours = parse_log(root.run(f"{CAFFE} time -model {small}").err.encode())
    assert real.failure is not None
    assert ours.failure is not None
    assert ours.failure.kind == real.failure.kind


def test_a_cpu_build_refuses_the_gpu(tmp_path: Path, small: Path) -> None:
    """As a Caffe that was built without CUDA; without `-gpu` it works."""
    root = Root(tmp_path / "board", BoardOptions(faults=Faults(cpu_only=True)))
    for command in (f"time -model {small} -gpu 0", "device_query -gpu 0"):
        answer = root.run(f"{CAFFE} {command}")
        assert answer.status == 134
        assert "Cannot use GPU in CPU-only Caffe: check mode." in answer.err
    assert root.run(f"{CAFFE} time -model {small}").status == 0


def test_no_iterations_give_no_number(root: Root, small: Path) -> None:
    """`-iterations 0` exits 0 with `-nan`, as the real one."""
    answer = root.run(f"{CAFFE} time -model {small} -gpu 0 -iterations 0")
    assert answer.status == 0
    assert "Average Forward pass: -nan ms." in answer.err


@pytest.mark.parametrize(
    ("number", "last"),
    [(signal.SIGTERM, "*** SIGTERM"), (signal.SIGINT, ""), (signal.SIGKILL, "")],
)
def test_a_signal_ends_it_half_way(
    tmp_path: Path, small: Path, number: signal.Signals, last: str
) -> None:
    """By that signal, with the iterations before it in the log; glog has a word on SIGTERM."""
    root = Root(tmp_path / "board", BoardOptions(time_scale=1.0))
    with subprocess.Popen(
        [CAFFE, "time", "-model", small, "-gpu", "0", "-iterations", "1000000"],
        executable=root.path / HOME / CAFFE,
        cwd=root.path / HOME,
        env=environment(root.path),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "Iteration: 3 " not in process.stderr.readline():
            pass
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait() == -number
    assert last in rest
    assert "Average Forward pass" not in rest


def test_layers_of_ssd_are_known_on_its_branch_only(tmp_path: Path) -> None:
    """BVLC's Caffe ends with an unknown layer type."""
    text = SMALL.replace("InnerProduct", "Permute").replace(
        re.search(r"inner_product_param .*\}", SMALL)[0],  # type: ignore[index]
        "permute_param { order: 0 order: 2 order: 3 order: 1 } }",
    )
    file = tmp_path / "ssd.prototxt"
    file.write_text(text)
    for options, status in ((FAST, 0), (replace(FAST, release="r32"), 134)):
        root = Root(tmp_path / options.release, options)
        answer = root.run(f"{CAFFE} time -model {file} -gpu 0 -iterations 1")
        assert answer.status == status, answer.err


def test_a_loss_makes_the_backward_pass_needed(root: Root, small: Path) -> None:
    """As Caffe says layer by layer, and takes longer for it."""
    command = f"{CAFFE} time -model {small} -gpu 0 -iterations 1"
    without = root.run(command).err
    assert "fc does not need backward computation." in without
    label = 'layer { name: "y" type: "Input" top: "y" input_param { shape { dim: 1 } } }'
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "fc" bottom: "y" top: "l" }'
    small.write_text(f"{SMALL}{label}\n{loss}")
    log = root.run(command).err
    assert "fc needs backward computation." in log
    assert "in does not need backward computation." in log
