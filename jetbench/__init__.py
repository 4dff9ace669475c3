"""jetbench: inference times on Jetson boards that can be believed.

What the commands do can be done from Python; docs/how-to/python.md shows how. Nothing is imported
before it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.api.kept import Results, compare
    from jetbench.api.looking import check, status, stop
    from jetbench.api.measuring import resume, run
    from jetbench.api.nets import Estimate, estimate, parse, patch
    from jetbench.api.reaching import load_inventory, virtual_boards
    from jetbench.api.values import Comparison, Sweep, SweepInterruptedError
    from jetbench.domain.errors import JetbenchError

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Estimate",
    "JetbenchError",
    "Results",
    "Sweep",
    "SweepInterruptedError",
    "check",
    "compare",
    "estimate",
    "load_inventory",
    "parse",
    "patch",
    "resume",
    "run",
    "status",
    "stop",
    "virtual_boards",
]

_WHERE = {
    "domain.errors": ("JetbenchError",),
    "api.kept": ("Results", "compare"),
    "api.looking": ("check", "status", "stop"),
    "api.measuring": ("resume", "run"),
    "api.nets": ("Estimate", "estimate", "parse", "patch"),
    "api.reaching": ("load_inventory", "virtual_boards"),
    "api.values": ("Comparison", "Sweep", "SweepInterruptedError"),
}


if not TYPE_CHECKING:
    # Type checkers know the names above, and that there are no others.
    def __getattr__(name: str) -> object:
        for module, names in _WHERE.items():
            if name in names:
                return getattr(import_module(f"jetbench.{module}"), name)
        raise AttributeError(f"module 'jetbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
