"""From a board's journal to its records, and to a reason for each number that is missing."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.bench.ingest import ingest_board
from jetbench.bench.outcome import BoardOutcome
from jetbench.bench.plan import prepare
from jetbench.domain.errors import UnreachableError
from jetbench.domain.facts import PowerMode
from jetbench.domain.plan import Options
from jetbench.domain.timing import Failure
from jetbench.nets.zoo import text_of
from tests import make

if TYPE_CHECKING:
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.record import Record

PLAN = make.plan(models=("alpha",), repeats=2)
MAXN = PowerMode(0, "MAXN")


def log(*, forward: str = "7.25", shape: str = "1 3 8 8", phase: str = "TEST") -> bytes:
    """A log of `caffe time`, shortened, in the form of BVLC's."""
    net = (
        f'name: "n"\nstate {{\n  phase: {phase}\n}}\nlayer {{\n  name: "data"\n  type: "Input"\n}}'
    )
    said = [
        "caffe.cpp:343] Use GPU with device ID 0",
        f"net.cpp:53] Initializing net from parameters: \n{net}",
        "layer_factory.hpp:77] Creating layer data",
        "net.cpp:86] Creating Layer data",
        "net.cpp:382] data -> data",
        "net.cpp:124] Setting up data",
        f"net.cpp:131] Top shape: {shape} (192)",
        "net.cpp:257] Network initialization done.",
        "caffe.cpp:366] Testing for 50 iterations.",
        "caffe.cpp:397] Average time per layer: ",
        f"caffe.cpp:400]       data\tforward: {forward} ms.",
        "caffe.cpp:403]       data\tbackward: 0.5 ms.",
        f"caffe.cpp:408] Average Forward pass: {forward} ms.",
        "caffe.cpp:410] Average Backward pass: 14.5 ms.",
        "caffe.cpp:412] Average Forward-Backward: 21.75 ms.",
        "caffe.cpp:414] Total Time: 1087.5 ms.",
        "caffe.cpp:415] *** Benchmark ends ***",
    ]
    return "".join(f"I0102 03:04:05.000001   811 {line}\n" for line in said).encode()


CRASH = (
    b"F0102 03:04:05.000001 811 syncedmem.hpp:56] "
    b"Check failed: error == cudaSuccess (2 vs. 0)  out of memory\n"
)


def trial(number: int, data: bytes, *, status: int = 0, took: float = 4.0, extra: str = "") -> str:
    """A trial's lines in the journal."""
    packed = base64.encodebytes(gzip.compress(data)).decode().splitlines()
    return "\n".join(
        [
            f"@trial id={number} up=10.0 utc=2026-01-02T03:04:05Z limit_s=60 gpu_temp_mc=40000",
            *(f"| {piece}" for piece in packed),
            (
                f"@done id={number} exit={status} up={10 + took} "
                f"sha256={hashlib.sha256(data).hexdigest()} gpu_temp_mc=45000 {extra}"
            ),
        ]
    )


def shown(when: str, mode: str) -> str:
    """What nvpmodel printed, as the guard writes it down."""
    text = base64.b64encode(f"NV Power Mode: {mode}\n".encode()).decode()
    return f"@guard show=nvpmodel when={when} text_b64={text}"


READY = [shown("before", "MAXQ\n1"), shown("set", "MAXN\n0"), "@guard state=ready mode=0 locked=1"]
RESTORED = "@guard state=restored mode=1 locked=0"


def ingest(*lines: str, **outcome: object) -> Record:
    """The one record of a board with this journal."""
    made = BoardOutcome(PLAN.boards[0], facts=make.facts(), complete=True)
    for key, value in outcome.items():
        setattr(made, key, value)
    data = "\n".join(lines).encode().splitlines(keepends=True)
    _, [record] = ingest_board(PLAN, made, data)
    return record


