"""The exit codes of the contract."""

from __future__ import annotations

OK = 0
"""Everything asked for was measured."""
FAILED = 1
"""Some of it was not; the rest is kept."""
USAGE = 2
"""Wrong usage, inventory or model; nothing was started."""
NOTHING = 3
"""Nothing could be measured at all."""
REGRESSION = 4
"""Something became slower."""
INTERRUPTED = 130
"""What was finished is kept, the boards are restored."""
