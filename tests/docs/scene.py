"""A reader who does what a document says, in a shell, in a folder of their own."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.blocks import Command, commands_of, is_like, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.virtual.fleet import VirtualBoard, VirtualFleet
    from tests.docs.blocks import Block

CHECKOUT = Path(__file__).resolve().parents[2]
WITHIN_S = 240
"""What no command takes, even on a busy machine."""
_END = "what the shell says when a command has ended"
FILES = {"yaml", "ini", "groovy", "python", "json", "toml", "text", "sudoers", "prototxt", "ssh"}
"""The languages of blocks that are files, where they have a title."""


@dataclass(frozen=True)
class Scene:
    """The folder of a reader, which is their home, too."""

    folder: Path
    environment: dict[str, str]
    seen: dict[str, str]
    """What a document has where this prints something of the test's own, such as a port."""

    def play(self, blocks: Sequence[Block]) -> None:
        """Do what a document says, from its top to its end."""
        with ExitStack() as running:
            shell = running.enter_context(_shell(self))
            for block in blocks:
                if block.way == "not run":
                    continue
                if block.title and block.language in FILES:
                    shell.write(block.title, block.text)
                commands = commands_of(block) if block.language == "console" else steps_of(block)
                for command in commands:
                    if block.way == "beside":
                        running.enter_context(_beside(self, command))
                    else:
                        shell.run(command, block.exit_code, block.answers)

    def write(self, name: str, text: str, beside: Path = Path()) -> None:
        """Write a file that a document shows: into the home, or into a folder below it."""
        path = self.folder / (name[2:] if name.startswith("~/") else beside / name)
        assert path.resolve().is_relative_to(self.folder.resolve()), name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def as_documented(self, printed: str) -> str:
        """What was printed, with the names of a document's world in it."""
        for ours, theirs in self.seen.items():
            printed = printed.replace(ours, theirs)
        return printed


def make_scene(folder: Path) -> Scene:
    """A scene with the programs that a reader has, and nothing else."""
    programs = folder.parent / f"{folder.name}-bin"
    programs.mkdir()
    for name in ("jetbench", "python"):
        (programs / name).symlink_to(Path(sys.executable).with_name(name))
    # OpenSSH asks the system for the home, whatever $HOME says.
    ssh = "exec /usr/bin/ssh -F ~/.ssh/config -o UserKnownHostsFile=~/.ssh/known_hosts"
    _program(programs / "ssh", f'{ssh} -o BatchMode=yes "$@"')
    (folder / "scripts").mkdir()
    for script in (CHECKOUT / "scripts").iterdir():
        if script.name == "demo":
            # It works in the checkout that it lies in, and here that is this folder.
            shutil.copy(script, folder / "scripts")
        elif script.is_file():
            _program(folder / "scripts" / script.name, f'exec {shlex.quote(str(script))} "$@"')
    (folder / ".ssh").mkdir(mode=0o700)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JETBENCH_", "XDG_", "SSH_", "PG"))
    }
    environment = {
        **kept,
        "HOME": str(folder),
        "PATH": f"{programs}:{kept.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
    }
    return Scene(folder, environment, {str(folder.resolve()): "~", str(folder): "~"})


def know(scene: Scene, boards: dict[str, tuple[str, VirtualBoard]], fleet: VirtualFleet) -> None:
    """Let ssh find virtual boards at the names and addresses of a document; none is trusted.

    Args:
        scene: Whose ssh_config it is.
        boards: A board's address and the virtual one that answers there, by its name.
        fleet: To which they belong.
    """
    key = scene.folder / ".ssh" / "id_ed25519"
    key.write_text(fleet.key.read_text())
    key.chmod(0o600)
    with (scene.folder / ".ssh" / "config").open("a") as config:
        for name, (address, board) in boards.items():
            config.write(
                f"Host {name} {address}\n  HostName 127.0.0.1\n  Port {board.port}\n"
                f"  User nvidia\n  IdentityFile {key}\n"
            )
            scene.seen[f"127.0.0.1 port {board.port}"] = f"{address} port 22"
            scene.seen[str(board.root)] = ""


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/bash\n{line}\n")
    path.chmod(0o755)


@dataclass(frozen=True)
class _Shell:
    """A shell that is told one command after the other, and keeps what they change of it."""

    scene: Scene
    process: subprocess.Popen[str]
    keyboard: int
    """Our end of a terminal, from which commands read that ask something."""
    terminal: str
    """Its other end."""

    def run(self, command: Command, exit_code: int, answers: str) -> None:
        """Run a command to its end, and look at what it came to."""
        source = self.terminal if answers else "/dev/null"
        typed = answers.split(", ") if answers else []
        os.write(self.keyboard, "".join(f"{answer}\n" for answer in typed).encode())
        printed, status = self._do(command, source)
        printed = self.scene.as_documented(printed)
        told = f"{command.place}: $ {command.line}\n{printed}"
        assert "Traceback" not in printed, told
        assert status == exit_code, f"{told}exit code {status}, not {exit_code}"
        expected = command.printed
        for answer in typed:
            # A terminal shows what is typed on it, and what is printed goes elsewhere here.
            expected = expected.replace(f" {answer}\n", " ", 1)
        if expected:
            assert is_like(printed, expected), f"{told}--- expected:\n{command.printed}"

    def write(self, name: str, text: str) -> None:
        """Write a file into the folder where the shell is."""
        where, _ = self._do(Command(name, "pwd", ""), "/dev/null")
        self.scene.write(name, text, Path(where.rstrip("\n")))

    def _do(self, command: Command, source: str) -> tuple[str, int]:
        """What a command prints, and its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.write(
            f"{{ {command.line}\n}} <{source} 2>&1; _s=$?; echo; echo {_END!r} $_s\n"
        )
        self.process.stdin.flush()
        return self._hear(command)

    def _hear(self, command: Command) -> tuple[str, int]:
        assert self.process.stdout is not None
        end, said = f"\n{_END} ".encode(), b""
        give_up = time.monotonic() + WITHIN_S
        while end not in said or not said.endswith(b"\n"):
            left = max(0.0, give_up - time.monotonic())
            ready = select.select([self.process.stdout], [], [], left)[0]
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert piece, f"{command.place}: $ {command.line}\n{said.decode()}--- no end of it"
            said += piece
        printed, _, status = said.decode().rpartition(end.decode())
        return printed, int(status)


@contextmanager
def _shell(scene: Scene) -> Iterator[_Shell]:
    # Open as long as the shell is: it may have become the terminal of its session.
    keyboard, terminal = pty.openpty()
    with subprocess.Popen(
        ["bash", "--norc", "-o", "pipefail"],
        cwd=scene.folder,
        env=scene.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield _Shell(scene, process, keyboard, os.ttyname(terminal))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            os.close(keyboard)
            os.close(terminal)


@contextmanager
def _beside(scene: Scene, command: Command) -> Iterator[None]:
    """A command in another terminal, from when it has printed what is shown until Ctrl-C."""
    log = scene.folder.parent / f"{scene.folder.name}-beside"
    with (
        log.open("w+") as file,
        subprocess.Popen(
            ["bash", "-c", command.line],
            cwd=scene.folder,
            env=scene.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        ) as process,
    ):
        try:
            give_up = time.monotonic() + WITHIN_S
            while not is_like(scene.as_documented(log.read_text()), command.printed):
                told = f"{command.place}: $ {command.line}\n{log.read_text()}"
                assert process.poll() is None, told
                assert time.monotonic() < give_up, f"{told}--- expected:\n{command.printed}"
                time.sleep(0.05)
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(WITHIN_S)
