"""Where the page of a thing is: by its name alone, so that links stay from night to night."""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_LONGEST = 60
FRONT = "index.html"
SWEEPS = "sweeps.html"
LOG = "log.html"


def model_page(model: str) -> str:
    """``models/vgg16.html``."""
    return f"models/{file_name(model)}.html"


def board_page(board: str) -> str:
    """``boards/tx2-01.html``."""
    return f"boards/{file_name(board)}.html"


def sweep_page(sweep_id: str) -> str:
    """``sweeps/20260102-030405-a1b2c3.html``."""
    return f"sweeps/{file_name(sweep_id)}.html"


def logs_folder(sweep_id: str) -> str:
    """Where the raw logs of a sweep lie."""
    return f"logs/{file_name(sweep_id)}"


def logs_file(sweep_id: str, board: str) -> str:
    """Where the raw logs of a board's part in a sweep lie, as a script that `log.html` reads."""
    return f"{logs_folder(sweep_id)}/{file_name(board)}.js"


def log_link(sweep_id: str, board: str, trial: int) -> str:
    """The page that shows one raw log."""
    return f"{LOG}#{file_name(sweep_id)}/{file_name(board)}/{trial}"


def file_name(name: str) -> str:
    """A name that every disk and every URL can have.

    Whatever is changed in it is told apart by a piece of its hash: two names never share a page,
    also not on a disk for which ``VGG16`` and ``vgg16`` are the same.
    """
    safe = _UNSAFE.sub("_", name.lower())[:_LONGEST].strip(".")
    if safe == name and safe:
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe or '_'}-{digest}"
