"""Small files of a board, as sysfs and procfs have them: read and written whole."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_number(root: Path, path: str) -> int | None:
    """The number in a file of the board; None where there is none, or it is being written."""
    try:
        return int((root / path.lstrip("/")).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def write(root: Path, path: str, value: int | str) -> None:
    """Write a number, or a text that ends its lines, in one step: nobody reads half of it.

    A board that is just being removed is no error.
    """
    file = root / path.lstrip("/")
    new = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    with contextlib.suppress(OSError):
        new.write_text(value if isinstance(value, str) else f"{value}\n", encoding="ascii")
        new.replace(file)
