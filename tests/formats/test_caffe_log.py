"""Logs of ``caffe time``: times, the net that was run, or why there is nothing."""

from __future__ import annotations

import pytest

from jetbench.domain.timing import LayerTiming, ParsedLog
from jetbench.formats.caffe_log import classify, parse_runs
from tests.formats.caffe_logs import (
    FATAL,
    ITERATIONS,
    LOG,
    RESULT,
    SETUP,
    TABLE,
    UNREADABLE,
    glog,
    read,
    why,
)


def test_a_whole_log_gives_all_there_is() -> None:
    """Times, layers with their types, the shapes, the phase, the device."""
    assert read(LOG) == ParsedLog(
        forward_ms=11.5,
        backward_ms=20.75,
        forward_backward_ms=33.0,
        total_ms=132.5,
        iterations=4,
        batch=2,
        input_shapes=(("data", (2, 3, 8, 9)),),
        phase="TEST",
        gpu=True,
        layers=(
            LayerTiming("data", "Input", 0.0011, 1.2e-05),
            LayerTiming("mix/1x1 a", "Convolution", 11.25, 20.5),
        ),
        iteration_ms=(31.5, 32.5, 33.5, 34.5),
        window=(6426895.123456, 6426895.123456),
        complete=True,
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("I0315", "0315"),
        lambda text: text.replace("I0315", "I20260315"),
        lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
        lambda text: text.replace("\t", "   "),
        lambda text: text.replace(" ms.\n", " ms\n"),
        lambda text: text.replace("pass: ", "pass:\n").replace("time: ", "\ntime: "),
        lambda text: "$ caffe time -model toy.prototxt\n......\n" + text + "$ \n",
        lambda text: text + "debug print\nAverage of something: 4 ms.\n",
    ],
)
def test_a_log_that_was_handed_on_says_the_same(damage: object) -> None:
    """Quoted, wrapped, without tabs, with the first letter lost, with prompts around it."""
    whole, damaged = read(LOG), read(damage(LOG))  # type: ignore[operator]
    assert damaged.complete
    assert damaged.forward_ms == whole.forward_ms
    assert damaged.layers == whole.layers
    assert damaged.iteration_ms == whole.iteration_ms
    assert damaged.input_shapes == whole.input_shapes


def test_results_pasted_as_one_line_are_taken_apart() -> None:
    """Also without prefixes; the iterations follow from total and mean."""
    pasted = read(RESULT.replace("\n", " "))
    assert (pasted.forward_ms, pasted.total_ms, pasted.iterations) == (11.5, 132.5, 4)
    bare = read("Average Forward pass: 7 ms.\nAverage Backward pass: 9 ms.")
    assert (bare.forward_ms, bare.backward_ms, bare.iterations) == (7.0, 9.0, None)


def test_the_last_finished_run_of_several_counts() -> None:
    """A run that died before or after it does not; all of them are there to be asked for."""
    text = SETUP + ITERATIONS + LOG + LOG.replace("11.5", "12.5") + SETUP
    assert read(text).forward_ms == 12.5
    runs = parse_runs(text.encode())
    assert [run.forward_ms for run in runs] == [None, 11.5, 12.5, None]
    assert [run.batch for run in runs] == [2, 2, 2, 2]
    two = parse_runs(b"Average Forward pass: 1 ms.\nAverage Forward pass: 2 ms.\n")
    assert [run.forward_ms for run in two] == [1.0, 2.0]


def test_nvidias_initial_iterations_are_no_result() -> None:
    """They are told from the means, and show the fork."""
    text = (
        glog("Use GPU with device ID 0")
        + glog("Initialization for 5 iterations.")
        + glog("Average Initialization Forward/Backward pass: 391.5 ms.")
        + glog("Testing for 4 iterations.")
    )
    assert read(text).forward_ms is None
    parsed = read(text + RESULT)
    assert (parsed.forward_ms, parsed.fork) == (11.5, "nvidia")


def test_intels_minima_and_the_tool_of_2014_are_read() -> None:
    """Minima say so; sums over the iterations become means."""
    minimum = read(RESULT.replace("Average", "Min"))
    assert (minimum.forward_ms, minimum.statistic, minimum.fork) == (11.5, "minimum", "intel")
    where = "net_speed_benchmark.cpp:35"
    old = read(
        glog("Testing for 2Iterations.", "E", where)
        + glog("Using GPU", "E", where)
        + glog("conv1   forward: 20.5 milli seconds.", "E", where)
        + glog("Forward pass: 21 milli seconds.", "E", where)
    )
    assert (old.forward_ms, old.iterations, old.gpu) == (10.5, 2, True)
    assert old.layers == (LayerTiming("conv1", None, 10.25, None),)


