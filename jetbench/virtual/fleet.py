"""Several virtual boards served by this process, with keys and an inventory for them."""

from __future__ import annotations

import contextlib
import json
import selectors
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.virtual import board_root, processes, server
from jetbench.virtual.counters import pass_time
from jetbench.virtual.options import USER, BoardOptions
from jetbench.virtual.sensors import Sensors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

_TICK_S = 1.0
_NEEDED = ("awk", "base64", "flock", "gzip", "setsid", "sha256sum", "tail", "tar", "timeout")

INVENTORY_MARK = "# Virtual boards of jetbench"
"""How an inventory that this program has written begins."""


def missing_tools() -> tuple[str, ...]:
    """Programs of Linux that a sweep needs and this machine lacks (macOS lacks some).

    The boards answer without them, but cannot measure.
    """
    missing = tuple(tool for tool in _NEEDED if shutil.which(tool) is None)
    return missing if Path("/proc/self").exists() else (*missing, "/proc")


class VirtualBoard:
    """One board that is being served."""

    def __init__(self, name: str, root: Path, options: BoardOptions, door: server.Door) -> None:
        """Used by the fleet."""
        self.name = name
        self.root = root
        """The folder that holds its files."""
        self.options = options
        self._door = door
        self._sensors = Sensors(root)
        self._selector: selectors.BaseSelector | None = None

    @property
    def port(self) -> int:
        """Its TCP port of 127.0.0.1."""
        return self._door.port

    @property
    def host_key(self) -> str:
        """Its public host key, type and base64."""
        return server.public_line(self._door.host_key)

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.root / board_root.HOME

    def switch_on(self, selector: selectors.BaseSelector) -> None:
        """Answer, when `selector` says so; a board that stays off does not."""
        self._selector = selector
        if not self.options.faults.stays_off:
            self.resume()

    def cut(self) -> None:
        """Close all its connections at once; what runs there goes on."""
        self._door.cut()

    def hang(self) -> None:
        """Let its connections fall silent; new ones are answered."""
        self._door.hang()

    def pause(self) -> None:
        """Refuse new connections until `resume`; those there are stay."""
        if self._selector is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._door.socket)
        self._door.shut()

    def resume(self) -> None:
        """Answer new connections again."""
        self._door.open()
        if self._selector is not None and self._door.socket not in self._selector.get_map():
            self._selector.register(self._door.socket, selectors.EVENT_READ, self)

    def reboot(self, *, in_order: bool = False) -> None:
        """Lose all connections and processes, and the clocks; the power mode stays.

        With `in_order` the processes are first told to end, and have a moment for that.
        """
        if in_order:
            processes.end_all(self.root)
        self.cut()
        processes.kill_all(self.root)
        board_root.boot(self.root, self.options)

    def accept(self) -> None:
        """Take a connection that waits."""
        self._door.accept()

    def tick(self, elapsed_s: float) -> None:
        """Let time pass for its sensors, and for a neighbour on its cores."""
        self._sensors.tick(elapsed_s)
        if self.options.faults.cpu_neighbour:
            pass_time(self.root, neighbour=True)

    def close(self) -> None:
        """End its connections and everything that runs on it."""
        self._door.close()
        processes.kill_all(self.root)


class VirtualFleet:
    """Virtual boards, from ``__enter__`` to ``__exit__``.

    Keys, ports and what the boards keep (power mode, files) stay in `directory`: a fleet that
    is made there again is the same fleet. Nothing outside of it is written.
    """

    def __init__(
        self,
        boards: int,
        directory: Path,
        options: BoardOptions | Sequence[BoardOptions] | None = None,
    ) -> None:
        """Make the boards' files and take their ports.

        Args:
            boards: How many.
            directory: Where everything is kept; made if need be, for this user only.
            options: One for all boards, which then alternate between the two JetPacks and
                differ in their noise, or one for each.

        Raises:
            UsageError: there are no ports for so many boards.
        """
        server.quieten()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)
        self.directory = directory.resolve()
        self.key = self.directory / "id_ed25519"
        """The private key that every board lets in."""
        self.known_hosts = self.directory / "known_hosts"
        """Holds the host keys of all boards."""
        self.boards = tuple(self._make(_each(options, boards)))
        lines = [f"[{server.HOST}]:{board.port} {board.host_key}\n" for board in self.boards]
        self.known_hosts.write_text("".join(lines), encoding="ascii")
        ports = {board.name: board.port for board in self.boards}
        (self.directory / "ports.json").write_text(json.dumps(ports), encoding="ascii")
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="virtual boards", daemon=True)

    def _make(self, options: Sequence[BoardOptions]) -> list[VirtualBoard]:
        user_key = server.load_or_make_key(self.key)
        try:
            ports = json.loads((self.directory / "ports.json").read_text(encoding="ascii"))
        except (OSError, ValueError):
            ports = {}
        made = []
        for number, option in enumerate(options, start=1):
            name = f"virt-{number:02d}"
            root = self.directory / name
            board_root.build(root, option)
            host_key = server.load_or_make_key(self.directory / f"{name}_host_ed25519")
            door = server.Door(
                root,
                host_key,
                user_key,
                port=ports.get(name, 0),
                faults=option.faults,
            )
            made.append(VirtualBoard(name, root, option, door))
        return made

    def inventory_text(self) -> str:
        """An inventory for these boards, as YAML; it names keys and boards with full paths."""
        lines = [
            f"{INVENTORY_MARK}, written by `jetbench virtual up`.",
            "defaults:",
            f"  host: {server.HOST}",
            f"  user: {USER}",
            # A JSON string is a YAML string.
            f"  key: {json.dumps(str(self.key))}",
            f"  known_hosts: {json.dumps(str(self.known_hosts))}",
            "  caffe_root: ~/project/ssd-caffe",
            "boards:",
        ]
        for board in self.boards:
            lines += [f"  {board.name}:", f"    port: {board.port}"]
            lines.append(f"    tags: [virtual, {board.options.release}]")
            if board.options.faults.cpu_only:
                lines.append("    gpu: none")
        return "\n".join(lines) + "\n"

    def __enter__(self) -> Self:
        """Switch the boards on."""
        self._selector.register(self._woken, selectors.EVENT_READ)
        for board in self.boards:
            board.switch_on(self._selector)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Switch them off, and end everything that runs on them."""
        self._waker.close()
        self._thread.join()
        for board in self.boards:
            board.close()
        self._selector.close()
        self._woken.close()

    def _serve(self) -> None:
        before = time.monotonic()
        while True:
            for key, _ in self._selector.select(_TICK_S):
                if key.data is None:
                    return
                key.data.accept()
            elapsed_s = time.monotonic() - before
            if elapsed_s >= _TICK_S:
                before += elapsed_s
                for board in self.boards:
                    board.tick(elapsed_s)


def _each(
    options: BoardOptions | Sequence[BoardOptions] | None, boards: int
) -> list[BoardOptions]:
    if options is None:
        options = BoardOptions()
    if isinstance(options, BoardOptions):
        return [options.numbered(number) for number in range(1, boards + 1)]
    if len(options) != boards:
        message = f"{boards} boards, but options for {len(options)}"
        raise ValueError(message)
    return list(options)
