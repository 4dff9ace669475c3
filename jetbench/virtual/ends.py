"""How a run of ``caffe time`` on a virtual board can end before its result, or never."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from jetbench.virtual.glog import aborted, die

if TYPE_CHECKING:
    from jetbench.virtual.faults import Faults
    from jetbench.virtual.glog import Glog

_BLOCK_BYTES = 2**20
_NOISE = b"W0000 00:00:00.000000     1 base_data_layer.cpp:1] Restarting data prefetching.\n"
_LONG_S = 3600.0


class Ends:
    """What befalls one run, as its number and the board's faults say."""

    def __init__(self, faults: Faults, number: int, glog: Glog) -> None:
        """`number` is that of the run, from 1."""
        self._faults = faults
        self._number = number
        self._glog = glog

    def before_a_word(self) -> None:
        """Where it ends, or hangs, without having said anything."""
        if self._number == self._faults.silent_at:
            _leave(0)
        if self._number == self._faults.silent_hang_at:
            _hang()

    def in_the_middle(self) -> None:
        """Where it ends, or does not, after "Benchmark begins"."""
        faults = self._faults
        if self._number == faults.aborts_at:
            message = "Check failed: error == cudaSuccess (4 vs. 0)  unspecified launch failure"
            self._glog.fatal("math_functions.cu:79", message)
        if self._number == faults.crashes_at:
            self._glog.raw(aborted(signal.SIGSEGV, 0).rstrip())
            die(signal.SIGSEGV)
        if self._number == faults.exits_at:
            _leave(1)
        if self._number == faults.killed_at:
            # Nobody is told of it but by the status, as when the kernel wants its memory.
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        if self._number == faults.hangs_at:
            _hang()
        if self._number == faults.endless_log_at:
            _flood()


def _leave(status: int) -> NoReturn:
    sys.stderr.flush()
    os._exit(status)


def _hang() -> NoReturn:
    """Only SIGKILL ends it, as where it waits for a driver that does not answer."""
    sys.stderr.flush()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(_LONG_S)


def _flood() -> NoReturn:
    """Write until the kernel ends it for the size of its file."""
    sys.stderr.flush()
    # Python ignores it, Caffe does not.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    block = _NOISE * (_BLOCK_BYTES // len(_NOISE))
    while True:
        os.write(sys.stderr.fileno(), block)