def test_a_fork_is_named_only_where_the_log_shows_it() -> None:
    """A layer that only ssd-caffe has is such a sign; line numbers are none."""
    assert read(LOG).fork is None
    assert read(LOG.replace('"Convolution"', '"PriorBox"')).fork == "ssd"


def test_old_logs_give_shapes_through_the_printed_net() -> None:
    """``input:`` with ``input_dim``, where no Input layer is set up."""
    net = 'input: "data"\ninput: "info"\n' + "".join(
        f"input_dim: {dim}\n" for dim in (6, 3, 40, 50, 1, 3, 1, 1)
    )
    text = glog("Initializing net from parameters: ") + net + glog("Input 0 -> data") + RESULT
    parsed = read(text)
    assert parsed.input_shapes == (("data", (6, 3, 40, 50)), ("info", (1, 3, 1, 1)))
    assert parsed.batch == 6
    shaped = net.split("input_dim")[0] + "input_shape {\n  dim: 6\n  dim: 4\n}\n" * 2
    parsed = read(glog("Initializing net from parameters: ") + shaped + RESULT)
    assert dict(parsed.input_shapes) == {"data": (6, 4), "info": (6, 4)}


def test_a_net_within_a_layer_is_passed_over() -> None:
    """A recurrent layer unrolls a net of its own while the outer one is built."""
    inner = SETUP[SETUP.index("I0315", 10) : SETUP.index(glog("Performing Forward"))]
    outer = glog("Creating Layer lstm") + glog("lstm <- data")
    text = SETUP.replace(glog("mix/1x1 a <- data", where="net.cpp:100"), outer + inner)
    assert read(text + RESULT).input_shapes == (("data", (2, 3, 8, 9)),)


def test_split_layers_have_a_type_though_the_net_was_printed_before() -> None:
    """Caffe inserts them afterwards."""
    extra = glog("data_data_0_split\tforward: 0.5 ms.")
    assert read(LOG.replace(TABLE, TABLE + extra)).layers[-1].type == "Split"


