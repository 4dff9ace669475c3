"""A TCP proxy that adds latency, or a fault, between a client and a board.

A delay line in each direction: every piece of data is handed on one delay after it came,
in order, however many are on their way, so throughput stays what it was. As a program it
serves until end of input and obeys commands on stdin, one a line::

    python benchmarks/latency_proxy.py 127.0.10.1:22 --one-way-ms 50
    {"host": "127.0.0.1", "port": 40123}
    cut            drop all connections at once; new ones may come
    stall          pass nothing on, keep everything open
    resume         pass on what was held, and go on
    delay 100      the latency of one direction, in ms, from now on
    counts         print how much went through, as JSON

In its own process it costs the client it is measured with nothing. As a library,
`LatencyProxy` runs in a thread, and `round_trips` counts the round trips of a job by
running it at two latencies.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from typing_extensions import Self

_T = TypeVar("_T")

PIECE_BYTES = 65_536
IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""What a direction holds before it stops reading: 64 MiB is 1 Gbit/s at half a second."""
ANSWER_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What has gone through a proxy since it started."""

    connections: int
    """Accepted so far, refused by the target or not."""
    open: int
    bytes_to_target: int
    bytes_to_client: int


class _Line:
    """One direction of a connection: what is on its way, and when each piece is due."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._held_bytes = 0
        self._last_due_s = 0.0

    async def put(self, due_s: float, piece: bytes) -> None:
        """Takes a piece; no piece overtakes another. Returns when there is room for more."""
        self._last_due_s = max(due_s, self._last_due_s)
        self._held_bytes += len(piece)
        self._pieces.put_nowait((self._last_due_s, piece))
        if self._held_bytes > IN_FLIGHT_BYTES:
            self._room.clear()
            await self._room.wait()

    async def get(self) -> bytes:
        """The next piece, once it is due; empty at the end."""
        due_s, piece = await self._pieces.get()
        wait_s = due_s - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        self._held_bytes -= len(piece)
        if self._held_bytes <= IN_FLIGHT_BYTES:
            self._room.set()
        return piece


