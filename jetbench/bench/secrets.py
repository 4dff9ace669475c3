"""Passwords and passphrases: where they come from, and that each is asked for once."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING

from jetbench.domain.errors import LoginError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jetbench.domain.board import Board

    Ask = Callable[[str], str | None]
    """Gives the answer to a question; None where none was given."""

_COMMAND_TIMEOUT_S = 60


class Secrets:
    """Has secrets from where the inventory says, for any thread, each once; in memory only."""

    def __init__(self, ask: Ask | None = None) -> None:
        """Nothing is asked yet.

        Args:
            ask: Asks a person; None where there is none to ask.
        """
        self._ask = ask
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], str] = {}

    def sudo_password(self, board: Board) -> str:
        """The sudo password of a board, from where its inventory entry says.

        One that is typed in serves all boards that are to ask (``auto`` or ``prompt``) and
        have the same user.

        Raises:
            NotReadyError: There is none to be had.
        """
        kind, _, rest = board.sudo.partition(":")
        with self._lock:
            key = (kind, rest) if kind in {"env", "command"} else ("prompt", board.user or "")
            if key not in self._known:
                self._known[key] = self._sudo(board, kind, rest)
            return self._known[key]

    def passphrase(self, key_file: str) -> str:
        """The passphrase of a private key.

        Raises:
            LoginError: There is no terminal to ask on.
        """
        if self._ask is None:
            message = f"{key_file} wants a passphrase, and there is no terminal to ask on"
            raise LoginError(message, hint=f"add it to an agent first: ssh-add {key_file}")
        with self._lock:
            passphrase = self._ask(f"Passphrase for {key_file}: ")
        if passphrase is None:
            message = f"the passphrase of {key_file} was not given"
            raise LoginError(message)
        return passphrase

    def _sudo(self, board: Board, kind: str, rest: str) -> str:
        if kind == "env":
            password = os.environ.get(rest)
            if not password:
                message = f"sudo wants a password, and the variable {rest} is not set"
                raise NotReadyError(message, hint=f"export {rest}, or set sudo: prompt")
            return _one_line(password, f"the variable {rest}")
        if kind == "command":
            return self._from_command(rest)
        if kind == "nopasswd":
            message = "sudo wants a password there, though the inventory says nopasswd"
            raise NotReadyError(message, hint="set sudo: auto, prompt, env:… or command:…")
        if self._ask is None:
            message = "sudo wants a password, and there is no terminal to ask on"
            hint = "set sudo: env:VARIABLE or command:… in the inventory"
            raise NotReadyError(message, hint=hint)
        password = self._ask(f"sudo password for {board.user or 'the user'} on {board.name}: ")
        if password is None:
            message = "sudo wants a password, and it was not given"
            raise NotReadyError(message)
        return password

    @staticmethod
    def _from_command(command: str) -> str:
        hint = "it is the command behind `sudo:` in the inventory; try it by hand"
        try:
            done = subprocess.run(  # noqa: S602 - the user's own command, from the inventory
                command,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=_COMMAND_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"the command for the sudo password took over {_COMMAND_TIMEOUT_S} s"
            raise NotReadyError(message, hint=hint) from error
        if done.returncode != 0:
            message = f"the command for the sudo password ended with status {done.returncode}"
            raise NotReadyError(message, hint=hint)
        # The first line, whatever bytes it is of: a password need not be UTF-8.
        line = done.stdout.partition(b"\n")[0].removesuffix(b"\r")
        if not line:
            message = "the command for the sudo password has printed no password"
            raise NotReadyError(message, hint=hint)
        return _one_line(line.decode("utf-8", "surrogateescape"), "what the command has printed")


def _one_line(password: str, source: str) -> str:
    """The password, which sudo will read up to a line end; what comes after it is not a secret."""
    if "\n" in password or "\0" in password:
        message = f"{source} holds a line end or a null, which no password of sudo has"
        raise NotReadyError(message, hint="is it the right one?")
    return password