def test_numbers_that_are_none_are_missing() -> None:
    """``-nan``, ``-0`` and zero iterations are failures, though Caffe exits with 0."""
    for number, count in (("-nan", 0), ("-0", -1), ("0", 4), ("nan", 4), ("inf", 4)):
        text = LOG.replace("11.5", number).replace("for 4", f"for {count}")
        parsed = read(text)
        assert not parsed.complete
        assert parsed.forward_ms is None
        kind, message = why(text, 0)
        assert kind == "truncated"
        assert number in message
    layer = read(LOG.replace("11.25", "-nan").replace("20.5 ms", "3.68935e+011 ms")).layers[1]
    assert (layer.forward_ms, layer.backward_ms) == (None, 3.68935e11)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (glog("Check failed: error == cudaSuccess (2 vs. 0)  out of memory", "F") + FATAL,
         "out_of_memory", "out of memory"),
        (glog("Check failed: *ptr host allocation of size 5 ", "F") + "failed\n" + FATAL,
         "out_of_memory", "size 5 failed"),
        ("terminate called after throwing an instance of 'std::bad_alloc'\n",
         "out_of_memory", "bad_alloc"),
        (glog("Check failed: status == CUDNN_STATUS_SUCCESS (4 vs. 0)", "F"), "cuda", "CUDNN"),
        (glog("Check failed: error == cudaSuccess (8 vs. 0)  invalid device function", "F"),
         "cuda", "invalid device function"),
        (glog("Cannot use GPU in CPU-only Caffe: check mode.", "F"), "no_gpu", "CPU-only"),
        (glog("Check failed: error == cudaSuccess (10 vs. 0)  invalid device ordinal", "F"),
         "no_gpu", "ordinal"),
        (glog("Check failed: fd != -1 (-1 vs. -1) File not found: a.prototxt", "F"),
         "no_such_file", "a.prototxt"),
        (UNREADABLE + glog("Check failed: ReadProtoFromTextFile(f, p)", "F"),
         "bad_model", "7:3"),
        (glog("Check failed: Unknown layer type: Fancy (known types: out of memory)", "F"),
         "bad_model", "Fancy"),
        ("caffe: error while loading shared libraries: libx.so: No such file or directory\n",
         "missing_library", "libx.so"),
        ("sh: 1: build/tools/caffe: not found\n", "no_such_file", "not found"),
        ("bash: line 1: ./caffe: Permission denied\n", "not_caffe", "Permission denied"),
        (glog("Performing Forward") + "Killed\n", "killed", "memory"),
        (
            glog("Performing Forward") + "./all.sh: line 3:  8123 Killed      ./caffe time\n",
            "killed",
            "memory",
        ),
        (glog("Performing Forward") + "[1]+  Killed      ./caffe time\n", "killed", "memory"),
        (
            glog("Performing Forward")
            + "bash: line 1: 77 Segmentation fault      (core dumped) ./caffe time\n",
            "crashed",
            "Segmentation",
        ),
        ("./caffe time\nSegmentation fault (core dumped)\n", "crashed", "Segmentation fault"),
        (SETUP + "*** SIGTERM (@0x1) received by PID 5 from PID 6; stack trace: ***\n",
         "killed", "SIGTERM"),
        (SETUP + "*** SIGSEGV (@0x0) received by PID 5\n", "crashed", "SIGSEGV"),
        (glog("phase must be right", "F"), "crashed", "phase must be right"),
        (glog("Check failed: a == b (3 vs. 4)", "F", "concat_layer.cpp:42"), "bad_model", "a =="),
        (glog("Check failed: x > 0 ", "F", "src/caffe/net.cpp:7"), "bad_model", "x > 0"),
        (glog("Check failed: x > 0 ", "F", "benchmark.cpp:7"), "crashed", "x > 0"),
        ("ERROR: unknown command line flag 'speed'\n", "crashed", "speed"),
        (SETUP + ITERATIONS, "truncated", "iteration 4 of 4"),
        (SETUP + ITERATIONS + TABLE, "truncated", "layers"),
        (SETUP, "truncated", "first iteration"),
        (SETUP[:500], "truncated", "being built"),
        (RESULT[: RESULT.index(" ms.")], "truncated", "ends before"),
        ("hello\n", "not_caffe", "no log"),
        ("", "not_caffe", "no log"),
    ],
)  # fmt: skip
def test_a_failure_has_a_kind_and_a_reason(text: str, kind: str, words: str) -> None:
    """The reason is the message that says most, not the first or the last."""
    found, message = why(text)
    assert found == kind
    assert words in message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, "truncated"),
        (1, "crashed"),
        (124, "timeout"),
        (126, "not_caffe"),
        (127, "no_such_file"),
        (129, "interrupted"),
        (130, "interrupted"),
        (134, "crashed"),
        (137, "killed"),
        (139, "crashed"),
        (153, "crashed"),
        (143, "killed"),
        (None, "truncated"),
    ],
)
def test_the_exit_status_says_what_no_message_can(status: int | None, kind: str) -> None:
    """SIGINT, SIGKILL and SIGHUP leave none."""
    assert why(SETUP + ITERATIONS, status)[0] == kind


def test_a_reason_in_the_log_is_better_than_an_exit_status() -> None:
    """But a time limit is one, though the log ends with SIGTERM."""
    memory = SETUP + glog("Check failed: error == cudaSuccess (2 vs. 0)  out of memory", "F")
    assert why(memory, 134)[0] == "out_of_memory"
    assert why(memory, 137)[0] == "out_of_memory"
    assert why(SETUP + "*** SIGTERM (@0x1) received by PID 5\n", 124)[0] == "timeout"
    assert why("sh: 1: ./caffe: Permission denied\n", 126)[1].endswith("Permission denied")


def test_what_follows_a_printed_result_does_not_spoil_it() -> None:
    """A crash while the process ends, or a status from a pipe."""
    assert classify(read(LOG + "Segmentation fault\n"), 139) is None


def test_text_of_a_board_is_made_safe() -> None:
    """Control characters are escaped, lengths bounded, bytes that are no UTF-8 shown."""
    message = why(glog("\x1b[2Jboo\x07" + "x" * 100_000, "F"))[1]
    assert message.startswith("\\x1b[2Jboo\\x07")
    assert len(message) < 600
    name = read(glog("caf\udce9\x1b\tforward: 1 ms.")).layers[0].name
    assert name == "caf\\xe9\\x1b"


def test_names_match_between_the_printed_net_and_the_table() -> None:
    """Protobuf escapes a byte that the table prints as it is."""
    text = LOG.replace("mix/1x1 a\t", "mix\udce9\t").replace("mix/1x1 a", "mix\\351")
    assert read(text).layers[1] == LayerTiming("mix\\xe9", "Convolution", 11.25, 20.5)
