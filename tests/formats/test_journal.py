"""The journal: whatever a board has written down, and however it was cut."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.evidence import Cooling, Usage
from jetbench.domain.facts import Conditions
from jetbench.domain.telemetry import Sample
from jetbench.formats.journal import (
    MAX_LINE_BYTES,
    Event,
    EventReader,
    JournalReader,
    JournalTrial,
)

LOG = b"I0315 09:14:55.000001  811 caffe.cpp:412] Average Forward pass: 7.25 ms.\n" * 40


def journal(log: bytes = LOG, *, sha256: str | None = None) -> bytes:
    """A journal of one trial, written as the runner writes it."""
    packed = base64.encodebytes(gzip.compress(log)).splitlines()
    lines = [
        b"@start version=1 sweep=20260315-091400-abcdef up=55.01 boot=b00t",
        b'@guard state=failed reason="nvpmodel said: NVPM ERROR"',
        b"sudo: unable to resolve host tegra-ubuntu",
        b"@trial id=4 up=60.10 utc=2026-03-15T09:14:55Z limit_s=900 gpu_temp_mc=41500",
        *(b"| " + piece for piece in packed),
        b"~ 60.2 RAM 1403/7851MB",
        f"@done id=4 exit=0 up=64.35 sha256={sha256 or hashlib.sha256(log).hexdigest()} "
        "gpu_temp_mc=48250 gpu_cur_hz=1300500000".encode(),
        b"@end reason=finished up=64.40",
    ]
    return b"\n".join(lines) + b"\n"


FIELDS = (
    b'local="1126 00:30:12.123456" busy_cs=120000 swap_pages=512 cool_limit_mc=60000 '
    b"cool_waited_s=12.5 cool_reached=1 gpu_temp_mc=41500"
)
MORE_AT_THE_END = b"busy_cs=120900 swap_pages=515 own_cs=512 cores=4"


def with_fields(begin: bytes = FIELDS, end: bytes = MORE_AT_THE_END) -> JournalTrial:
    """The trial of a journal whose runner says all of this."""
    data = journal().replace(b"gpu_temp_mc=41500", begin).replace(b"exit=0", b"exit=0 " + end)
    _, [trial] = read(data)
    return trial


def read(data: bytes) -> tuple[JournalReader, list[JournalTrial]]:
    """All that is in a journal."""
    reader = JournalReader()
    return reader, list(reader.trials(data.splitlines(keepends=True)))


def test_a_whole_trial_is_read_with_its_log_and_conditions() -> None:
    """Log, exit status, wall time and sensors come out as the runner wrote them."""
    reader, [trial] = read(journal())
    assert trial.log == LOG
    assert (trial.id, trial.exit_status, trial.wall_s) == (4, 0, 4.25)
    assert (trial.before.gpu_temp_c, trial.after.gpu_temp_c) == (41.5, 48.25)
    assert trial.after.gpu_mhz == 1300.5
    assert trial.problem is None
    assert [event.kind for event in reader.events] == ["start", "guard", "end"]
    assert reader.events[1].fields["reason"] == "nvpmodel said: NVPM ERROR"
    assert reader.noise == ["sudo: unable to resolve host tegra-ubuntu"]


@given(cut=st.integers(0, len(journal())))
def test_a_journal_cut_anywhere_gives_the_whole_trial_or_none(cut: int) -> None:
    """There is no place to cut at which half a log is taken for a whole one."""
    _, trials = read(journal()[:cut])
    for trial in trials:
        assert (trial.log == LOG) == (trial.problem is None)


def test_a_log_that_is_not_the_one_hashed_is_not_believed() -> None:
    """A board that lies about a log gives a trial with a problem and no log."""
    _, [trial] = read(journal(sha256="0" * 64))
    assert trial.log is None
    assert "hashed" in (trial.problem or "")


def test_a_log_that_unpacks_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip bomb costs no more memory than the limit."""
    monkeypatch.setattr("jetbench.formats.journal.MAX_LOG_BYTES", 1000)
    _, [trial] = read(journal(b"\0" * 5_000_000))
    assert trial.log is None
    assert "larger than" in (trial.problem or "")


