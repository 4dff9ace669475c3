"""The clock in the prefix of Google's glog: ``MMDD HH:MM:SS.UUUUUU``, local time, no year."""

from __future__ import annotations

import re
from itertools import accumulate

# Newer versions write the year, too; a letter for the level may stand before it.
_TIME = re.compile(
    r"[IWEF]?(?:[0-9]{4})?([0-9]{2})([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}\.[0-9]{1,9})"
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEFORE = (0, *accumulate(_DAYS))
_DAY_S = 86_400
LEAP_DAY_S = float(_BEFORE[1] + 28) * _DAY_S
"""When 29 February begins, as `glog_time` counts."""
YEAR_S = float(_BEFORE[-1]) * _DAY_S
"""How long its years are: leap years all of them, as the prefix does not say which one it is."""


def glog_time(text: str) -> float | None:
    """Seconds since the start of the year, by the prefix of a message.

    Args:
        text: Such as ``0228 11:53:41.861127`` or ``I20260228 11:53:41.861127``, nothing behind.

    Returns:
        None for what is no time. The year is taken for a leap year, so that 29 February is a
        day of it; a second of 60 is taken for what it is, the one before the next minute.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    month, day, hour, minute = (int(part) for part in found.groups()[:4])
    second = float(found[5])
    if not (1 <= month <= len(_DAYS) and 1 <= day <= _DAYS[month - 1]):
        return None
    if hour > 23 or minute > 59 or second >= 61:  # noqa: PLR2004 - what a clock shows
        return None
    return ((_BEFORE[month - 1] + day - 1) * 24 + hour) * 3600.0 + minute * 60 + second
