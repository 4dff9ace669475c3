"""What a board says of itself."""

from __future__ import annotations

import base64

import pytest

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.facts import PowerMode
from jetbench.formats.probe import parse_probe
from jetbench.formats.words import pairs, printable, unwrapped, whole

ANSWER = """\
utc_s=1500000000
user=nvidia
hostname=tegra-ubuntu
uptime_s=812.34
hardware=quill
nv_tegra_release=# R28 (release), REVISION: 1.0, GCID: 9379712, BOARD: t186ref, EABI: aarch64
cuda=CUDA Version 8.0.72
cudnn=6.0.21
tensorrt=2.1.2
caffe_wanted=/home/nvidia/ssd/build/tools/caffe
caffe=/home/nvidia/ssd/build/tools/caffe
caffe_version=caffe version 1.0.0-rc3
caffe_gpu=1
caffe_phase=1
caffe_detection=1
caffe_build=5123456-1499990000
nvpmodel=/usr/sbin/nvpmodel
jetson_clocks=/home/nvidia/jetson_clocks.sh
sudo=nopasswd
nvpmodel_query=NVPM WARN: fan mode is not set!
nvpmodel_query=NV Power Mode: MAXQ
nvpmodel_query=1
gpu_user=1234:Xorg
gpu_user=2345:caffe
lines=< POWER_MODEL ID=0 NAME=MAXN >
lines=< POWER_MODEL ID=1 NAME=MAXQ >
conditions= gpu_temp_mc=38500 gpu_cur_hz=114750000 gpu_min_hz=114750000 gpu_max_hz=854250000
lines=MemTotal:        8043024 kB
lines=MemAvailable:    6021000 kB
disk_free=1000000 4096
file_1_b64=bmFtZTogIngiCg==
file_2_error=there is no file /home/nvidia/ssd/y
"""


def test_each_fact_is_read() -> None:
    """A TX2 of JetPack 3.1, as its probe prints it."""
    facts = parse_probe(ANSWER.encode(), files=["x", "y"], midpoint_utc_s=1500000060.0)
    assert (facts.l4t, facts.cuda) == ("28.1.0", "8.0.72")
    assert (facts.cudnn, facts.tensorrt) == ("6.0.21", "2.1.2")
    assert facts.hostname == "tegra-ubuntu"
    assert facts.caffe is not None
    assert (facts.caffe.version, facts.caffe.fork) == ("1.0.0-rc3", "ssd")
    assert (facts.caffe.gpu_build, facts.caffe.has_phase) == (True, True)
    assert facts.power_mode == PowerMode(1, "MAXQ")
    assert facts.power_modes == (PowerMode(0, "MAXN"), PowerMode(1, "MAXQ"))
    assert facts.clocks_locked is False
    assert facts.gpu_users == ("1234:Xorg", "2345:caffe")
    assert facts.conditions.gpu_temp_c == 38.5
    assert facts.mem_available_bytes == 6021000 * 1024
    assert facts.disk_free_bytes == 4096000000
    assert facts.clock_skew_s == -60.0
    assert facts.files[0].content == b'name: "x"\n'
    assert facts.files[1].error == "there is no file /home/nvidia/ssd/y"


def test_what_is_not_said_is_none() -> None:
    """A board that is no Jetson has no value made up for it."""
    facts = parse_probe(b"utc_s=1\nsudo=absent\n")
    assert (facts.hardware, facts.l4t, facts.caffe, facts.power_mode) == (None,) * 4
    assert (facts.disk_free_bytes, facts.clocks_locked, facts.clock_skew_s) == (None,) * 3


@pytest.mark.parametrize("answer", [b"", b"Welcome!\n", b"sudo=nopasswd\n", b"\xff\x00=\n"])
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    """Something else than our script's answer is an error, not a board without facts."""
    with pytest.raises(BoardAnswerError, match="cannot be understood"):
        parse_probe(answer)


@pytest.mark.parametrize(
    ("version", "fork"), [("0.15.14", "nvidia"), ("0.17.3", "nvidia"), ("1.0.0", "bvlc")]
)
def test_forks_are_told_apart_by_version(version: str, fork: str) -> None:
    """NVIDIA numbers its fork 0.14 to 0.17."""
    text = f"utc_s=1\nsudo=absent\ncaffe=/x\ncaffe_version=caffe version {version}\n"
    facts = parse_probe(text.encode())
    assert facts.caffe is not None
    assert facts.caffe.fork == fork


def test_words_with_blanks_are_quoted() -> None:
    """A quoted value may hold blanks; the last of a key wins."""
    assert pairs('a=1 who="me and you" a=2') == {"a": "2", "who": "me and you"}


def test_nothing_printable_moves_a_cursor() -> None:
    """Escape sequences, carriage returns and overrides come out as text."""
    assert printable("a\x1b[2Jb\rc\u202ed") == "a\\x1b[2Jb\\rc\\u202ed"
    assert len(printable("x" * 1000, 10)) == 10


@pytest.mark.parametrize("text", ["", "²", "٣", "9" * 5000, "1.5", "nan", None])
def test_what_is_no_plain_number_is_none(text: str | None) -> None:
    """Other scripts' digits, thousands of digits, fractions: none raises."""
    assert whole(text) is None
    assert whole("-40500") == -40500


@pytest.mark.parametrize("value", ["9" * 5000, "²", "-", "1e9", "\x1b[2J"])
def test_no_fact_of_a_hostile_board_raises(value: str) -> None:
    """Whatever stands where a number should be is a fact that is not known."""
    keys = [
        "utc_s",
        "uptime_s",
        "nvpmodel_query",
        "lines",
        "disk_free",
        "conditions",
        "caffe_build",
        "load",
    ]
    text = "sudo=nopasswd\n" + "".join(f"{key}={value}\n" for key in keys)
    text += f"lines=< POWER_MODEL ID={value} NAME=x >\nlines=MemTotal: {value} kB\n"
    facts = parse_probe(text.encode(), midpoint_utc_s=0.0)
    assert (facts.utc_s, facts.power_mode, facts.disk_free_bytes) == (None, None, None)
    assert facts.uptime_s in {None, 1e9}


def test_damaged_base64_is_no_text() -> None:
    """Damage is nothing, not an exception."""
    assert unwrapped("a") == ""
    assert unwrapped(base64.b64encode(b"ok").decode()) == "ok"


def test_an_answer_without_measure_is_read_in_bounded_time_and_size() -> None:
    """Lines without number, a line without end, blank lines: the facts that are known stay."""
    flood = "user=\n" * 200_000 + "cuda=" + "9" * 5_000_000 + "\n"
    flood += "".join(f"k{number}=1\n" for number in range(5000)) + "x" * 100_000 + "=1\n"
    flood += "nvpmodel_query=\n" * 200_000 + "conditions=" + "a" * 5_000_000 + "\n"
    facts = parse_probe((ANSWER + flood).encode(), files=["x", "y"])
    assert facts.power_mode == PowerMode(1, "MAXQ")
    assert (facts.cuda, len(facts.user or "")) == ("8.0.72", 65_536)
    assert facts.conditions.gpu_temp_c == 38.5
    assert facts.files[0].content == b'name: "x"\n'


def test_a_file_comes_whole_whatever_its_size() -> None:
    """The bound on what a board says of itself is not that of a file."""
    content = b"# " + b"x" * 2_000_000
    encoded = base64.b64encode(content).decode()
    answer = ANSWER.replace("bmFtZTogIngiCg==", encoded)
    assert parse_probe(answer.encode(), files=["x"]).files[0].content == content
