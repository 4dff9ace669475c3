"""A reason to doubt a number: which check found it, what it saw, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckName = Literal[
    "batch",
    "phase",
    "iterations",
    "clock",
    "throttled",
    "changed",
    "heat",
    "temperature",
    "neighbour",
    "swapped",
    "bound",
    "spread",
    "outlier",
    "first_trials",
    "first_iterations",
    "precision",
    "layers",
]
"""The checks of a case that has a number:

=================  ============================================================================
batch              the input shapes in the log are not those that were asked for
phase              the log says another phase
iterations         the log says another number of iterations
clock              the board's clock was set while a trial ran, or a log claims too much time
throttled          a clock was below the one that it was locked at
changed            power mode, clock limits or cores were others after a trial than before
heat               the GPU did not cool down to ``--cooldown`` before a trial
temperature        trials that began warmer took longer
neighbour          another process computed on the GPU, or on the CPU
swapped            memory was swapped while a trial ran
bound              faster than the board's peaks allow
spread             the processes differ by more than 5 %
outlier            one process is far from all others
first_trials       the first processes are slower than the rest
first_iterations   the first iterations are slower than the rest
precision          the interval is wider than ``--precision``
layers             the layers do not add up to the whole
=================  ============================================================================
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. Sentences without a full stop, safe for a terminal."""

    check: CheckName
    """Which check found it."""
    evidence: str
    """What was seen, with its numbers."""
    advice: str
    """What to do about it."""
