"""Whatever a board sends, over real SSH: bounded memory, escaped output, a reason, an end."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Timer
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.hostile_board import HostileBoard, hostile_board
from tests.e2e.program import WITHIN_S, Done, Program
from tests.e2e.terminal import on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 2**20
MEASURE = (
    "run", "vgg16", "bvlc_alexnet", "--repeats", "2", "--gpu", "0", "--power-mode", "keep",
    "--no-clocks", "--format", "json",
)  # fmt: skip
JOURNAL = """
sent = 0
def tell(data):
    global sent
    sent += len(data)
    out(data)
say("journal")
tell(b"@start version=1 up=1\\n")
%s
tell(b"@end reason=finished up=99\\n")
say(f"eof size={sent}")
sys.stdin.readline()
say("forgotten")
"""
"""A journal and its true size; what stands in the middle calls `tell` for all that it sends."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileBoard]:
    """A board that can be told what to say."""
    with hostile_board(tmp_path_factory.mktemp("hostile")) as board:
        yield board


@pytest.fixture
def program(hostile: HostileBoard, tmp_path: Path) -> Program:
    """The program, which knows only that board."""
    return Program(tmp_path, hostile.inventory)


def measured(program: Program, *arguments: str) -> tuple[Done, int]:
    """Run a command; what it came to, and the most memory it had, bytes."""
    out, err = program.folder / "out", program.folder / "err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            program.command(*arguments),
            cwd=program.folder,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
        )
        late = Timer(WITHIN_S, process.kill)
        late.start()
        _, status, usage = os.wait4(process.pid, 0)
        late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    done = Done(process.returncode, out.read_text(), err.read_text())
    assert "Traceback" not in done.err, done.err
    return done, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def check(done: Done) -> dict[str, Any]:
    """The document of a run that is harmless; whatever is missing in it has a reason."""
    assert_harmless(done)
    document: dict[str, Any] = done.document
    for record in document["records"]:
        assert record["status"] == "ok" or record["reasons"], record
    return document


@pytest.fixture(scope="module")
def honest_bytes(hostile: HostileBoard, tmp_path_factory: pytest.TempPathFactory) -> int:
    """What the program needs for a sweep with no lies."""
    program = Program(tmp_path_factory.mktemp("honest"), hostile.answers().inventory)
    done, peak = measured(program, *MEASURE)
    assert done.status == 0, done.err
    check(done)
    return peak


FLOODS = {
    "noise before the probe": ("probe", 'out(b"x" * N)'),
    "a probe on one line": ("probe", 'say("begin"); out(b"x" * N)'),
    "a fact on one line": ("probe", 'say("begin"); out(b"user=" + b"x" * N)'),
    "facts without end": ("probe", 'say("begin"); out(b"a=b\\n" * (N // 4))'),
    "its first word": ("probe", 'say("x" * N)'),
    "standard error": ("probe", 'os.write(2, b"x" * N); say("nonsense")'),
    "noise before the journal": ("journal", 'out(b"x" * N)'),
    "the size of the journal": ("journal", 'say("journal"); say("eof size=" + "9" * N)'),
    "a refusal": ("journal", 'say("refused kind=busy detail=" + "A" * N)'),
    "what a guard says": ("sweep", 'tell(b"@guard state=failed reason=" + b"x" * N + NL)'),
    "the journal on one line": ("sweep", 'tell(b"x" * N)'),
    "an event on one line": ("sweep", 'tell(b"@trial id=" + b"1" * N)'),
    "a piece of log": ("sweep", 'tell(b"@trial id=1\\n| " + b"A" * N + NL)'),
    "telemetry": ("sweep", 'tell(b"@trial id=1\\n~ 1 " + b"RAM" * (N // 3) + NL)'),
}  # fmt: skip
FLOOD_BYTES = {"probe": 80 * MIB, "journal": 24 * MIB}
"""An answer to the probe may have 64 MiB: it holds nets."""
ROOM_BYTES = {"probe": 44 * MIB, "journal": 20 * MIB}
"""How much more memory the program may take than for an honest board."""


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_on_one_line_costs_bounded_memory(
    hostile: HostileBoard, program: Program, honest_bytes: int, what: str
) -> None:
    """Of whatever it is a part: the record says that it was lost, and why."""
    question, text = FLOODS[what]
    if question == "sweep":
        question, text = "journal", JOURNAL % text
    hostile.answers(**{question: f"N = {FLOOD_BYTES[question]}\nNL = b'\\n'\n{text}"})
    done, peak = measured(program, *MEASURE)
    document = check(done)
    assert done.status == 3
    assert {record["status"] for record in document["records"]} == {"lost"}
    assert peak < honest_bytes + ROOM_BYTES[question]


def test_a_flood_while_the_power_state_is_put_back_is_an_error(
    hostile: HostileBoard, program: Program, honest_bytes: int
) -> None:
    """`boards restore` says so, in bounded memory."""
    lie = f'say("guard"); out(b"x" * {FLOOD_BYTES["journal"]}); say("end")'
    hostile.answers(probe=LEFT_BEHIND, restore=lie)
    done, peak = measured(program, "boards", "restore")
    assert done.status != 0
    assert "cannot be understood" in done.out + done.err
    assert peak < honest_bytes + ROOM_BYTES["journal"]


