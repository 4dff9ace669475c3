"""The journal: whatever a board has written down, and however it was cut."""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from jetbench.formats.journal import (
    MAX_LINE_BYTES,
    Event,
    EventReader,
    JournalReader,
    JournalTrial,
)

if TYPE_CHECKING:
    import pytest

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
