"""What holds for the whole checkout and no tool checks."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PYTHON = sorted(
    path
    for room in ("jetbench", "tests", "benchmarks", "scripts")
    for path in (CHECKOUT / room).rglob("*.py")
)
SCRIPTS = sorted(
    path
    for path in (*(CHECKOUT / "scripts").iterdir(), CHECKOUT / ".ci" / "run")
    if path.is_file()
)
MAX_LINES = 400


def name_of(path: Path) -> str:
    """A file's name in the checkout, as the name of its test."""
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    """No file is longer than what a reader can keep in mind."""
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_can_be_started(path: Path) -> None:
    """A script has its x bit and says what runs it."""
    assert path.read_text("utf-8").startswith("#!")
    assert os.access(path, os.X_OK)


def test_every_tested_version_is_fixed() -> None:
    """The constraints hold versions and nothing else: no place to fetch from, no range."""
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert not [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)]
