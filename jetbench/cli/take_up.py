"""Sweeps that were begun earlier, taken up from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError
from jetbench.domain.part import SWEEP_ID

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.plan import Plan
    from jetbench.store.sweep_folder import SweepFolder


def begun(word: str, results: Path, inventory: Path | None) -> tuple[SweepFolder, Plan]:
    """A sweep that was begun here, or by another host on the boards of the inventory.

    Args:
        word: Its id, ``latest``, ``latest~N``, or its folder.
        results: Where sweeps are kept.
        inventory: The value of ``--inventory``; read only where the sweep is not here.

    Raises:
        ResultError: There is no such sweep, or what is kept of it is damaged.
        InventoryError: The boards are to be asked, and there is no inventory.
        StoreError: A folder for it cannot be made here.
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.resuming import adopt, begun_here, find_on_boards, not_found
    from jetbench.cli.secrets import Secrets
    from jetbench.remote.connection import Connector

    here = begun_here(word, results)
    if here is not None:
        return here
    if not SWEEP_ID.fullmatch(word):
        raise ResultError(
            f"{word}: there is no such sweep in {results}",
            hint="name a sweep's id, its folder, latest or latest~1; `jetbench status` lists "
            "what the boards know",
        )
    boards = load_boards(inventory, [])
    with Connector(ssh_config=None, ask_passphrase=Secrets().passphrase) as connector:
        found = find_on_boards(word, boards, connector.connect)
    if not any(one.described for one in found):
        raise not_found(word, found)
    return adopt(results, word, found)


def sweep_id_of(word: str, results: Path) -> str:
    """The id of a sweep, which need not be here.

    Raises:
        ResultError: It is neither an id, nor a sweep that is here.
    """
    from jetbench.store.results import find_begun

    if SWEEP_ID.fullmatch(word):
        return word
    path = find_begun(word, results)
    if path is None or not SWEEP_ID.fullmatch(path.resolve().name):
        raise ResultError(
            f"{word}: neither a sweep's id nor a sweep in {results}",
            hint="an id is a word such as 20260102-030405-a1b2c3; see `jetbench status`",
        )
    return path.resolve().name