LEFT_BEHIND = """
say("begin")
out(b"utc_s=1\\nsudo=nopasswd\\nleft_behind=1\\n")
say("end")
"""
GOOD = "tell(trial(1, log(7.0)) + trial(2, log(7.0)) + trial(3, log(7.0)) + trial(4, log(7.0)))"
LIES = {
    "all ids, out of order": ("tell(b''.join(trial(n, log(7.0)) for n in (4, 2, 1, 3)))", 4, ""),
    "the log of another trial": (
        "tell(trial(1, log(1.0), hashlib.sha256(log(2.0)).hexdigest()))",
        0,
        "hashed",
    ),
    "trials that nobody planned": (
        "tell(b''.join(trial(n, log(7.0)) for n in (5, 99, -1, 10**17, 10**30, 'x')))",
        0,
        "ended the sweep before it ran",
    ),
    "one trial again and again": (
        "tell(trial(1, log(7.0)) + trial(1, log(1.0)) * 500)",
        1,
        "ended the sweep",
    ),
    "NUL bytes": (
        "tell(bytes(100_000) + b'\\n' + trial(1, bytes(1000)) + trial(2, log(7.0)))",
        1,
        "a binary file",
    ),
    "times that run backwards, and far": (
        """
tell(trial(1, log(7.0), begin="up=-5") + trial(2, log(7.0), end="exit=0 up=-99"))
tell(trial(3, log(7.0), begin="up=1e300 limit_s=-1 gpu_temp_mc=-9999999999999999"))
tell(trial(4, log("9" * 400), begin="utc=9999-99-99T99:99:99Z cores=1e9"))
""",
        3,
        "",
    ),
    "times of nothing, of less and of no number": (
        "tell(b''.join(trial(n, log(ms)) for n, ms in enumerate(('-7', 'nan', 'inf', '0'), 1)))",
        0,
        "",
    ),
    "a bomb": ("tell(trial(1, bytes(80 << 20)))", 0, "larger than"),
    "a log that is no gzip": ("tell(trial(1).replace(b'| ', b'| AAAA'))", 0, "damaged"),
    "a status beyond all": (
        """
tell(trial(1, log(7.0), end="exit=" + "9" * 17))
tell(trial(2, b"", end="exit=-9") + trial(3, b"", end="exit=x"))
""",
        1,
        "",
    ),
    "a trial in a trial": (
        "tell(b'@trial id=1\\n@trial id=1\\n' + trial(2, log(7.0)) + b'@done id=1\\n')",
        1,
        "ends before the trial does",
    ),
}


@pytest.mark.parametrize("what", LIES)
def test_a_journal_that_lies_is_told_so(
    hostile: HostileBoard, program: Program, honest_bytes: int, what: str
) -> None:
    """No trial has a number that was not proved; each other one has a reason."""
    text, good, reason = LIES[what]
    hostile.answers(journal=JOURNAL % text)
    done, peak = measured(program, *MEASURE)
    document = check(done)
    trials = [trial for record in document["records"] for trial in record["trials"]]
    assert len(trials) == 4
    assert [trial["failure"] is None for trial in trials].count(True) == good
    assert all(trial["failure"] is None or trial["failure"]["message"] for trial in trials)
    reasons = " ".join(trial["failure"]["message"] for trial in trials if trial["failure"])
    assert reason in reasons
    assert {record["status"] for record in document["records"]} <= {"suspect", "failed", "lost"}
    assert peak < honest_bytes + 200 * MIB


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ("5", "does not come to an end"),
        ("999999", "does not come to an end"),
        ("-1", "does not come to an end"),
        ("9" * 30, "cannot be understood"),
        ("x", "cannot be understood"),
    ],
)
def test_a_journal_of_another_size_than_it_has_comes_to_an_end(
    hostile: HostileBoard, program: Program, size: str, reason: str
) -> None:
    """Asked again a bounded number of times; what came is kept, and the board gets no leave."""
    lie = (JOURNAL % GOOD).replace("{sent}", size)
    hostile.answers(journal=lie)
    done, _ = measured(program, *MEASURE)
    document = check(done)
    assert reason in document["boards"]["virt-01"]["error"]
    trials = [trial for record in document["records"] for trial in record["trials"]]
    assert all(trial["failure"] is None for trial in trials)


ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\x00\b"
"""Clears a terminal, renames its window, paints it red, turns its text round, goes back."""
PROBE = f"""
bad = {ESCAPES!r}
say("begin")
for line in ("utc_s=1", "sudo=nopasswd", "caffe=/opt/caffe" + bad, "caffe_gpu=1", "caffe_phase=1",
             "nvpmodel=/usr/sbin/nvpmodel", "nvpmodel_query=NV Power Mode: =1+" + bad,
             "nvpmodel_query=7", "caffe_version=caffe version 1.0" + bad, "boot_id=" + bad,
             *(key + "=" + bad for key in (
                 "user", "hostname", "hardware", "serial", "cudnn", "tensorrt", "caffe_build",
                 "jetson_clocks", "tegrastats", "load", "gpu_user", "uptime_s", "disk_free",
                 "caffe_wanted", "conditions", "lines", "cuda", "nv_tegra_release", bad)),
             *EXTRA):
    out((line + "\\n").encode())
say("end")
"""
FATAL = "F1126 05:00:00.000000  1 layer_factory.hpp:81] Check failed: Unknown layer type: "
SAID = f"""
bad = {ESCAPES!r}
tell(("sudo: " + bad + "\\n@guard state=failed reason=\\"" + bad + "\\"\\n" + bad + "\\n"
      "@" + bad + "\\n@rest mode=" + bad + "\\n@cooling limit_mc=" + bad + "\\n").encode())
tell(trial(1, ("{FATAL}" + bad + "\\n*** Check failure stack trace: ***\\n").encode(),
           end="exit=134 gpu_temp_mc=" + bad, begin='utc="' + bad + '" local="' + bad + '"'))
tell(trial(2, (bad * 10 + "\\n").encode(), end="exit=" + bad))
tell(trial(3, log(7.0)).replace(b"| ", ("~ 61 RAM " + bad + "\\n| ").encode()))
tell(("@end reason=" + bad + "\\n").encode())
"""


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json", "jsonl"])
def test_no_format_and_no_log_obeys_a_board(
    hostile: HostileBoard, program: Program, form: str
) -> None:
    """Whatever it says of itself, of its guard, its trials and its end."""
    hostile.answers(probe="EXTRA = ()\n" + PROBE, journal=JOURNAL % SAID)
    done, _ = measured(program, *MEASURE[:-1], form)
    assert done.status in {1, 3}
    assert_harmless(done)
    assert ",=1" not in done.out
    after, _ = measured(program, "compare", "latest", "latest")
    assert_harmless(after)


