"""Which servers lie on the way to a board, by the inventory and by ssh_config."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.board import Board
from jetbench.domain.errors import UnreachableError
from jetbench.remote.address import Addresses, Hop, _destination

if TYPE_CHECKING:
    from pathlib import Path


def route(home: Path, text: str, board: Board) -> tuple[Hop, ...]:
    """The way to a board where ssh_config is `text`."""
    config = home / "ssh_config"
    config.write_text(text)
    return Addresses(config).route(board)


def test_without_a_word_of_ssh_config_the_defaults_of_ssh_hold(home: Path) -> None:
    """The user of this machine, port 22, the files of ~/.ssh."""
    (hop,) = route(home, "", Board("b", "TX2.lab"))
    assert str(hop) == f"{getpass.getuser()}@tx2.lab:22"
    assert hop.known_as == "tx2.lab"
    assert hop.known_hosts[0] == home / ".ssh" / "known_hosts"
    assert home / ".ssh" / "id_ed25519" in hop.default_keys
    assert (hop.key, hop.named_keys, hop.offers_agent) == (None, (), True)
    assert hop.agent_socket is None


def test_an_alias_gets_what_ssh_config_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens and variables are expanded, and nothing weakens the check of host keys."""
    monkeypatch.setenv("LAB", "north")
    text = """
        Host lab
          HostName %h.example.org
          Port 2222
          User nvidia
          IdentityFile ~/keys/%r_%n
          IdentityFile %d/${LAB}
          IdentitiesOnly yes
          IdentityAgent none
          UserKnownHostsFile ~/a "/tmp/b c"
          StrictHostKeyChecking no
    """
    (hop,) = route(home, text, Board("b", "lab"))
    assert str(hop) == "nvidia@lab.example.org:2222"
    assert hop.known_as == "[lab.example.org]:2222"
    assert hop.named_keys == (home / "keys" / "nvidia_lab", home / "north")
    assert hop.default_keys == ()
    assert not hop.offers_agent
    assert [str(path) for path in hop.known_hosts] == [f"{home}/a", "/tmp/b c"]


def test_the_inventory_has_the_first_word(home: Path) -> None:
    """Host keys, port, user and key; a named key is the only one."""
    text = "Host *\n Port 1\n User u\n IdentityFile ~/x\n UserKnownHostsFile ~/y\n"
    board = Board("b", "h", port=22, user="me", key="~/k", known_hosts="~/kh")
    (hop,) = route(home, text, board)
    assert str(hop) == "me@h:22"
    assert (hop.key, hop.offers_agent) == (home / "k", False)
    assert hop.known_hosts == (home / "kh",)


def test_a_host_key_alias_is_looked_up_without_a_port(home: Path) -> None:
    """As in ssh."""
    (hop,) = route(home, "Host *\n HostKeyAlias Lab\n Port 2222\n", Board("b", "h"))
    assert hop.known_as == "lab"


@pytest.mark.parametrize(
    ("text", "jump", "hosts", "command"),
    [
        ("Host b\n ProxyJump j\n", None, ["j", "b"], None),
        ("Host b\n ProxyJump none\nHost *\n ProxyJump j\n", None, ["b"], None),
        ("Host *\n ProxyJump j\n", None, ["j", "b"], None),
        ("Host *\n ProxyJump j\n", "none", ["b"], None),
        ("Host *\n ProxyJump j\n", "k", ["j", "k", "b"], None),
        ("Host b\n ProxyJump j,k\nHost j\n ProxyJump i\n", None, ["i", "j", "k", "b"], None),
        ("Host b\n ProxyCommand nc %h %p\n ProxyJump j\n", None, ["b"], "nc b 22"),
        ("Host b\n ProxyJump j\n ProxyCommand nc\n", None, ["j", "b"], None),
        ("Host b\n ProxyCommand none\nHost *\n ProxyJump j\n", None, ["b"], None),
        ("Host b\n ProxyCommand nc\n", "j", ["j", "b"], None),
        ("Host j\n ProxyCommand nc %%%h\n", "j", ["j", "b"], "nc %j"),
    ],
)
def test_ways(
    home: Path, text: str, jump: str | None, hosts: list[str], command: str | None
) -> None:
    """Jump hosts and proxy commands, of which the first that is found counts."""
    hops = route(home, text, Board("x", "b", jump=jump))
    assert [hop.host for hop in hops] == hosts
    assert hops[0].proxy_command == command
    assert all(hop.proxy_command is None for hop in hops[1:])


def test_a_circle_of_jump_hosts_is_told(home: Path) -> None:
    """Instead of going round for ever."""
    text = "Host a\n ProxyJump b\nHost b\n ProxyJump a\n"
    with pytest.raises(UnreachableError, match="circle"):
        route(home, text, Board("x", "a"))


def test_a_jump_host_of_the_inventory_is_offered_the_boards_key_too(home: Path) -> None:
    """There is no other place to name one."""
    board = Board("x", "b", jump="u@j:2200", key="~/k", known_hosts="~/kh")
    jump, _ = route(home, "", board)
    assert str(jump) == "u@j:2200"
    assert (jump.key, jump.named_keys) == (None, (home / "k",))
    assert jump.default_keys
    assert jump.known_hosts == (home / "kh", home / ".ssh/known_hosts", home / ".ssh/known_hosts2")


def test_included_files_stand_in_the_place_of_the_include(home: Path) -> None:
    """With patterns, relative to ~/.ssh; the block goes on after it."""
    folder = home / ".ssh" / "config.d"
    folder.mkdir()
    (folder / "1.conf").write_text("Host a\n User one\n")
    (folder / "2.conf").write_text("Host b\n User two\n")
    text = "Include config.d/*.conf nothing\nHost c\n Include config.d/1.conf\n User three\n"
    users = [route(home, text, Board("x", name))[0].user for name in ("a", "b", "c")]
    assert users == ["one", "two", "three"]


def test_both_files_are_read_where_none_is_named(home: Path) -> None:
    """The user's comes first."""
    (home / ".ssh" / "config").write_text("Host lab\n User nvidia\n")
    assert Addresses().route(Board("b", "lab"))[0].user == "nvidia"


@pytest.mark.parametrize(
    "text",
    ["Host *\n Port many\n", "rubbish\n", "Match nonsense\n", 'Host "a\n', "Include ssh_config\n"],
)
def test_an_ssh_config_that_makes_no_sense_is_told(home: Path, text: str) -> None:
    """Each board gets one message, and no traceback."""
    if text.startswith("Include"):
        text = f"Include {home}/ssh_config\n"
    with pytest.raises(UnreachableError, match="ssh_config"):
        route(home, text, Board("b", "h"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("j", (None, "j", None)),
        ("u@j", ("u", "j", None)),
        ("u@j:22", ("u", "j", 22)),
        ("u@corp@j", ("u@corp", "j", None)),
        ("[fe80::1]:22", (None, "fe80::1", 22)),
        ("u@fe80::1", ("u", "fe80::1", None)),
        ("ssh://u@j:22/", ("u", "j", 22)),
    ],
)
def test_destinations(text: str, parts: tuple[str | None, str, int | None]) -> None:
    """``[user@]host[:port]``, as ssh -J takes it."""
    assert _destination(text) == parts


@pytest.mark.parametrize("text", ["", "@", "j:", "j:0", "j:99999", "a b:x"])
def test_what_is_no_destination_is_refused(text: str) -> None:
    """With where it may stand."""
    with pytest.raises(UnreachableError, match="jump host"):
        _destination(text)
