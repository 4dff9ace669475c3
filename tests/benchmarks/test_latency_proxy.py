"""The proxy that benchmarks and fault tests put between a client and a board."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.latency_proxy import IN_FLIGHT_BYTES, LatencyProxy, round_trips

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "latency_proxy.py"
WITHIN_S = 20


def answer(connection: socket.socket) -> None:
    """Sends back all that comes, in pieces as it comes, and its end."""
    with connection:
        try:
            while piece := connection.recv(65_536):
                connection.sendall(piece)
        except ConnectionError:
            pass


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """The address of a server that sends back all it receives."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)


def connect(proxy: LatencyProxy) -> socket.socket:
    """A client of the proxy that never waits for ever."""
    return socket.create_connection((proxy.host, proxy.port), timeout=WITHIN_S)


def receive(client: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    received = bytearray()
    while len(received) < size:
        piece = client.recv(size - len(received))
        assert piece, "the connection ended early"
        received += piece
    return bytes(received)


def test_passes_everything_in_order(echo: tuple[str, int]) -> None:
    """Megabytes come back unchanged, then the end, and both directions are counted."""
    sent = os.urandom(3_000_000)
    with LatencyProxy(*echo, one_way_s=0.01) as proxy, connect(proxy) as client:

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        threading.Thread(target=send, daemon=True).start()
        received = receive(client, len(sent))
        assert client.recv(1) == b""
        assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest()
        counts = proxy.counts
    assert (counts.connections, counts.bytes_to_target, counts.bytes_to_client) == (
        1,
        len(sent),
        len(sent),
    )


def test_adds_its_delay_and_keeps_pieces_flowing(echo: tuple[str, int]) -> None:
    """One round trip takes at least the delay; many pieces on their way share it."""
    with LatencyProxy(*echo, one_way_s=0.1) as proxy, connect(proxy) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(b"-")
        receive(client, 1)
        started_s = time.monotonic()
        for _ in range(50):
            client.sendall(b"piece")
            time.sleep(0.002)
        receive(client, 250)
        took_s = time.monotonic() - started_s
    assert took_s >= 0.2
    assert took_s < 50 * 0.2, "each piece has waited for the one before"


def test_counts_round_trips(echo: tuple[str, int]) -> None:
    """A job of three questions takes four round trips: the handshake is one."""

    def job(host: str, port: int) -> None:
        with socket.create_connection((host, port), timeout=WITHIN_S) as client:
            for question in (b"one", b"two", b"three"):
                client.sendall(question)
                receive(client, len(question))

    assert round(round_trips(job, *echo)) == 4


def test_cut_resets_what_is_open_only(echo: tuple[str, int]) -> None:
    """After a cut the client sees a reset, and can connect again."""
    with LatencyProxy(*echo) as proxy:
        with connect(proxy) as client:
            client.sendall(b"before")
            receive(client, 6)
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with connect(proxy) as client:
            client.sendall(b"after")
            assert receive(client, 5) == b"after"
            assert proxy.counts.connections == 2


def test_stall_holds_until_resumed(echo: tuple[str, int]) -> None:
    """While stalled nothing comes, nor does the connection end; then all of it comes."""
    with LatencyProxy(*echo) as proxy, connect(proxy) as client:
        client.sendall(b"before")
        receive(client, 6)
        proxy.stall()
        client.sendall(b"while stalled")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(WITHIN_S)
        proxy.resume()
        assert receive(client, 13) == b"while stalled"


def test_connecting_while_stalled_waits(echo: tuple[str, int]) -> None:
    """A new connection of a stalled link gets no answer until it flows again."""
    with LatencyProxy(*echo) as proxy:
        proxy.stall()
        with connect(proxy) as client:
            client.sendall(b"hello")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(WITHIN_S)
            proxy.resume()
            assert receive(client, 5) == b"hello"


def test_cut_while_stalled(echo: tuple[str, int]) -> None:
    """A stalled link can be cut too, with what it held, and be used again afterwards."""
    with LatencyProxy(*echo) as proxy, connect(proxy) as client:
        client.sendall(b"before")
        receive(client, 6)
        proxy.stall()
        client.sendall(b"lost")
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        proxy.resume()
        with connect(proxy) as second:
            second.sendall(b"after")
            assert receive(second, 5) == b"after"


def test_lowering_the_delay_does_not_reorder(echo: tuple[str, int]) -> None:
    """What came under the longer delay still arrives first."""
    with LatencyProxy(*echo, one_way_s=0.2) as proxy, connect(proxy) as client:
        client.sendall(b"slow")
        time.sleep(0.05)
        proxy.set_delay(0.0)
        client.sendall(b"fast")
        assert receive(client, 8) == b"slowfast"


def test_target_that_refuses() -> None:
    """A target that is off looks like a reset connection, and the proxy goes on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with LatencyProxy("127.0.0.1", port) as proxy:
        for _ in range(2):
            with pytest.raises(ConnectionResetError), connect(proxy) as client:
                client.recv(1)


def test_reader_that_lags_is_not_swamped() -> None:
    """A target that does not read makes the client wait once a direction is full."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with LatencyProxy(host, port) as proxy, connect(proxy) as client:
            silent, _ = server.accept()
            client.settimeout(1)
            with silent, pytest.raises(TimeoutError):
                client.sendall(bytes(3 * IN_FLIGHT_BYTES))


def test_program_obeys_stdin(echo: tuple[str, int]) -> None:
    """As a program it says where it listens and answers in JSON, until end of input."""
    with subprocess.Popen(
        [sys.executable, PROGRAM, f"{echo[0]}:{echo[1]}", "--one-way-ms", "5"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        place = json.loads(process.stdout.readline())
        with socket.create_connection((place["host"], place["port"]), WITHIN_S) as client:
            client.sendall(b"hello")
            receive(client, 5)
            process.stdin.write("delay 1\ncut\ncounts\nnonsense\n")
            process.stdin.flush()
            counts = json.loads(process.stdout.readline())
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert (counts["connections"], counts["bytes_to_target"]) == (1, 5)
        assert "nonsense" in json.loads(process.stdout.readline())["error"]
        process.stdin.close()
        assert process.wait(WITHIN_S) == 0