@given(st.binary(max_size=3000))
def test_rubbish_is_read_without_a_traceback(data: bytes) -> None:
    """Whatever a board sends, reading it ends well."""
    read(data)
    EventReader().feed(data)


@given(st.lists(st.integers(1, 200)))
def test_events_are_the_same_however_the_bytes_are_cut(sizes: list[int]) -> None:
    """The live reader finds each event once, at its line's end."""
    data, reader, events, at = journal(), EventReader(), [], 0
    for size in sizes:
        events += reader.feed(data[at : at + size])
        at += size
    events += reader.feed(data[at:])
    assert [event.kind for event in events] == ["start", "guard", "trial", "done", "end"]


def test_a_line_without_end_costs_bounded_memory() -> None:
    """A gigabyte on one line is skipped, and the next event is found."""
    reader = EventReader()
    for _ in range(100):
        assert reader.feed(b"@" + b"x" * MAX_LINE_BYTES) == []
        assert len(reader._rest) <= MAX_LINE_BYTES
    assert reader.feed(b"\n@end reason=finished\n") == [Event("end", {"reason": "finished"})]


def test_a_trial_has_the_telemetry_between_its_lines() -> None:
    """What comes after a rest was announced is of the board at rest; else it is of nothing."""
    first, second = journal(), journal().replace(b"id=4", b"id=5")
    reader, trials = read(
        b"~ 40 GPU@37C\n@rest mode=0\n~ 50.5 GPU@38C\n~ 51.5 VDD_IN 2100/2000\n"
        + first
        + b"~ 70.0 GPU@50C\n@rest mode=MAXQ\n~ 80.0 GPU@40C\n"
        + second
    )
    assert reader.rests == {
        "0": [
            Sample(50.5, temps_c=(("GPU", 38.0),)),
            Sample(51.5, rails_w=(("VDD_IN", 2.1),)),
        ],
        "MAXQ": [Sample(80.0, temps_c=(("GPU", 40.0),))],
    }
    assert [trial.samples for trial in trials] == [(Sample(60.2, ram_mib=1403.0),)] * 2
    assert len(reader.noise) == 2


def test_telemetry_that_says_nothing_is_passed_over() -> None:
    """Without an uptime, without a known piece, mangled: no sample, and no noise either."""
    lines = b"~\n~ \n~ GPU@38C\n~ 1.5\n~ -1 GPU@38C\n~ 1e9 GPU@38C\n~ 1 hello\n~ \xff GPU@38C\n"
    reader, [trial] = read(journal().replace(b"| ", lines + b"| ", 1))
    assert [sample.up_s for sample in trial.samples] == [60.2]
    assert len(reader.noise) == 1


