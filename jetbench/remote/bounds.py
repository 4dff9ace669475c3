"""What a server may send at most: limits that paramiko leaves to the other side's honesty.

A packet says itself how long it is, up to 4 GiB; a first line may be of any length; and a
channel's window binds only a server that keeps to it. Each of them would be memory of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from paramiko import SSHException, Transport
from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_EXTENDED_DATA
from paramiko.packet import Packetizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from paramiko import Channel, Message

MAX_PACKET_BYTES = 256 * 1024
"""As OpenSSH has it; RFC 4253 asks for 35,000 bytes, and our own packets have 32 KiB."""
MAX_GREETING_BYTES = 64 * 1024
"""All lines before, and with, the server's version."""
ENDLESS_GREETING = "it sends a greeting without end"


class BoundedPacketizer(Packetizer):
    """Reads no more of a packet or a greeting than there may be."""

    _greeting_bytes = 0

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:  # noqa: FBT001, FBT002 - paramiko's
        """Called with the length that the packet gives, before anything of it is there."""
        if n > MAX_PACKET_BYTES:
            message = f"it sends a packet of {n} bytes"
            raise SSHException(message)
        return super().read_all(n, check_rekey)

    def _read_timeout(self, timeout: float) -> bytes:
        """Called for each piece of the greeting, and for nothing else."""
        data: bytes = cast("Any", super())._read_timeout(timeout)  # noqa: SLF001 - as is this
        self._greeting_bytes += len(data)
        if self._greeting_bytes > MAX_GREETING_BYTES:
            raise SSHException(ENDLESS_GREETING)
        return data


def _within_window(feed: Callable[[Channel, Message], None]) -> Callable[[Channel, Message], None]:
    def checked(channel: Channel, message: Message) -> None:
        feed(channel, message)
        kept = cast("Any", channel)
        if len(kept.in_buffer) + len(kept.in_stderr_buffer) > 2 * kept.in_window_size:
            complaint = "more than it was given leave to send"
            raise SSHException(complaint)

    return checked


_HANDLERS: Mapping[int, Callable[..., None]] = vars(Transport)["_channel_handler_table"]


class BoundedTransport(Transport):
    """A connection that ends where the server sends more than it may."""

    _channel_handler_table: ClassVar[Mapping[int, Callable[..., None]]] = {
        **_HANDLERS,
        MSG_CHANNEL_DATA: _within_window(_HANDLERS[MSG_CHANNEL_DATA]),
        MSG_CHANNEL_EXTENDED_DATA: _within_window(_HANDLERS[MSG_CHANNEL_EXTENDED_DATA]),
    }
