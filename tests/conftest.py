"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# No test is timed: the machine may be doing anything else. A failure says how to repeat it.
settings.register_profile("jetbench", deadline=None, print_blob=True)
settings.load_profile("jetbench")
