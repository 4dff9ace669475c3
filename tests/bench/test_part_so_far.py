"""The parts of a sweep that a board keeps, and those that are here."""

from __future__ import annotations

import pytest

from jetbench.bench.part_so_far import parts_there
from jetbench.domain.part import KnownBoard, PartOnBoard, started_as

SWEEP = "20260102-030405-a1b2c3"


def on_board(number: int, start: str | None) -> PartOnBoard:
    """A part as a board tells of it."""
    return PartOnBoard(
        SWEEP, number, "virt-01", "ann@desk", None, running=True, size_bytes=900, total=9, done=3,
        failed=0, start=start,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "there", "numbers"),
    [
        ({}, {1: "a"}, [(1, 1, 0)]),
        ({1: "a"}, {1: "a", 2: "b"}, [(1, 1, 100), (2, 2, 0)]),
        # Another host has given the number as well, and has gone on.
        ({1: "a", 2: "b"}, {2: "c"}, [(3, 2, 0)]),
        ({1: "a", 2: "b"}, {2: "c", 3: "d"}, [(4, 2, 0), (3, 3, 0)]),
        # It was followed before, under the number that it was given here.
        ({1: "a", 2: "b", 3: "c"}, {2: "c"}, [(3, 2, 100)]),
        # It has only just begun, and says nothing yet.
        ({1: "a"}, {1: None}, [(2, 1, 0)]),
        ({}, {3: None}, [(3, 3, 0)]),
    ],
)
def test_what_is_here_goes_on_only_with_its_own_part(
    known: dict[int, str], there: dict[int, str | None], numbers: list[tuple[int, int, int]]
) -> None:
    """A part is known by how it began, whatever number it has."""
    here = KnownBoard(sizes=dict.fromkeys(known, 100), starts=known)
    found = parts_there(here, [on_board(number, start) for number, start in there.items()])
    assert [(part.number, part.there, part.received) for part in found] == numbers


def test_two_parts_never_begin_alike() -> None:
    """A board's boot, the runner's process there, and when it began."""
    fields = {"version": "1", "up": "77.10", "pid": "812", "boot": "4f2e"}
    assert started_as(fields) == "4f2e/812/77.10"
    assert started_as({}) == "//"
