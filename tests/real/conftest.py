"""Boards that run real Caffe, started beforehand with ``scripts/real-boards up``.

``JETBENCH_REAL_INVENTORY`` names the inventory that it has written; without it these tests
are skipped, or fail if ``JETBENCH_REQUIRE_REAL=1`` says that they must run.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import pytest

from jetbench.formats.inventory import parse_inventory
from tests.real.program import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ANSWER_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class RealBoard:
    """One board, and how plain ``ssh`` reaches it."""

    name: str
    host: str
    port: int
    user: str
    key: str
    known_hosts: str
    release: str
    """``r28`` (JetPack 3) or ``r32`` (JetPack 4): how NVIDIA's tools are named and speak."""
    root: Path
    """The board's root as this machine's root user sees it, ``/tmp`` and ``/proc`` too."""
    sudo_password: str | None
    """None where nvidia becomes root without one."""

    def run(self, command: str, *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command line in the board's login shell, through OpenSSH's own client."""
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": f'"{self.known_hosts}"',
        }
        return subprocess.run(
            [
                "ssh",
                *("-F", "none", "-i", self.key, "-p", str(self.port)),
                *(f"-o{name}={value}" for name, value in options.items()),
                f"{self.user}@{self.host}",
                command,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=ANSWER_WITHIN_S,
            check=False,
        )

    def run_as_root(self, command: str, *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """The same through sudo, with the password on stdin where one is needed."""
        shell = f"sh -c {shlex.quote(command)}"
        if self.sudo_password is None:
            return self.run(f"sudo -n {shell}", stdin=stdin)
        return self.run(f"sudo -k -S -p '' {shell}", stdin=f"{self.sudo_password}\n{stdin}")

    @property
    def jetson_clocks(self) -> str:
        """The program of this release."""
        return "/home/nvidia/jetson_clocks.sh" if self.release == "r28" else "jetson_clocks"

    @property
    def tegrastats(self) -> str:
        """The program of this release."""
        return "/home/nvidia/tegrastats" if self.release == "r28" else "tegrastats"


@dataclass(frozen=True, slots=True)
class RealBoards:
    """The boards of one inventory that ``scripts/real-boards`` has written."""

    inventory: Path
    boards: tuple[RealBoard, ...]

    @property
    def folder(self) -> Path:
        """The folder that ``scripts/real-boards --dir`` knows them by."""
        return self.inventory.parent


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "real: needs boards of scripts/real-boards")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def real_boards() -> RealBoards:
    """The boards that run, or a skip with the reason."""
    named = os.environ.get("JETBENCH_REAL_INVENTORY")
    if not named:
        reason = "no JETBENCH_REAL_INVENTORY: start boards with scripts/real-boards up"
        if os.environ.get("JETBENCH_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return read_real_boards(Path(named).resolve())


class StartBoards(Protocol):
    """Starts boards that only the tests of one module use."""

    def __call__(
        self, count: int, *, sudo: Literal["nopasswd", "password"] = "nopasswd"
    ) -> RealBoards:
        """So many boards, in a folder of their own."""
        ...


@pytest.fixture(scope="module")
def start_boards(
    real_boards: RealBoards, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartBoards]:
    """Starts more boards, where those of the inventory run too; ends them with the module."""
    if os.geteuid() != 0:
        pytest.skip("needs root on this machine")
    folders: list[Path] = []

    def start(count: int, *, sudo: Literal["nopasswd", "password"] = "nopasswd") -> RealBoards:
        folder = tmp_path_factory.mktemp("boards").resolve()
        assert folder != real_boards.folder
        folders.append(folder)
        command = [str(SCRIPT), "up", str(count), "--dir", str(folder), "--sudo", sudo]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
        return read_real_boards(folder / "real-inventory.yaml")

    yield start
    for folder in folders:
        subprocess.run([SCRIPT, "purge", "--dir", str(folder)], check=True, timeout=60)


def read_real_boards(inventory: Path) -> RealBoards:
    """The boards of an inventory, with what its folder knows of them besides."""
    folder = inventory.parent
    password = (folder / "keys" / "sudo-password").read_text(encoding="utf-8")
    parsed = parse_inventory(inventory.read_text(encoding="utf-8"), str(inventory))
    return RealBoards(
        inventory,
        tuple(
            RealBoard(
                name=board.name,
                host=board.host,
                port=board.port or 22,
                user=board.user or "",
                key=board.key or "",
                known_hosts=board.known_hosts or "",
                release=next(tag for tag in board.tags if tag.startswith("r") and tag != "real"),
                root=folder / "boards" / board.name / "root",
                sudo_password=None if board.sudo == "nopasswd" else password,
            )
            for board in parsed.boards
        ),
    )
