"""Passwords and passphrases that are typed in, on the terminal."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from jetbench.bench import secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


class Secrets(secrets.Secrets):
    """Asks for secrets, from any thread, each once; keeps them in memory only."""

    def __init__(
        self,
        *,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing is asked yet.

        Args:
            aside: Keeps the terminal free of anything else while a question is open.
            cancelled: Whether an open question is to be given up.
        """
        # A program may have been started without any standard input.
        terminal = sys.stdin is not None and sys.stdin.isatty()
        super().__init__(self._on_terminal if terminal else None)
        self._aside = aside
        self._cancelled = cancelled

    def _on_terminal(self, question: str) -> str | None:
        """Ask without an echo; None where nobody answers any more."""
        from jetbench.cli.prompt import ask_hidden

        if self._cancelled():
            return None
        with self._aside():
            return ask_hidden(question, self._cancelled)