def test_a_good_sweep_gives_statistics_and_conditions() -> None:
    """Median over the processes, the mode that was read back, the highest temperature."""
    record = ingest(
        *READY, trial(1, log()), trial(2, log(forward="7.75")), "@end reason=finished", RESTORED
    )
    assert (record.status, record.reasons) == ("ok", ())
    assert record.forward_ms is not None
    assert record.forward_ms.values == (7.25, 7.75)
    assert record.forward_ms.median == 7.5
    assert (record.power_mode, record.clocks_locked) == (PowerMode(0, "MAXN"), True)
    assert record.conditions.gpu_temp_c_max == 45.0
    assert record.input_shapes == (("data", (1, 3, 8, 8)),)
    assert [layer.forward_ms for layer in record.layers] == [7.5]
    assert record.bound_ms == 2.0
    assert [t.wall_s for t in record.trials] == [4.0, 4.0]


def fast(*times_ms: str, **outcome: object) -> Record:
    """A record of these times, of a net that takes 2 ms at least in MAXN, or 3 ms in MAXQ."""
    [case] = PLAN.cases
    assert case.prototxt is not None
    floors = ((0, 2.0), (1, 3.0))
    bounded = replace(case.prototxt, bound_ms=((0, 4.0), (1, 6.0)), floor_ms=floors)
    outcome.setdefault("cases", {0: replace(case, prototxt=bounded)})
    trials = [trial(number, log(forward=ms)) for number, ms in enumerate(times_ms, start=1)]
    guard = () if "facts" in outcome else (*READY, RESTORED)
    return ingest(*guard, *trials, "@end reason=finished", **outcome)


@pytest.mark.parametrize(
    ("times_ms", "reasons"),
    [
        (("2.0", "2.125"), ()),
        (("3.5", "3.75"), ()),
        (
            ("1.984", "1.5"),
            ("forward took 1.5 ms, and the peaks of MAXN allow 2 ms at best",),
        ),
        (("2.5", "1.984"), ("forward took 1.984 ms, and the peaks of MAXN allow 2 ms at best",)),
    ],
)
def test_a_time_below_the_floor_is_suspect(
    times_ms: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    """One trial is enough; faster than direct arithmetic (4 ms) is no reason."""
    record = fast(*times_ms)
    assert (record.status, record.reasons) == ("suspect" if reasons else "ok", reasons)
    assert record.bound_ms == 4.0
    assert record.forward_ms is not None


def test_the_mode_that_was_read_back_decides() -> None:
    """Also where nothing was set: 2.5 ms is too fast for MAXQ."""
    kept = make.facts(power_mode=PowerMode(1, "MAXQ"))
    record = fast("2.5", "2.5", facts=kept)
    assert (record.status, record.bound_ms) == ("suspect", 6.0)
    assert "MAXQ allow 3 ms" in record.reasons[0]


@pytest.mark.parametrize(
    "facts",
    [
        make.facts(hardware="NVIDIA Jetson Xavier NX Developer Kit", power_mode=MAXN),
        make.facts(hardware=None, power_mode=MAXN),
        make.facts(power_mode=None),
        make.facts(power_mode=PowerMode(9, "CUSTOM")),
    ],
    ids=["other", "unknown", "no mode", "own mode"],
)
def test_where_the_peaks_are_not_known_there_is_neither_bound_nor_floor(
    facts: BoardFacts,
) -> None:
    """Another board, or another mode: the time stands as it is."""
    record = fast("0.5", "0.5", facts=facts)
    assert (record.status, record.bound_ms) == ("ok", None)


def test_the_cpu_has_neither_bound_nor_floor() -> None:
    """The peaks are the GPU's."""
    board = replace(PLAN.boards[0], gpu="none")
    record = fast("0.5", "0.5", board=board)
    assert (record.status, record.gpu, record.bound_ms) == ("ok", None, None)


def test_the_board_says_what_it_was_and_that_it_is_so_again() -> None:
    """Power before and after come from the guard, not from what was asked."""
    outcome = BoardOutcome(PLAN.boards[0], facts=make.facts(), complete=True)
    data = "\n".join([*READY, RESTORED]).encode().splitlines()
    board, _ = ingest_board(PLAN, outcome, data)
    assert (board.power_before, board.changed, board.restored) == (
        PowerMode(1, "MAXQ"),
        True,
        True,
    )
    board, _ = ingest_board(PLAN, outcome, data[:-1])
    assert board.restored is False


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"shape": "10 3 8 8"}, "the log says data 10x3x8x8, asked was data 1x3x8x8"),
        ({"phase": "TRAIN"}, "the log says phase TRAIN, not TEST"),
    ],
)
def test_what_was_run_is_held_against_what_was_asked(changed: dict[str, str], reason: str) -> None:
    """Another batch or phase in the log makes the number suspect, and says why."""
    record = ingest(*READY, trial(1, log(**changed)), trial(2, log(**changed)))
    assert (record.status, record.reasons) == ("suspect", (reason,))


