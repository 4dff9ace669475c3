"""What the documents say is what the program does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jetbench.remote import installed

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_rule_of_sudo_in_the_documents_is_the_one_that_is_written() -> None:
    """To the letter: people copy it from there."""
    text = (DOCS / "explanation" / "security.md").read_text("utf-8")
    shown = text.partition("```sudoers\n")[2].partition("```")[0]
    assert shown == installed.sudoers("nvidia")


def test_the_rule_of_sudo_is_sound(tmp_path: Path) -> None:
    """Visudo says so; on boards that run real Caffe it is tried with sudo itself."""
    visudo = shutil.which("visudo", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if visudo is None:
        pytest.skip("visudo is not installed")
    rule = tmp_path / installed.RULE
    rule.write_text(installed.sudoers("nvidia"))
    done = subprocess.run([visudo, "-c", "-f", rule], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_said_to_be_proved_is_proved_by_a_test() -> None:
    """Each row of the matrix of faults names tests that are there."""
    text = (DOCS / "reference" / "faults.md").read_text("utf-8")
    named = re.findall(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", text)
    assert len(named) > 40
    for file, name in named:
        assert f"\ndef {name}(" in (DOCS.parent / "tests" / file).read_text("utf-8"), (file, name)
    rows = [row for row in text.partition("## The matrix")[2].splitlines() if row[:2] == "| "]
    for row in rows:
        assert "::" in row or "proved by" in row or row.endswith("the same |"), row
