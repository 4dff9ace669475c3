"""Wrong models, inventories and flags: one message, exit code 2, and nothing started."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import NET, Program

if TYPE_CHECKING:
    from pathlib import Path

MISTAKES = {
    "a misspelt key": ("boards:\n  a:\n    host: h\n    usr: me\n", ":4", "user"),
    "an address twice": ("boards:\n  a: {host: h}\n  b: {host: h}\n", ":3", ""),
    "a password": ("boards:\n  a:\n    host: h\n    sudo: hunter2\n", ":4", ""),
    "nothing": ("", "", ""),
}


def refused(jetbench: Program, *arguments: str | Path) -> str:
    """What is said where nothing is started: an error of one line, and perhaps a hint."""
    done = jetbench("run", *arguments)
    assert done.status == 2, done.err
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: "))
    assert not jetbench.results.exists()
    return done.err


def test_a_model_that_is_none_is_named_with_its_line(jetbench: Program) -> None:
    """Empty, cut off, binary, or a web page: the message says which, and where."""
    (jetbench.folder / "net.caffemodel").write_bytes(bytes(range(256)) * 40)
    jetbench.net("empty.prototxt", "")
    jetbench.net("cut.prototxt", NET[:-20])
    jetbench.net("page.prototxt", "<!DOCTYPE html>\n<html></html>\n")
    jetbench.net("fraction.prototxt", NET.replace("10", "10.5"))
    assert "empty.prototxt: the file is empty" in refused(jetbench, "empty.prototxt")
    assert "net.caffemodel: this is a binary file" in refused(jetbench, "net.caffemodel")
    assert "cut.prototxt:" in refused(jetbench, "vgg16", "cut.prototxt")
    assert "page.prototxt:" in refused(jetbench, "page.prototxt")
    assert "fraction.prototxt:3:" in refused(jetbench, "fraction.prototxt")


def test_a_model_that_is_not_there_is_named(jetbench: Program) -> None:
    """With the nearest name; a folder needs a deploy.prototxt; a socket is no file."""
    (jetbench.folder / "nets").mkdir()
    said = refused(jetbench, "bvlc_alexnt")
    assert "did you mean bvlc_alexnet?" in said
    assert "nets is a folder without a deploy.prototxt" in refused(jetbench, "nets")
    assert "vgg16 is named twice" in refused(jetbench, "vgg16", "vgg16")
    assert "board:" in refused(jetbench, "board:")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(jetbench.folder / "door"))
        assert "door cannot be read" in refused(jetbench, "door")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_inventory_with_a_mistake_is_named_with_its_line(
    jetbench: Program, mistake: str
) -> None:
    """And the nearest right key; a password in it is not repeated."""
    text, place, near = MISTAKES[mistake]
    (jetbench.folder / "inventory.yaml").write_text(text)
    said = refused(jetbench, "vgg16", "-i", "inventory.yaml")
    assert f"inventory.yaml{place}" in said
    assert near in said
    assert "hunter2" not in said


def test_an_inventory_that_is_not_there_says_how_to_begin(jetbench: Program) -> None:
    """Named, or looked for in the usual places."""
    assert "jetbench init" in refused(jetbench, "vgg16", "-i", "missing.yaml")
    del jetbench.environment["JETBENCH_INVENTORY"]
    assert "jetbench init" in refused(jetbench, "vgg16")


@pytest.mark.parametrize(
    "flags",
    [
        ("-b", "nobody"),
        ("--batch", "1,x"),
        ("--phase", "DEPLOY"),
        ("--results", "taken"),
        ("--results", "taken/deeper"),
    ],
    ids=" ".join,
)
def test_a_wrong_flag_is_told_before_anything_starts(
    jetbench: Program, flags: tuple[str, ...]
) -> None:
    """Also a results folder that cannot be made: what cannot be kept is not measured."""
    (jetbench.folder / "taken").write_text("a file is in the way")
    said = refused(jetbench, "vgg16", *flags)
    assert flags[1].lstrip("@") in said


def test_a_power_mode_that_no_board_has_measures_nothing(jetbench: Program) -> None:
    """Only the boards know their modes: exit code 3, with the modes that there are."""
    done = jetbench("run", "vgg16", "--power-mode", "TURBO", "-b", "virt-01")
    assert done.status == 3
    assert "virt-01: it has no power mode TURBO" in done.out
    assert "0 MAXN, 1 MAXQ" in done.out
