"""A journal that lies: about sizes, hashes, ids and times, or that says too much of anything."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tracemalloc
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from jetbench.formats.caffe_log import parse_log
from jetbench.formats.journal import (
    MAX_LINE_BYTES,
    EventReader,
    JournalReader,
    JournalTrial,
    bounded_lines,
)
from jetbench.formats.tegra import parse_nvpmodel_query
from jetbench.formats.words import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 2**20


def read(data: bytes) -> tuple[JournalReader, list[JournalTrial]]:
    """All that is in a journal, read as from a file."""
    reader = JournalReader()
    return reader, list(reader.trials(bounded_lines(io.BytesIO(data))))


def trial(number: object = 1, log: bytes = b"log", begin: str = "", end: str = "exit=0") -> bytes:
    """One trial, its log packed and hashed as it should be."""
    packed = base64.b64encode(gzip.compress(log)).decode()
    digest = hashlib.sha256(log).hexdigest()
    return (
        f"@trial id={number} up=60 {begin}\n| {packed}\n@done id={number} up=64 "
        f"sha256={digest} {end}\n"
    ).encode()


@contextmanager
def within(limit_bytes: int) -> Iterator[None]:
    """Fail where more than this is allocated at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit_bytes
    finally:
        tracemalloc.stop()


def test_a_line_of_any_length_costs_no_more_than_a_long_one() -> None:
    """What is left of it is skipped, and taken neither for an event nor for noise."""
    long = b"x" * (MAX_LINE_BYTES - 1) + b"@end reason=lie" + b"x" * (20 * MIB) + b"@end"
    data = io.BytesIO(long + b"\n@end reason=finished\n" + b"y" * (5 * MIB))
    reader = JournalReader()
    with within(MIB):
        assert list(reader.trials(bounded_lines(data))) == []
    assert [event.fields for event in reader.events] == [{"reason": "finished"}]
    assert len(reader.noise) == 2
    assert list(bounded_lines(io.BytesIO(b"a\n\nb"))) == [b"a\n", b"\n", b"b"]


def test_a_word_without_end_is_no_key_and_takes_no_time() -> None:
    """A megabyte of letters is read once, not once for each of them: else this never ends."""
    assert pairs("a" * MIB) == {}
    assert pairs("a" * MIB + "=1 b=2")["b"] == "2"
    (event,) = EventReader().feed(b"@x " + b"a" * (MAX_LINE_BYTES - 10) + b"\n")
    assert event.fields == {}
    assert parse_nvpmodel_query("\n" * MIB) is None


def test_events_without_end_cost_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that fit are kept, and it is said that there were more."""
    monkeypatch.setattr("jetbench.formats.journal._MAX_EVENT_BYTES", 10_000)
    data = b"@x a=1 b=2\n" * 50_000
    with within(2 * MIB):
        reader, _ = read(data)
    assert "more than 10000 bytes" in (reader.overflow or "")
    assert 0 < len(reader.events) < 1000
    assert read(trial())[0].overflow is None


def test_rests_without_end_cost_bounded_memory() -> None:
    """A board at rest for a moment has some samples; more of them are thinned out."""
    reader, _ = read(b"@rest mode=0\n" + b"~ 1.5 GPU@38C\n" * 20_000)
    assert 400 <= len(reader.rests["0"]) <= 1000


@pytest.mark.parametrize(
    "filler",
    [
        b"| \n",
        b"| " + base64.b64encode(b"\0" * 3000) + b"\n",
        b"| !!!!\n",
    ],
    ids=["empty", "padding", "rubbish"],
)
def test_a_log_that_goes_on_after_its_end_costs_nothing(filler: bytes) -> None:
    """Nothing of it is kept; a log with something behind its end is not believed."""
    packed = b"| " + base64.b64encode(gzip.compress(b"log")) + b"\n"
    data = trial().replace(packed, packed + filler * (6 * MIB // len(filler)))
    lines = data.splitlines(keepends=True)
    with within(2 * MIB):
        (found,) = JournalReader().trials(lines)
    assert found.log is None
    assert "after its end" in (found.problem or "")


def test_a_log_of_single_bytes_costs_no_more_than_its_size() -> None:
    """However small the pieces are in which it comes."""
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(b"x") + packer.flush(zlib.Z_SYNC_FLUSH) for _ in range(50_000)]
    pieces.append(packer.flush())
    lines = [b"| " + base64.b64encode(piece) + b"\n" for piece in pieces]
    digest = hashlib.sha256(b"x" * 50_000).hexdigest().encode()
    with within(MIB):
        (found,) = JournalReader().trials(
            [b"@trial id=1\n", *lines, b"@done id=1 sha256=" + digest + b"\n"]
        )
    assert found.log == b"x" * 50_000


def test_many_bombs_are_unpacked_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of logs that each unpack to the limit does not keep this machine for hours."""
    monkeypatch.setattr("jetbench.formats.journal.MAX_UNPACKED_BYTES", 10_000)
    _, trials = read(b"".join(trial(number, b"x" * 3000) for number in range(1, 10)))
    assert [each.log is not None for each in trials] == [True] * 4 + [False] * 5
    assert "unpack to more" in (trials[-1].problem or "")


@pytest.mark.parametrize(
    "number", ["", "x", "-", "1.5", "1e3", "\u0661", "9" * 19, "9" * 60_000, "\0", "nan", "1_0"]
)
def test_an_id_that_is_no_number_is_none_of_the_plans(number: str) -> None:
    """Nor is it rounded to one that is."""
    assert [each.id for each in read(trial(number))[1]] == [0]


@pytest.mark.parametrize("code", ["0.5", "-0.5", "nan", "1e400", "zero", "", "9" * 30])
def test_a_status_that_is_no_whole_number_is_not_success(code: str) -> None:
    """It is not known."""
    (found,) = read(trial(end=f"exit={code}"))[1]
    assert found.exit_status is None


def test_a_time_that_runs_backwards_is_not_known() -> None:
    """Neither the seconds nor the hour are made up or passed on as they came."""
    times = "up=90.5 utc=\x1b[2J"
    (found,) = read(trial(begin=times))[1]
    assert (found.wall_s, found.started_utc) == (None, None)
    (found,) = read(trial(begin="utc=2026-03-15T09:14:55Z"))[1]
    assert (found.wall_s, found.started_utc) == (4.0, "2026-03-15T09:14:55Z")


@pytest.mark.parametrize("sign", [b" ", b"\t", b">", b"|", b"> ", b"-", b"0", b"=", b"\0"])
def test_a_log_of_one_sign_is_read_once(sign: bytes) -> None:
    """A megabyte of it on one line is not tried from each of its places on: it would not end."""
    parsed = parse_log(sign * MIB)
    assert not parsed.complete
    assert parsed.failure is not None
