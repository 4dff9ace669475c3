"""Where a sudo password comes from: any password, as it is, and never in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.cli.secrets import Secrets
from jetbench.domain.board import Board
from jetbench.domain.errors import NotReadyError

if TYPE_CHECKING:
    from pathlib import Path

PASSWORDS = (
    b"plain",
    b"""it's "$HOME" `id` \\n""",
    b"  blanks at both ends  ",
    "ünï€ 密码".encode(),
    "two \u2028 lines? \u0085 \x0b \x0c \x1e no".encode(),
    b"latin-1 \xfc\xff",
)


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nuser: ann\n"])
def test_a_command_gives_its_first_line(tmp_path: Path, password: bytes, end: bytes) -> None:
    """Byte for byte, up to the line end, as password stores print it."""
    (tmp_path / "it").write_bytes(password + end)
    board = Board(name="b", host="h", sudo=f"command:cat {tmp_path}/it")
    found = Secrets().sudo_password(board)
    assert found.encode("utf-8", "surrogateescape") == password


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_variable_gives_all_of_it(monkeypatch: pytest.MonkeyPatch, password: bytes) -> None:
    """Byte for byte."""
    monkeypatch.setenv("JETBENCH_TEST_SECRET", password.decode("utf-8", "surrogateescape"))
    found = Secrets().sudo_password(Board(name="b", host="h", sudo="env:JETBENCH_TEST_SECRET"))
    assert found.encode("utf-8", "surrogateescape") == password


def test_a_password_of_several_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sudo would read the first, and the rest would be taken for something else; not shown."""
    monkeypatch.setenv("JETBENCH_TEST_SECRET", "hush-1\nhush-2")
    with pytest.raises(NotReadyError, match="JETBENCH_TEST_SECRET holds a line end") as caught:
        Secrets().sudo_password(Board(name="b", host="h", sudo="env:JETBENCH_TEST_SECRET"))
    assert "hush" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("command", ["true", "echo", "printf '\\nhush\\n'"])
def test_a_command_that_prints_nothing_is_told(command: str) -> None:
    """An empty password is none."""
    with pytest.raises(NotReadyError, match="printed no password"):
        Secrets().sudo_password(Board(name="b", host="h", sudo=f"command:{command}"))


def test_what_a_failed_command_has_printed_is_not_told() -> None:
    """It may be half of the secret."""
    with pytest.raises(NotReadyError, match="ended with status 3") as caught:
        Secrets().sudo_password(Board(name="b", host="h", sudo="command:echo hush; exit 3"))
    assert "hush" not in f"{caught.value} {caught.value.hint}"