def test_no_live_display_obeys_a_board(hostile: HostileBoard, program: Program) -> None:
    """On a terminal there are sequences of the display's own, and none of the board's."""
    hostile.answers(probe="EXTRA = ()\n" + PROBE, journal=JOURNAL % SAID)
    done = on_terminal(program, *MEASURE)
    assert "virt-01" in done.err
    assert not any(
        sign in done.err for sign in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\u202e", "\0")
    )


NOT_RESTORED = 'out(b"@guard state=not-restored reason=" + BAD + b"\\n")'
RESTORED = """
shown = base64.b64encode(b"NV Power Mode: " + BAD + b"\\n7\\n")
out(b"@guard show=nvpmodel when=recovered text_b64=" + shown + b"\\n@guard state=recovered\\n")
"""
HELD = """
EXTRA = ["left_behind=1", "home_unwritable=1"]
EXTRA += [key + "=" + BAD.decode() for key in ("held_by", "missing_tools", "caffe_found")]
"""
LEFT = 'EXTRA = ("left_behind=1",)\n' + PROBE


def refused(kind: str, detail: str = "BAD") -> dict[str, str]:
    """A board that does not let a sweep start."""
    return {"journal": f'say("refused kind={kind} detail=" + base64.b64encode({detail}).decode())'}


def restored(said: str) -> dict[str, str]:
    """A board that something was left behind on, and what its guard says."""
    return {"probe": LEFT, "restore": f'say("guard")\n{said}\nsay("end")'}


@pytest.mark.parametrize(
    "lies",
    [
        {"probe": 'say("begin"); out(BAD); say("end")'},
        {"probe": "os.write(2, BAD); os.kill(os.getppid(), 9)"},
        {"probe": HELD + PROBE},
        {"journal": "out(BAD); say(BAD.decode())"},
        refused("busy", 'b"who=" + BAD + b" since=" + BAD + b" sweep=" + BAD'),
        refused("space"),
        refused("folder"),
        restored(NOT_RESTORED),
        restored('out(b"sudo: " + BAD + b"\\n")'),
        restored(RESTORED),
    ],
)
def test_no_error_obeys_a_board(
    hostile: HostileBoard, program: Program, lies: dict[str, str]
) -> None:
    """What it says in place of an answer is told, escaped, by every command that asks it."""
    bad = f"BAD = {ESCAPES!r}.encode()\n"
    hostile.answers(**{question: bad + text for question, text in lies.items()})
    for command in (
        ("run", "vgg16", "--repeats", "1"), ("boards", "check"), ("boards", "restore"),
        ("boards", "check", "--format", "json"),
    ):  # fmt: skip
        done, _ = measured(program, *command)
        assert_harmless(done)


def assert_harmless(done: Done) -> None:
    """Nothing in its output moves a cursor, and it says something."""
    assert done.out + done.err
    for text in (done.out, done.err):
        assert all(line.isprintable() for line in text.split("\n")), repr(text)