def test_one_failed_trial_of_two_leaves_a_number_and_a_doubt() -> None:
    """The number is that of the good trial; the case is not complete."""
    record = ingest(*READY, trial(1, log()), trial(2, CRASH, status=134))
    assert record.status == "suspect"
    assert record.forward_ms is not None
    assert record.forward_ms.n == 1
    assert record.trials[1].failure is not None
    assert record.trials[1].failure.kind == "out_of_memory"
    assert "1 of 2 trials" in record.reasons[0]


def test_failed_and_lost_are_told_apart() -> None:
    """`failed` is the program's doing, `lost` the board's or the link's."""
    failed = ingest(*READY, trial(1, CRASH, status=134), trial(2, CRASH, status=134))
    assert failed.status == "failed"
    gone = UnreachableError("no answer from 10.0.0.1", hint="is it on?")
    lost = ingest(facts=None, complete=False, error=gone)
    assert (lost.status, lost.reasons) == ("lost", ("no answer from 10.0.0.1",))
    assert lost.forward_ms is None
    assert lost.power_mode is None


def test_a_hanging_trial_is_a_timeout_and_says_what_to_do() -> None:
    """`timeout` on the board ended it: 124, or 137 after the last warning."""
    record = ingest(*READY, trial(1, b"", status=124, took=60), trial(2, b"", status=137, took=65))
    kinds = {t.failure.kind for t in record.trials if t.failure}
    assert kinds == {"timeout"}
    assert "--timeout" in record.reasons[0]


def test_137_long_before_the_limit_is_the_kernels_doing() -> None:
    """Killed for memory, most likely; not a timeout."""
    record = ingest(*READY, trial(1, b"", status=137, took=3), trial(2, b"", status=137, took=3))
    assert {t.failure.kind for t in record.trials if t.failure} == {"killed"}


def test_a_stopped_sweep_keeps_what_it_has() -> None:
    """What ran to its end counts, what was ended or never ran is interrupted."""
    record = ingest(*READY, trial(1, log()), trial(2, b"", status=143, extra="stop=stopped"))
    assert record.forward_ms is not None
    assert record.trials[1].failure == Failure("interrupted", "the sweep was stopped while it ran")
    record = ingest(*READY, trial(1, log()), "@end reason=stopped")
    assert record.trials[1].failure is not None
    assert record.trials[1].failure.kind == "interrupted"


@pytest.mark.parametrize("why", ["stopped", "no-space"])
def test_a_trial_that_was_over_as_the_sweep_ended_counts(why: str) -> None:
    """Its log holds the result: that its end was written down after the stop spoils nothing.

    Nor does a Caffe that hangs once it has printed it, and is ended for that.
    """
    late = trial(1, log(), status=124, took=60.0, extra=f"stop={why}")
    record = ingest(*READY, late, f"@end reason={why}", RESTORED)
    assert record.trials[0].failure is None
    assert record.forward_ms is not None
    assert record.forward_ms.n == 1


def test_a_guard_that_failed_says_why_in_every_case() -> None:
    """No trial ran, and the reason is the guard's."""
    record = ingest(
        '@guard state=failed reason="power mode is 3, not 0"', "@end reason=guard-failed"
    )
    assert record.status == "lost"
    assert record.reasons == ("power mode and clocks could not be set: power mode is 3, not 0",)


