"""Commands that are built when they are asked for."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from jetbench.cli import main
from jetbench.cli.lazy import command_of


@pytest.mark.parametrize(("path", "summary"), [(path, words) for *_, path, words in main.COMMANDS])
def test_a_summary_is_how_the_command_s_own_help_begins(path: str, summary: str) -> None:
    """The list of commands says nothing else than the command itself."""
    assert inspect.cleandoc(command_of(path).help).startswith(summary.rstrip("."))


def test_help_imports_no_command() -> None:
    """What a command needs is imported when it runs."""
    program = (
        "import sys; from jetbench.cli import main; main.app(['--help'], standalone_mode=False);"
        "print([m for m in sys.modules if m.startswith('jetbench.cli.') or m in {'yaml', 'rich'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    known = {"jetbench.cli.main", "jetbench.cli.lazy", "jetbench.cli.exit_codes"}
    assert set(eval(done.stdout.splitlines()[-1])) == known  # noqa: S307 - our own output


def test_an_unknown_command_brings_the_nearest() -> None:
    """Also among those that are not built yet."""
    done = subprocess.run(
        [sys.executable, "-m", "jetbench", "estimat"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "Did you mean 'estimate'" in done.stderr
