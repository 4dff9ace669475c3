"""What there is in a reader's world before a document begins: boards, mostly."""

from __future__ import annotations

import getpass
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.docs.blocks import Block, blocks_of
from tests.docs.scene import CHECKOUT, know
from tests.store.postgres import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from jetbench.virtual.fleet import VirtualFleet
    from tests.docs.scene import Scene
    from tests.remote.sshd import Sshd
    from tests.store.postgres import PostgresServer

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
    (scene.folder / ".venv").symlink_to(Path(sys.executable).parents[1])


def known_boards(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards in an inventory, their host keys trusted."""
    know_all(scene, request.getfixturevalue("reader_fleet"))


def know_all(scene: Scene, fleet: VirtualFleet) -> None:
    """Put the boards of a fleet into an inventory, and trust them."""
    _know(scene, fleet)
    _trust(scene, fleet)
    scene.write("inventory.yaml", INVENTORY)


def troubled_boards(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards in real time: the second throttles, on the third somebody else computes."""
    know_all(scene, request.getfixturevalue("troubled_fleet"))


def with_sudo(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards, and the programs of sudo."""
    if shutil.which("visudo", path=scene.environment["PATH"]) is None:
        pytest.skip("visudo is not installed")
    known_boards(scene, request)


def behind_a_bastion(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards that nobody has trusted yet, and a real sshd that passes bytes on."""
    fleet: VirtualFleet = request.getfixturevalue("reader_fleet")
    bastion: Sshd = request.getfixturevalue("bastion")
    _know(scene, fleet)
    with (scene.folder / ".ssh" / "config").open("a") as config:
        config.write(
            f"Host bastion.example.net\n  HostName 127.0.0.1\n  Port {bastion.port}\n"
            f"  User {getpass.getuser()}\n  IdentityFile {bastion.key}\n"
        )
    scene.seen[f"127.0.0.1 port {bastion.port}"] = "bastion.example.net port 22"
    scene.seen["jump host 127.0.0.1"] = "jump host bastion.example.net"


def with_a_database(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards, and a server of PostgreSQL whose superuser the reader is."""
    known_boards(scene, request)
    server: PostgresServer = request.getfixturevalue("database_server")
    with server.connect() as connection:
        connection.execute(f"create role postgres superuser login password '{PASSWORD}'".encode())
    access = scene.folder / ".pgpass"
    access.write_text(f"*:*:*:postgres:{PASSWORD}\n")
    access.chmod(0o600)
    scene.environment.update(
        # The name of the document leads to the server of the test.
        PGHOSTADDR="127.0.0.1",
        PGPORT=str(server.port),
        PATH=f"{server.programs}:{scene.environment['PATH']}",
    )


def two_nights(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards that have measured twice; the first time is the baseline ``nightly``."""
    known_boards(scene, request)
    two_nights_of(scene)


def two_nights_of(scene: Scene) -> None:
    """Measure twice; the first time is the baseline ``nightly``."""
    night = "$ jetbench run vgg16 resnet50 -q\n"
    lines = f"{night}$ jetbench baseline set nightly\n{night}"
    scene.play([Block("the nights before", "console", "", lines)])


def on_github(scene: Scene, request: pytest.FixtureRequest) -> None:
    """Three boards, and what a runner of GitHub's sets for the steps of the workflow."""
    known_boards(scene, request)
    workflow = blocks_of(CHECKOUT / "docs/how-to/github-actions.md", "github-actions.md")
    (text,) = (block.text for block in workflow if block.title.startswith(".github/workflows/"))
    job = yaml.safe_load(text)["jobs"]["night"]
    scene.environment.update(job["env"], GITHUB_STEP_SUMMARY="summary.md")


def _know(scene: Scene, fleet: VirtualFleet) -> None:
    boards = zip(BOARDS.items(), fleet.boards, strict=True)
    know(scene, {name: (address, board) for (name, address), board in boards}, fleet)


def _trust(scene: Scene, fleet: VirtualFleet) -> None:
    (scene.folder / ".ssh" / "known_hosts").write_text(fleet.known_hosts.read_text())


WORLDS: dict[str, Callable[[Scene, pytest.FixtureRequest], None]] = {
    "README.md": new_boards,
    "docs/reference/results.md": two_nights,
    "docs/tutorial.md": new_boards,
    "docs/how-to/bastion.md": behind_a_bastion,
    "docs/how-to/github-actions.md": on_github,
    "docs/how-to/least-sudo.md": with_sudo,
    "docs/how-to/postgresql.md": with_a_database,
    "docs/how-to/verdicts.md": troubled_boards,
}
"""The documents that begin elsewhere."""
