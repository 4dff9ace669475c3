"""``jetbench`` on another day: sweeps get the date that SHIFT_DAYS says.

Only the host's clock is another one, and only where it names a sweep: boards, SSH and every
measurement are as they are.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jetbench.bench import plan, recorder
from jetbench.cli.main import main

if TYPE_CHECKING:
    from datetime import tzinfo

SHIFT = timedelta(days=float(os.environ["SHIFT_DAYS"]))


class Shifted(datetime):
    """A clock that is off by some days."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Shifted:
        """The time there."""
        return super().now(tz) + SHIFT


for module in (plan, recorder):
    module.datetime = Shifted  # type: ignore[attr-defined]

if __name__ == "__main__":
    sys.argv[0] = "jetbench"
    main()
