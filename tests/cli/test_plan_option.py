"""``jetbench run --plan FILE``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def dry_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What would be run, by the plan file that lies in a folder."""
    (folder / "inventory.yaml").write_text("boards: {one: {host: 127.0.0.1}}\n")
    return subprocess.run(
        [sys.executable, "-m", "jetbench", "run", "--plan", "night.yaml", "--dry-run", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_options_come_from_the_file_and_the_command_line_wins(tmp_path: Path) -> None:
    """Models, lists and flags; what is typed stands above what is written."""
    (tmp_path / "night.yaml").write_text(
        "models: [vgg16, bvlc_alexnet]\nrepeats: 2\nbatch: [1, 4]\nclocks: false\n"
    )
    done = dry_run(tmp_path, "--repeats", "1")
    assert done.returncode == 0, done.stderr
    assert "vgg16 batch 4: data 4x3x224x224" in done.stdout
    assert "clocks left alone" in done.stdout
    assert "round 1" in done.stdout
    assert "round 2" not in done.stdout


def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    """One message, exit code 2, and nothing is started."""
    (tmp_path / "night.yaml").write_text("models: [vgg16]\npower-mod: 0\n")
    done = dry_run(tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: night.yaml:2: there is no option 'power-mod'\nhint: did you mean power-mode?\n"
    )
