"""The alarm rings for whoever has not left in time, and for nobody else."""

from __future__ import annotations

import threading

from jetbench.remote.alarm import Alarm


def test_who_stays_too_long_is_rung_for() -> None:
    """Once, while the block still runs."""
    rung = threading.Event()
    with Alarm().within(0.05, rung.set):
        assert rung.wait(10)


def test_who_leaves_in_time_is_not() -> None:
    """Even when its time has come since; those after it are rung for all the same."""
    alarm, early, late = Alarm(), threading.Event(), threading.Event()
    with alarm.within(0.05, early.set):
        pass
    with alarm.within(0.1, late.set):
        assert late.wait(10)
    assert not early.is_set()


def test_the_next_due_is_rung_for_first() -> None:
    """A short wait that is asked for behind a long one does not wait for it."""
    alarm, rung = Alarm(), threading.Event()
    with alarm.within(60, rung.clear), alarm.within(0.05, rung.set):
        assert rung.wait(10)


def test_a_ring_that_fails_does_not_end_the_alarm() -> None:
    """What is to be closed may be gone already."""

    def fail() -> None:
        raise OSError

    alarm, rung = Alarm(), threading.Event()
    with alarm.within(0.01, fail), alarm.within(0.05, rung.set):
        assert rung.wait(10)
