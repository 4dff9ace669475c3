"""The checks of a case that has a number, one function each, named as in `domain.finding`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.analysis.checks.clock import clock
from jetbench.analysis.checks.clocks import changed, throttled
from jetbench.analysis.checks.processes import first_trials, outlier, precision, spread
from jetbench.analysis.checks.request import batch, iterations, phase
from jetbench.analysis.checks.sums import bound, layers
from jetbench.analysis.checks.surroundings import heat, neighbour, swapped
from jetbench.analysis.checks.warming import first_iterations, temperature

if TYPE_CHECKING:
    from jetbench.analysis.checks.clue import Check

CHECKS: tuple[Check, ...] = (
    batch,
    phase,
    iterations,
    clock,
    bound,
    layers,
    changed,
    throttled,
    heat,
    swapped,
    neighbour,
    first_trials,
    temperature,
    outlier,
    spread,
    first_iterations,
    precision,
)
"""In the order in which they are made and shown: what is wrong by itself, then causes, then
effects. Each sees the clues of those before it."""
