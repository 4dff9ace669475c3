"""What a report takes along from others: whole, known, and with its licence."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files

from jetbench.report.site.pages import ASSETS

ASSETS_FOLDER = files("jetbench.report.site") / "assets"


def test_libraries_are_the_ones_that_were_taken() -> None:
    """Nobody has edited them: to change one is to take another version by scripts/vendor."""
    vendored = json.loads((ASSETS_FOLDER / "vendored.json").read_text())
    assert set(vendored) == {"echarts", "sortable-tablesort"}
    for library in vendored.values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", library["version"])
        for name, sha256 in library["sha256"].items():
            assert hashlib.sha256((ASSETS_FOLDER / name).read_bytes()).hexdigest() == sha256
            assert name in ASSETS


def test_licences_go_with_them() -> None:
    """Into every report: both of them ask for that."""
    assert "Apache License" in (ASSETS_FOLDER / "LICENSE-echarts.txt").read_text()
    assert "public domain" in (ASSETS_FOLDER / "LICENSE-sortable.txt").read_text()
    assert {name for name in ASSETS if "LICENSE" in name} == {
        "LICENSE-echarts.txt",
        "LICENSE-sortable.txt",
    }


def test_everything_that_lies_there_goes_along() -> None:
    """A file that no page needs would be dead weight."""
    there = {file.name for file in ASSETS_FOLDER.iterdir()}
    assert there - {"vendored.json"} == set(ASSETS)