class LatencyProxy:
    """Listens on 127.0.0.1 and forwards each connection to a target, later.

    The handshake takes its round trip too: the target is connected to three one-way delays
    after the client was accepted (SYN, SYN+ACK, ACK), as on a real link of that length.

    Args:
        host: The target's address.
        port: The target's port.
        one_way_s: The delay of each direction; a round trip takes twice as long.

    Used as a context manager; all methods may be called from any thread.
    """

    def __init__(self, host: str, port: int, *, one_way_s: float = 0.0) -> None:
        self._target = (host, port)
        self._one_way_s = one_way_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._connections = 0
        self._passed_bytes = {"target": 0, "client": 0}
        self.host = "127.0.0.1"
        self.port = 0
        """The port to connect to; 0 until the proxy is entered."""

    def __enter__(self) -> Self:
        """Starts to listen."""
        self._thread.start()
        self._server = self._call(
            asyncio.start_server(self._accept, self.host, 0, limit=PIECE_BYTES, backlog=512)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops listening and drops what is open."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_WITHIN_S)
        self._loop.close()

    def cut(self) -> None:
        """Drops all connections abruptly (RST), with what was on its way. New ones may come."""
        self._call(self._cut())

    def stall(self) -> None:
        """Passes nothing on any more and keeps everything open, like a cable pulled out."""
        self._call(self._set_flowing(flowing=False))

    def resume(self) -> None:
        """Ends a stall; what was held is passed on."""
        self._call(self._set_flowing(flowing=True))

    def set_delay(self, one_way_s: float) -> None:
        """Changes the delay of what comes from now on."""
        self._one_way_s = one_way_s

    @property
    def counts(self) -> Counts:
        """What has gone through until now."""
        return Counts(
            connections=self._connections,
            open=len(self._open),
            bytes_to_target=self._passed_bytes["target"],
            bytes_to_client=self._passed_bytes["client"],
        )

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_WITHIN_S)

    async def _set_flowing(self, *, flowing: bool) -> None:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _cut(self) -> None:
        for task, writers in self._open.items():
            for writer in writers:
                _reset(writer)
            task.cancel()

    async def _close(self) -> None:
        self._server.close()
        tasks = list(self._open)
        await self._cut()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        writers = [writer]
        task = self._loop.create_task(self._serve(reader, writers))
        self._open[task] = writers
        task.add_done_callback(self._open.pop)

    async def _serve(
        self, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]
    ) -> None:
        """Carries one connection, both ways, until both ends have nothing more to say.

        Args:
            reader: What the client says.
            writers: To the client; the one to the target is added.
        """
        handshake_s = 3 * self._one_way_s
        connected_s = self._loop.time() + handshake_s
        to_target, to_client = _Line(), _Line()
        # The client is read from at once: what it says first is on its way meanwhile.
        tasks = [self._loop.create_task(self._fill(reader, to_target, connected_s))]
        try:
            await asyncio.sleep(handshake_s)
            await self._flowing.wait()
            target_reader, target_writer = await asyncio.open_connection(
                *self._target, limit=PIECE_BYTES
            )
            writers.append(target_writer)
            tasks += [
                self._loop.create_task(work)
                for work in (
                    self._drain(to_target, target_writer, "target"),
                    self._fill(target_reader, to_client),
                    self._drain(to_client, writers[0], "client"),
                )
            ]
            await asyncio.gather(*tasks)
        except (OSError, asyncio.CancelledError):
            for writer in writers:
                _reset(writer)
        finally:
            for task in tasks:
                task.cancel()
            for writer in writers:
                writer.close()

    async def _fill(
        self, reader: asyncio.StreamReader, line: _Line, not_before_s: float = 0.0
    ) -> None:
        piece = b"-"
        while piece:
            piece = await reader.read(PIECE_BYTES)
            await line.put(max(self._loop.time() + self._one_way_s, not_before_s), piece)

    async def _drain(
        self, line: _Line, writer: asyncio.StreamWriter, to: Literal["target", "client"]
    ) -> None:
        while piece := await line.get():
            await self._flowing.wait()
            writer.write(piece)
            await writer.drain()
            self._passed_bytes[to] += len(piece)
        await self._flowing.wait()
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes a connection so that the peer sees a reset, not an end."""
    sock: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it is closed already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def round_trips(
    job: Callable[[str, int], object],
    host: str,
    port: int,
    *,
    one_way_s: tuple[float, float] = (0.02, 0.1),
    repeats: int = 3,
) -> float:
    """Counts the round trips in which a job waits for the other side.

    The job runs through a proxy at two latencies; what it does besides takes equally long
    at both, so the difference of the times is that of the latencies, once a round trip.
    The connection's own handshake counts as one.

    Args:
        job: Is called with the address and the port to connect to.
        host: The target's address.
        port: The target's port.
        one_way_s: Both delays of one direction, the lower first.
        repeats: The fastest of so many runs counts.

    Returns:
        The number of round trips; near a whole number where nothing overlaps.
    """
    fastest_s: list[float] = []
    for delay_s in one_way_s:
        with LatencyProxy(host, port, one_way_s=delay_s) as proxy:
            walls_s = []
            for _ in range(repeats):
                started_s = time.perf_counter()
                job(proxy.host, proxy.port)
                walls_s.append(time.perf_counter() - started_s)
            fastest_s.append(min(walls_s))
    low_s, high_s = fastest_s
    return (high_s - low_s) / (2 * (one_way_s[1] - one_way_s[0]))


def main(arguments: list[str] | None = None) -> None:
    """Serves until end of input, obeying the commands on stdin."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", help="HOST:PORT to forward to")
    parser.add_argument("--one-way-ms", type=float, default=0.0, help="delay of a direction")
    options = parser.parse_args(arguments)
    host, _, port = options.target.rpartition(":")
    with LatencyProxy(host, int(port), one_way_s=options.one_way_ms / 1000) as proxy:
        _say({"host": proxy.host, "port": proxy.port})
        for line in sys.stdin:
            match line.split():
                case ["cut"]:
                    proxy.cut()
                case ["stall"]:
                    proxy.stall()
                case ["resume"]:
                    proxy.resume()
                case ["delay", one_way_ms]:
                    proxy.set_delay(float(one_way_ms) / 1000)
                case ["counts"]:
                    _say(asdict(proxy.counts))
                case _:
                    _say({"error": f"unknown command: {line.strip()}"})


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