def test_telemetry_costs_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many samples those stay that stand at even distances over the whole trial."""
    monkeypatch.setattr("jetbench.formats.journal.MAX_SAMPLES", 100)
    many = b"".join(b"~ %d GPU@38C\n" % second for second in range(1, 1001))
    modes = b"".join(b"@rest mode=%d\n~ 1 GPU@38C\n" % mode for mode in range(1, 1000))
    rest = b"@rest mode=0\n" + many + modes
    reader, [trial] = read(rest + journal().replace(b"| ", many + b"| ", 1))
    assert len(reader.rests) == 64
    for samples in (reader.rests["0"], trial.samples):
        assert 50 <= len(samples) <= 100
        assert [sample.up_s for sample in samples] == list(range(16, 1001, 16))


def test_a_trial_says_who_used_the_board_and_how_it_was_cooled() -> None:
    """Differences of the counters, in seconds; the temperature after the wait."""
    trial = with_fields()
    assert trial.started_local == "1126 00:30:12.123456"
    assert trial.usage == Usage(4.25, 4, busy_s=9.0, own_s=5.12, swapped_pages=3)
    assert trial.cooling == Cooling(60.0, 12.5, reached=True, gpu_temp_c=41.5)
    assert not trial.warm_up
    assert with_fields(FIELDS + b" warm_up=1").warm_up


def test_the_journals_of_before_are_still_read() -> None:
    """What an older runner does not say is not known."""
    _, [trial] = read(journal())
    assert (trial.started_local, trial.usage, trial.cooling) == (None, None, None)
    assert not trial.warm_up


@pytest.mark.parametrize(
    ("begin", "end", "usage"),
    [
        (b"busy_cs=5", b"busy_cs=4 own_cs=-1 cores=4", Usage(4.25, 4)),
        (b"swap_pages=7", b"swap_pages=7 own_cs=100 cores=6", Usage(4.25, 6, None, 1.0, 0)),
        (b"busy_cs=x", b"busy_cs=9 cores=4", Usage(4.25, 4)),
        (b"busy_cs=1", b"busy_cs=9", None),
        (b"busy_cs=1", b"busy_cs=9 cores=0", None),
        (b"up=99.5 busy_cs=1", b"busy_cs=9 cores=4", None),
    ],
)
def test_a_counter_that_is_missing_or_runs_backwards_is_not_known(
    begin: bytes, end: bytes, usage: Usage | None
) -> None:
    """None, and never 0 or below it."""
    assert with_fields(begin, end).usage == usage


@pytest.mark.parametrize(
    "begin",
    [
        b"cool_limit_mc=60000 cool_waited_s=12.5",
        b"cool_limit_mc=60000 cool_reached=1",
        b"cool_waited_s=12.5 cool_reached=1",
        b"cool_limit_mc=hot cool_waited_s=12.5 cool_reached=1",
        b"cool_limit_mc=60000 cool_waited_s=-1 cool_reached=1",
        b"cool_limit_mc=60000 cool_waited_s=12.5 cool_reached=2",
        b'local="1301 00:30:12.123456"',
        b'local="\x1b[2J"',
    ],
)
def test_half_a_wait_and_a_mangled_time_are_not_known(begin: bytes) -> None:
    """Nothing is made up for what is missing."""
    trial = with_fields(begin)
    assert (trial.cooling, trial.started_local) == (None, None)


def test_a_hot_board_that_never_cools_says_so() -> None:
    """The wait is over, the limit not reached, the temperature perhaps not known."""
    trial = with_fields(b"cool_limit_mc=45500 cool_waited_s=300 cool_reached=0")
    assert trial.cooling == Cooling(45.5, 300.0, reached=False, gpu_temp_c=None)


def test_a_trial_that_is_skipped_is_an_event() -> None:
    """It has no log and no times; why it was skipped stands beside its id."""
    reader, trials = read(journal() + b"@skip id=9 reason=precise\n")
    assert len(trials) == 1
    assert reader.events[-1] == Event("skip", {"id": "9", "reason": "precise"})


def test_sensors_of_load_cores_and_mode_are_read() -> None:
    """In the units of sysfs; what no board can mean is not known."""
    sensors = b"gpu_load_pm=985 cpus=0,3-5 cpu_max_khz=2035200 mode=0"
    assert with_fields(sensors).before == Conditions(
        gpu_load=0.985, cpu_online="0,3-5", cpu_max_mhz=2035.2, power_mode_id=0
    )
    mangled = b'gpu_load_pm=1001 cpus="0;reboot" cpu_max_khz=fast mode=-1'
    assert with_fields(mangled).before == Conditions()


@pytest.mark.parametrize(
    ("begin", "end", "step_s"),
    [
        (b"clock=1789.5", b"clock=1793.75", 0.0),
        (b"clock=1789.5", b"clock=98053793.75", 98052000.0),
        (b"clock=98053789.5", b"clock=1793.75", -98052000.0),
        (b"clock=1789.5", b"", None),
        (b"", b"clock=1793.75", None),
        (b"clock=now", b"clock=1793.75", None),
    ],
)
def test_a_clock_that_was_set_is_seen_by_the_uptime(
    begin: bytes, end: bytes, step_s: float | None
) -> None:
    """The trial took 4.25 s by it."""
    assert with_fields(FIELDS + b" " + begin, end).clock_step_s == step_s


def test_a_log_as_large_as_may_be_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board cuts an endless one there; a byte more, and it is not believed."""
    monkeypatch.setattr("jetbench.formats.journal.MAX_LOG_BYTES", 1000)
    _, [trial] = read(journal(b"x" * 1000))
    assert (trial.log, trial.problem) == (b"x" * 1000, None)
    _, [trial] = read(journal(b"x" * 1001))
    assert trial.log is None
