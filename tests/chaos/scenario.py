"""What a seed decides: how a sweep is started, which faults it meets, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

BOARDS, MODELS, REPEATS = 4, 4, 5
TRIALS = MODELS * REPEATS
"""On each board."""

Kind = Literal[
    "attach", "ctrl-c", "ctrl-c twice", "cut", "host killed", "kill caffe", "kill guard",
    "kill runner", "reboot", "refuse", "rival", "shutdown", "silence", "stop",
]  # fmt: skip
"""``cut``: the board's connections break. ``silence``: they swallow what is sent, and break
later. ``refuse``: they break, and new ones are refused for a while. ``shutdown``: a reboot
before which all processes are told to end. ``attach``, ``stop`` and
``rival`` come from another host, which follows the sweep, ends it, or wants to measure
something of its own."""

_WEIGHTS: dict[Kind, int] = {
    "attach": 2, "ctrl-c": 2, "ctrl-c twice": 2, "cut": 3, "host killed": 5, "kill caffe": 2,
    "kill guard": 3, "kill runner": 3, "reboot": 2, "refuse": 2, "rival": 2, "shutdown": 2,
    "silence": 2, "stop": 2,
}  # fmt: skip
ENDS_THE_HOST = {"host killed", "ctrl-c", "ctrl-c twice"}
LEAVES_THE_BOARD = {"attach", "cut", "host killed", "kill caffe", "rival", "silence"}
"""Kinds that a board measures on through."""
OF_THE_HOST = {*ENDS_THE_HOST, "attach", "stop"}
"""Kinds that need a program that follows the sweep."""

Event = Literal["caffe", "done", "end", "planned", "ready", "restored", "saved", "start"]
"""``caffe``: while that run of Caffe goes on, which waits until the fault has been there.
``planned``: as soon as the sweep has a folder. The others: when the boards' journals say it."""


@dataclass(frozen=True)
class Moment:
    """When the `count`-th thing of its kind is seen on a board."""

    board: int
    event: Event
    count: int = 1

    def __str__(self) -> str:
        """In words."""
        return f"{self.event} {self.count} on virt-{self.board + 1:02d}"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong."""

    kind: Kind
    moment: Moment
    elsewhere: bool = False
    """Whether the sweep is taken up by another host afterwards."""

    def __str__(self) -> str:
        """In words."""
        return f"{self.kind} at {self.moment}{', then from elsewhere' * self.elsewhere}"


@dataclass(frozen=True)
class Scenario:
    """One sweep and its faults."""

    seed: int
    options: tuple[str, ...]
    detach: bool
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        """In words."""
        start = " ".join(("run", *self.options, *["--detach"] * self.detach))
        return "; ".join((f"seed {self.seed}: {start}", *map(str, self.faults)))


def scenario(seed: int) -> Scenario:
    """All that a seed decides."""
    random = Random(seed)  # noqa: S311 - not for secrets
    guarded = random.random() < 0.75
    options = ["--warm-up", "1" if random.random() < 0.2 else "0"]
    options.append("--telemetry" if random.random() < 0.1 else "--no-telemetry")
    options += ["--cooldown", "60" if random.random() < 0.1 else "off"]
    if not guarded:
        options += ["--power-mode", "keep", "--no-clocks"]
    faults = [_fault(random, guarded=guarded) for _ in range(random.choice((1, 2, 2, 3, 3, 4, 5)))]
    return Scenario(seed, tuple(options), random.random() < 0.15, tuple(faults))


def _fault(random: Random, *, guarded: bool) -> Fault:
    (kind,) = random.choices([*_WEIGHTS], [*_WEIGHTS.values()])
    moment = _moment(random, kind, guarded=guarded or kind == "kill guard")
    return Fault(kind, moment, kind in ENDS_THE_HOST and random.random() < 0.3)


def _moment(random: Random, kind: Kind, *, guarded: bool) -> Moment:
    board = random.randrange(BOARDS)
    if kind == "kill caffe" or random.random() < 0.55:
        return Moment(board, "caffe", random.randint(1, TRIALS))
    events: list[Event] = ["done", "end", "start"]
    if guarded:
        events += ["saved", "ready", "restored"]
    if kind in {"host killed", "cut", "refuse", "rival"}:
        events.append("planned")
    event = random.choice(events)
    return Moment(board, event, random.randint(1, TRIALS) if event == "done" else 1)
