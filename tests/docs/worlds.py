"""What there is in a reader's world before a document begins: boards, mostly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.scene import know

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from jetbench.virtual.fleet import VirtualFleet
    from tests.docs.scene import Scene

BOARDS = {"tx2-01": "192.168.1.31", "tx2-02": "192.168.1.32", "tx2-03": "192.168.1.33"}
"""The boards of the documents, and their addresses there."""
INVENTORY = """\
defaults:
  user: nvidia
boards:
  tx2-01:
    host: 192.168.1.31
    tags: [lab-a]
  tx2-02:
    host: 192.168.1.32
    tags: [lab-a]
  tx2-03:
    host: 192.168.1.33
    tags: [lab-b]
"""


def world_of(page: str, scene: Scene, request: pytest.FixtureRequest) -> None:
    """Set a document's scene: three boards that are known and trusted, if nothing else is said."""
    WORLDS.get(page, known_boards)(scene, request)


def new_boards(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards that answer; nobody has trusted them, and there is no inventory."""
    fleet: VirtualFleet = request.getfixturevalue("reader_fleet")
    _know(scene, fleet)
    (scene.folder / ".venv" / "bin").mkdir(parents=True)
    (scene.folder / ".venv" / "bin" / "activate").write_text("")


def known_boards(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards in an inventory, their host keys trusted."""
    fleet: VirtualFleet = request.getfixturevalue("reader_fleet")
    _know(scene, fleet)
    _trust(scene, fleet)
    scene.write("inventory.yaml", INVENTORY)


def troubled_boards(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards in real time: the second throttles, on the third somebody else computes."""
    fleet: VirtualFleet = request.getfixturevalue("troubled_fleet")
    _know(scene, fleet)
    _trust(scene, fleet)
    scene.write("inventory.yaml", INVENTORY)


def _know(scene: Scene, fleet: VirtualFleet) -> None:
    boards = zip(BOARDS.items(), fleet.boards, strict=True)
    know(scene, {name: (address, board) for (name, address), board in boards}, fleet)


def _trust(scene: Scene, fleet: VirtualFleet) -> None:
    (scene.folder / ".ssh" / "known_hosts").write_text(fleet.known_hosts.read_text())


WORLDS: dict[str, Callable[[Scene, pytest.FixtureRequest], None]] = {
    "README.md": new_boards,
    "docs/tutorial.md": new_boards,
    "docs/how-to/verdicts.md": troubled_boards,
}
"""The documents that begin elsewhere."""
