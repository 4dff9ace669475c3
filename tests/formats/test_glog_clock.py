"""The log's own clock: when the iterations began and ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.formats.caffe_log import parse_runs
from jetbench.formats.glog import YEAR_S, glog_time
from tests.formats.caffe_logs import LOG, glog, read

BEGIN, END = (glog(f"*** Benchmark {word} ***") for word in ("begins", "ends"))


def at(line: str, stamp: str) -> str:
    """The same line, written at another time."""
    return line.replace("0315 09:14:55.123456", stamp)


def log(begin: str, end: str) -> str:
    """A whole log that began and ended to iterate at these times."""
    return LOG.replace(BEGIN, begin).replace(END, end)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0101 00:00:00.000000", 0.0),
        ("0102 01:02:03.250000", 86400 + 3723.25),
        ("I0102 01:02:03.250000", 86400 + 3723.25),
        ("W20260102 01:02:03.250000", 86400 + 3723.25),
        ("0229 00:00:00.5", 59 * 86400 + 0.5),
        ("0301 00:00:00.123456789", 60 * 86400 + 0.123456789),
        ("1231 23:59:60.000000", YEAR_S),
    ],
)
def test_a_time_of_glogs_is_read(text: str, seconds: float) -> None:
    """With and without level and year; 29 February is a day, a leap second is one."""
    assert glog_time(text) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "102 01:02:03.250000",
        "26102 01:02:03.250000",
        "1301 01:02:03.250000",
        "0230 01:02:03.250000",
        "0100 01:02:03.250000",
        "0102 24:02:03.250000",
        "0102 01:60:03.250000",
        "0102 01:02:61.000000",
        "0102 01:02:03",
        "0102 01:02:03.250000 811",
        "٠١٠٢ 01:02:03.250000",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """Digits lost, and days and hours that do not exist."""
    assert glog_time(text) is None


@given(st.text())
def test_no_text_makes_the_clock_raise(text: str) -> None:
    """Whatever it says, there is a time or none."""
    assert glog_time(text) is None or 0 <= (glog_time(text) or 0) <= YEAR_S + 1


def test_a_log_says_when_it_iterated() -> None:
    """From the line that says it begins to the one that says it ends."""
    text = log(at(BEGIN, "0315 09:14:50.500000"), at(END, "0315 09:14:55.750000"))
    begin, end = read(text).window or (0.0, 0.0)
    assert end - begin == pytest.approx(5.25)
    assert begin == glog_time("0315 09:14:50.500000")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("I0315", "0315"),
        lambda text: text.replace("I0315", "I20260315"),
        lambda text: text.replace("Benchmark ", "Benchmark\n"),
        lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    ],
)
def test_a_log_that_was_handed_on_still_says_when(damage: object) -> None:
    """Quoted, wrapped, with another end of lines, with the year or without the letter."""
    text = log(BEGIN, at(END, "0315 09:15:05.123456"))
    assert read(damage(text)).window == read(text).window  # type: ignore[operator]
    assert read(text).window is not None


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (BEGIN, ""),
        (BEGIN, at(END, "0231 09:14:55.123456")),
        ("*** Benchmark begins ***\n", END),
        (BEGIN, "*** Benchmark ends ***\n"),
        ("", END),
    ],
)
def test_where_a_time_is_missing_or_mangled_there_is_no_window(begin: str, end: str) -> None:
    """Half of it would be of no use, and the times that were printed stay what they are."""
    parsed = read(log(begin, end))
    assert parsed.window is None
    assert parsed.forward_ms == 11.5


def test_each_run_has_its_own_window() -> None:
    """Times of one run do not stand in the next one, nor in one that is not finished."""
    text = log(at(BEGIN, "0101 00:00:01.000000"), at(END, "0101 00:00:02.000000"))
    assert read(text + LOG).window == read(LOG).window
    runs = parse_runs((text + LOG + LOG.partition("Average")[0]).encode())
    assert [run.window for run in runs] == [(1.0, 2.0), read(LOG).window, None]
