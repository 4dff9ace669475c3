"""What holds for every test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.shared import OF_THE_SHARED

if TYPE_CHECKING:
    from collections.abc import Generator

# No test is timed: the machine may be doing anything else. A failure says how to repeat it.
settings.register_profile("jetbench", deadline=None, print_blob=True)
settings.load_profile("jetbench")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true nothing may be skipped, but what needs the shared material."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        why = str(report.longrepr)
        if not hasattr(report, "wasxfail") and OF_THE_SHARED not in why:
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI does not allow: {why}"
    return report
