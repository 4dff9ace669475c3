"""known_hosts files: every kind of line, and the time that many of them take."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.errors import ChangedHostKeyError, HostKeyError, UnknownHostKeyError
from jetbench.remote.hostkeys import HostKey, KnownHosts, KnownKey, _File, _matches, verify


def key(number: int, kind: str = "ssh-ed25519") -> HostKey:
    """A key that nobody has the private half of."""
    name = kind.encode()
    body = len(name).to_bytes(4, "big") + name + b"\0\0\0\x20" + number.to_bytes(32, "big")
    return HostKey(kind, body)


def line(hosts: str, which: HostKey) -> str:
    """A line of a known_hosts file."""
    return f"{hosts} {which.type} {base64.b64encode(which.blob).decode()}"


def lookup(path: Path, text: str, name: str) -> list[tuple[HostKey, int]]:
    """The keys and the lines that a file has for a name."""
    path.write_text(text)
    return [(found.key, found.line) for found in KnownHosts().lookup([path], name)]


def test_plain_names_ports_and_lists(tmp_path: Path) -> None:
    """A line may name several hosts; another port is another name."""
    path = tmp_path / "known_hosts"
    text = "\n".join([line("tx2-a,10.0.0.1", key(1)), line("[10.0.0.1]:2222", key(2)) + " note"])
    assert lookup(path, text, "tx2-a") == [(key(1), 1)]
    assert lookup(path, text, "10.0.0.1") == [(key(1), 1)]
    assert lookup(path, text, "[10.0.0.1]:2222") == [(key(2), 2)]
    assert lookup(path, text, "tx2") == []


def test_hashed_names_as_ssh_keygen_writes_them(tmp_path: Path) -> None:
    """`ssh-keygen -H` hashes a file in place."""
    path = tmp_path / "known_hosts"
    path.write_text(line("tx2-a", key(1)) + "\n" + line("[tx2-b]:2222", key(2)) + "\n")
    try:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True)
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    assert "tx2" not in path.read_text()
    assert lookup(path, path.read_text(), "tx2-a") == [(key(1), 1)]
    assert lookup(path, path.read_text(), "[tx2-b]:2222") == [(key(2), 2)]


def test_patterns_and_their_exceptions(tmp_path: Path) -> None:
    """An exception beats a match in the same line; brackets stand for themselves."""
    path = tmp_path / "known_hosts"
    text = line("*.lab,!gate.lab", key(1)) + "\n" + line("[tx2-?]:2222", key(2))
    assert lookup(path, text, "a.lab") == [(key(1), 1)]
    assert lookup(path, text, "gate.lab") == []
    assert lookup(path, text, "[tx2-7]:2222") == [(key(2), 2)]
    assert lookup(path, text, "t:2222") == []


def test_lines_that_cannot_be_understood_are_passed_over(tmp_path: Path) -> None:
    """One bad line does not hide the good ones, whatever it holds."""
    path = tmp_path / "known_hosts"
    other_type = line("h", key(3)).replace(" ssh-ed25519 ", " ssh-rsa ")
    bad = ["", "#", "h", "h ssh-ed25519", "h ssh-ed25519 !!!", "|1|x|y k", "|1|", "@", "@revoked"]
    authority = "@cert-authority * ssh-ed25519 AAAA"
    text = "\n".join([*bad, other_type, authority, "\t" + line("H", key(9)).replace(" ", "\t")])
    assert lookup(path, text, "h") == [(key(9), len(bad) + 3)]


def test_files_that_are_missing_or_folders_name_no_keys(tmp_path: Path) -> None:
    """As for ssh."""
    assert KnownHosts().lookup([tmp_path / "nothing", tmp_path], "h") == ()


def test_a_key_is_compared_with_what_is_known() -> None:
    """Known, unknown, changed, of another type, revoked."""
    place = Path("known")

    def check(shown: HostKey, *known: KnownKey) -> None:
        verify(shown, known, name="h", board="tx2-01")

    check(key(1), KnownKey(key(2), place, 1), KnownKey(key(1), place, 2))
    with pytest.raises(UnknownHostKeyError):
        check(key(1))
    with pytest.raises(ChangedHostKeyError, match="known:3"):
        check(key(1), KnownKey(key(5, "ssh-rsa"), place, 2), KnownKey(key(2), place, 3))
    with pytest.raises(ChangedHostKeyError, match="known:2"):
        check(key(1), KnownKey(key(5, "ssh-rsa"), place, 2))
    with pytest.raises(HostKeyError, match="REVOKED by known:1"):
        check(key(1), KnownKey(key(1), place, 1, revoked=True), KnownKey(key(1), place, 2))
    with pytest.raises(UnknownHostKeyError):
        check(key(1), KnownKey(key(2), place, 1, revoked=True))


def test_adding_keeps_what_is_there(tmp_path: Path) -> None:
    """Also where the last line lacks its end; a revoked line is not a trusted one."""
    path = tmp_path / "folder" / "known_hosts"
    store = KnownHosts()
    assert store.add(path, "a", key(1))
    path.write_text(path.read_text() + line("@revoked b", key(2)))
    assert store.add(path, "b", key(2))
    assert not store.add(path, "a", key(1))
    assert store.add(path, "a", key(3), hash_name=True)
    assert not store.add(path, "a", key(3))
    lines = path.read_text().splitlines()
    assert lines[:3] == [line("a", key(1)), line("@revoked b", key(2)), line("b", key(2))]
    assert lines[3].startswith("|1|")
    assert [found.key for found in store.lookup([path], "a")] == [key(1), key(3)]


def test_three_thousand_lines_of_each_kind(tmp_path: Path) -> None:
    """Each host finds its own key."""
    path = tmp_path / "known_hosts"
    store = KnownHosts()
    text = [line(f"host-{number}", key(number)) for number in range(3000)]
    path.write_text("\n".join(text))
    for number in (0, 1500, 2999):
        assert [found.key for found in store.lookup([path], f"host-{number}")] == [key(number)]


@given(st.text(alphabet="ab*?!,|[]:.# @\t\n=1", max_size=60), st.text("ab.[]:1", max_size=8))
def test_no_text_breaks_the_reading(text: str, name: str) -> None:
    """Whatever stands in the file."""
    for found in _File.parse(text).lines(name):
        found.key()


@given(st.text("ab.", max_size=8))
def test_a_name_without_wildcards_matches_only_itself(name: str) -> None:
    """And never where the same name is excluded."""
    assert _matches([name], name)
    assert not _matches([name, f"!{name}"], name)
    assert not _matches([name + "x"], name)