@pytest.mark.parametrize(
    "words",
    [
        "sudo: 1 incorrect password attempt",
        "nvidia is not in the sudoers file.  This incident will be reported.",
        "Sorry, user nvidia is not allowed to execute '/bin/sh guard.sh' as root on tx2.",
    ],
)
@pytest.mark.parametrize("lost", [False, True], ids=["", "no name server"])
def test_sudos_words_are_the_reason_where_it_refused(words: str, *, lost: bool) -> None:
    """The guard never ran: what sudo printed says why, and not what it prints on many a board."""
    before = ("sudo: unable to resolve host tx2: Name or service not known",) if lost else ()
    record = ingest(*before, words, "@end reason=guard-failed")
    assert record.reasons == (f"power mode and clocks could not be set: {words}",)


def test_a_wrong_password_is_told_as_one() -> None:
    """Sudo 1.9 asks once more, misses an answer, and only then says what was wrong."""
    words = ("Sorry, try again.", "sudo: no password was provided", "sudo: 1 incorrect password")
    record = ingest(*words, "@end reason=guard-failed")
    assert record.reasons[0].endswith(": sudo: 1 incorrect password")


def test_a_file_that_the_board_does_not_have_is_a_failed_case() -> None:
    """The other cases go on; this one says why."""
    missing = Failure("no_such_file", "there is no file /home/nvidia/x")
    record = ingest(refused=((0, missing),))
    assert record.status == "failed"
    assert record.trials[0].failure == missing


@pytest.mark.parametrize("forward", ["-nan", "nan", "-0", "inf", "1e999", "1e308"])
def test_no_number_is_ever_nan_or_zero(forward: str) -> None:
    """Exit 0 is not success: a forward time that is none is a failure."""
    record = ingest(*READY, trial(1, log(forward=forward)), trial(2, log(forward=forward)))
    assert record.forward_ms is None
    assert record.status == "failed"


def test_a_trial_that_comes_twice_counts_once() -> None:
    """And one that nobody asked for does not count at all."""
    record = ingest(
        *READY, trial(1, log()), trial(1, log(forward="99")), trial(7, log()), trial(2, log())
    )
    assert record.forward_ms is not None
    assert record.forward_ms.values == (7.25, 7.25)


def test_a_layer_without_a_backward_pass_is_named() -> None:
    """`caffe time` would run it; where the phase leaves the layer out, nothing is said."""
    text = text_of("ssd300")
    assert any("'detection_out'" in note for note in prepare(text, "x", 1, (), Options()).notes)
    assert prepare(text, "x", 1, (), Options(phase="TRAIN")).notes == ()


def test_a_plan_knows_what_a_net_must_take() -> None:
    """The bound only where all is known, the floor also where a part is; less in FP16."""
    text = (
        'input: "x" input_dim: 1 input_dim: 64 input_dim: 58 input_dim: 58\n'
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
        "        convolution_param { num_output: 64 kernel_size: 3 } }\n"
    )
    whole = prepare(text, "net", 1, (), Options())
    half = prepare(f"default_forward_type: FLOAT16\n{text}", "net", 1, (), Options())
    odd = 'layer { name: "odd" type: "Python" bottom: "c" top: "odd" }\n'
    part = prepare(text + odd, "net", 1, (), Options())
    assert dict(whole.bound_ms)[0] > dict(whole.floor_ms)[0] > 0
    assert dict(half.floor_ms)[0] == pytest.approx(dict(whole.floor_ms)[0] / 2)
    assert dict(half.bound_ms)[0] == pytest.approx(dict(whole.bound_ms)[0] / 2)
    assert (part.bound_ms, part.floor_ms) == ((), whole.floor_ms)


def test_raw_logs_are_handed_on_one_at_a_time() -> None:
    """Those of the plan only, each once; then none of them is held in memory any longer."""
    outcome = BoardOutcome(PLAN.boards[0], facts=make.facts(), complete=True)
    lines = [trial(number, log()) for number in (1, 2, 2, 9)]
    kept: list[tuple[int, bytes]] = []
    _, [record] = ingest_board(
        PLAN,
        outcome,
        "\n".join(lines).encode().splitlines(keepends=True),
        lambda planned, data: kept.append((planned.id, data)),
    )
    assert kept == [(1, log()), (2, log())]
    assert [each.log for each in record.trials] == [None, None]
    assert all(each.forward_ms == 7.25 for each in record.trials)
