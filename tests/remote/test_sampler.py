"""The sampler of the sensors: started and stopped by a shell that has traps of its own."""

from __future__ import annotations

import subprocess
from importlib import resources
from typing import TYPE_CHECKING

from tests.e2e.program import wait_until

if TYPE_CHECKING:
    from pathlib import Path

TIMES = 400
LOOP = f"""
DIR=$1; HOME=$1
. "$DIR/common.sh"
trap 'exit 9' TERM INT HUP
i=0
while [ "$i" -lt {TIMES} ]; do
    start_sampler "$DIR/telemetry"
    stop_sampler
    i=$((i + 1))
done
"""


def samplers_of(folder: Path) -> str:
    """The processes that read sensors for a folder."""
    found = subprocess.run(
        ["pgrep", "-f", f"^/bin/sh {folder}/sampler.sh"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout


def test_a_sampler_is_stopped_however_soon(tmp_path: Path) -> None:
    """Also before its process has forgotten the trap of the shell that starts it.

    A signal that was lost there left a guard waiting for ever, the clocks raised: chaos, seed 800.
    """
    scripts = resources.files("jetbench.remote") / "scripts"
    for name in ("common.sh", "sampler.sh"):
        (tmp_path / name).write_text((scripts / name).read_text(encoding="utf-8"))
    (tmp_path / "root").mkdir()
    done = subprocess.run(
        ["sh", "-c", LOOP, "sh", str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", "JETBENCH_ROOT": str(tmp_path / "root")},
        timeout=100,
        check=False,
    )
    assert done.returncode == 0
    wait_until(lambda: not samplers_of(tmp_path))
