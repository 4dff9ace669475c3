"""Colours of a result's table: on what is doubtful or missing, and nowhere else."""

from __future__ import annotations

import re

from jetbench.domain.finding import Finding
from jetbench.domain.kept import as_kept
from jetbench.report.shades import shaded
from jetbench.report.table import result_table
from tests import make

FINDING = Finding("throttled", "a clock fell to 828 MHz", "let it cool")
RESULT = make.result(
    make.record(),
    make.record(model="beta", status="suspect", reasons=(FINDING.evidence,), findings=(FINDING,)),
    make.record(model="gamma", status="failed", forward_ms=None, reasons=("out of memory",)),
)


def test_what_is_doubtful_or_missing_stands_out() -> None:
    """Its row and its reason, each in one colour; the text is the same."""
    text = result_table(as_kept(RESULT))
    found = shaded(text)
    assert re.sub(r"\x1b\[\d+m", "", found) == text
    lines = found.split("\n")
    colours = {
        word: {line[:5] for line in lines if word in line}
        for word in ("alpha", "beta", "gamma", "let it cool")
    }
    assert colours["beta"] == {"\x1b[33m"}
    assert colours["gamma"] == {"\x1b[31m"}
    assert colours["let it cool"] == {"\x1b[2m "}
    assert not any(colour.startswith("\x1b") for colour in colours["alpha"])
