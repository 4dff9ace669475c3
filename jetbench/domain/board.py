"""A board as the inventory describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gpu = int | Literal["none"]
"""A CUDA device number, or ``"none"`` for Caffe on the CPU."""


@dataclass(frozen=True, slots=True)
class Board:
    """One board of the inventory, defaults already merged in.

    Paths are as the user wrote them: those of this machine (`key`, `known_hosts`) may
    start with ``~``, those of the board (`caffe_root`, `caffe`) mean the board's home.
    A key that the inventory leaves out is None, so that ssh_config may still decide.
    """

    name: str
    """What the inventory calls it."""
    host: str
    """An address, a DNS name, or an alias of ssh_config."""
    port: int | None = None
    """Of its SSH server."""
    user: str | None = None
    """The login name on the board."""
    key: str | None = None
    """The private key file on this machine."""
    jump: str | None = None
    """``[user@]host[:port]``, several hops separated by commas, or ``none``."""
    known_hosts: str | None = None
    """The known_hosts file on this machine that vouches for the board."""
    tags: tuple[str, ...] = ()
    """Words to choose boards by."""
    site: str | None = None
    """Which worker can reach it."""
    caffe_root: str | None = None
    """The folder on the board that has ``build/tools/caffe``."""
    caffe: str | None = None
    """The ``caffe`` program itself, on the board."""
    gpu: Gpu | None = None
    """The CUDA device, or ``none`` for the CPU."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment variables for ``caffe`` on the board."""
    sudo: str = "auto"
    """``auto | nopasswd | prompt | env:VARIABLE | command:…``; never a password."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All boards of an inventory, in the order of the file."""

    source: str
    """The file's name, for messages."""
    boards: tuple[Board, ...]
