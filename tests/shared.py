"""Where the shared reference material lies, if it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("JETBENCH_SHARED", Path(__file__).resolve().parents[2] / "shared"))

OF_THE_SHARED = "of the shared material"


def shared(relative: str) -> Path:
    """A file or folder of the shared material; the test is skipped where it is absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs {relative} {OF_THE_SHARED}")
    return path
