"""Commands that are imported and built when they are asked for.

Building a command means to import its module and to turn every option into a parser: for all
of them together that takes longer than all else that ``jetbench --help`` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


def later(app: typer.Typer, name: str, path: str, summary: str) -> None:
    """Enter a command of which only the name and the summary are needed yet.

    Args:
        app: The group that it belongs to.
        name: What the user types.
        path: ``module:function`` below `jetbench.cli`.
        summary: The first line of the function's docstring.
    """

    class Later(TyperCommand):
        """Stands for the command until someone calls it, or asks for its help."""

        def make_context(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - click's own
            return command_of(path).make_context(*arguments, **more)

    app.command(name, cls=Later, help=summary)(_nothing)


def command_of(path: str) -> Any:  # noqa: ANN401 - of click, or of typer's copy of it
    """Import and build a command."""
    module, _, function = path.partition(":")
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(getattr(import_module(f"jetbench.cli.{module}"), function))
    return typer.main.get_command(app)


def _nothing() -> None:
    """What typer needs as a body, and nobody calls."""
