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
        super().__init__()
        self._aside = aside
        self._cancelled = cancelled

    def can_ask(self) -> bool:
        """Whether there is a terminal."""
        return sys.stdin.isatty()

    def ask(self, question: str) -> str | None:
        """Ask on the terminal, without an echo; None where nobody answers any more."""
        from jetbench.cli.prompt import ask_hidden

        if self._cancelled():
            return None
        with self._aside():
            return ask_hidden(question, self._cancelled)
