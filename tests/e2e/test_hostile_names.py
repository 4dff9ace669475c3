"""Names of files, boards, tags, layers and options that are made to harm: nothing obeys them."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import NET, WITHIN_S, Done, Program

if TYPE_CHECKING:
    from pathlib import Path

BAD = "\x1b[2J\x9b31m\u202e\r\x07"
"""Clears a terminal, paints it red, turns its text round, goes back, rings."""
NAME = f"x{BAD}\n'\"$(touch pwned)`touch pwned`.prototxt"
LONG = "x" * 300
LAYERS = NET.replace('"conv"', f'"c{BAD}onv"').replace('"relu"', r'"$(touch pwned)\033[2J\n`x`"')
"""Control characters in a layer's name, as they are and as a prototxt writes them."""
NETS = {
    "odd": LAYERS,
    "unknown": LAYERS.replace("Convolution", f"Conv{BAD}"),
    "wrong": LAYERS.replace("num_output: 16", f"num_output: 16 {BAD}: 5"),
    "misspelt": LAYERS.replace("num_output", f"num{BAD}"),
}
COMMANDS = (
    ("patch", "MODEL", "-o", "out"),
    ("patch", "MODEL", "--batch", "10", "-o", "out"),
    ("patch", "~nobody-at-all/MODEL"),
    ("patch", "MODEL", "--shape", f"{BAD}=1x3"),
    ("patch", "MODEL", "-o", f"none{BAD}/x"),
    ("patch", "missing-MODEL"),
    ("estimate", "MODEL"),
    ("estimate", "MODEL", "--format", "markdown"),
    ("estimate", "MODEL", "--format", "json"),
    ("estimate", "MODEL", "--until", BAD),
    ("parse", "MODEL"),
    ("parse", "MODEL", "--format", "csv"),
    ("parse", "missing-MODEL"),
    ("compare", "MODEL", "MODEL"),
    ("compare", f"none{BAD}", "latest"),
    ("run", "MODEL", "--dry-run"),
    ("run", "MODEL", "MODEL", "--dry-run"),
    ("run", "board:MODEL", "--dry-run"),
    ("run", f"board:../../{BAD}", "--dry-run"),
    ("run", "vgg16", "-i", "MODEL"),
    ("run", "vgg16", "--plan", "MODEL"),
    ("run", "vgg16", "-b", BAD),
    ("run", "vgg16", "-b", f"@{BAD}"),
    ("run", "vgg16", "--power-mode", BAD),
    ("run", "vgg16", "--stage", BAD),
    ("run", "vgg16", "--results", "MODEL/x"),
    ("run", "vgg16", "-o", f"none{BAD}/x"),
    ("init", "-i", f"none{BAD}/inventory.yaml"),
    ("init", "-i", "MODEL"),
)
INVENTORIES = (
    "boards:\n  {}: {{host: h}}\n",
    "boards:\n  a: {{host: h, tags: [{}]}}\n",
    "boards:\n  a: {{host: h, {}: 1}}\n",
    "boards:\n  a: {{host: h, env: {{{}: 1}}}}\n",
    "boards:\n  a: {{host: h, env: {{A: {}}}}}\n",
    "boards:\n  a: {{host: {}}}\n",
    "boards:\n  a: {{host: h, port: {}}}\n",
    "boards:\n  a: {{host: h, jump: {}}}\n",
    "boards:\n  a: {{host: h, caffe_root: {}}}\n",
    "{}: 1\nboards:\n  a: {{host: h}}\n",
)
BOARDS = (BAD, "../../etc/x", "-rf", "$(reboot)", "a\nb", "模型", LONG, "a b", "", ".", "..")


def assert_harmless(done: Done, folder: Path) -> None:
    """Nothing that it says moves a cursor, and nothing was run."""
    for text in (done.out, done.err):
        assert all(line.isprintable() for line in text.split("\n")), repr(text)
    assert not list(folder.rglob("pwned"))


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: ascii(" ".join(words)))
def test_no_command_obeys_a_name(jetbench: Program, arguments: tuple[str, ...]) -> None:
    """Of a file, an input, a layer, a board, a tag, a mode or a folder."""
    jetbench.net(NAME, NETS["odd"])
    done = jetbench(*(word.replace("MODEL", NAME) for word in arguments))
    assert_harmless(done, jetbench.folder)


@pytest.mark.parametrize("net", [net for net in NETS if net != "odd"])
@pytest.mark.parametrize("command", [("patch", "-o", "out"), ("estimate",), ("run", "--dry-run")])
def test_no_command_obeys_a_net_that_is_none(
    jetbench: Program, command: tuple[str, ...], net: str
) -> None:
    """Its layer is of a type that nobody knows, or its text is damaged."""
    jetbench.net(NAME, NETS[net])
    assert_harmless(jetbench(*command, NAME), jetbench.folder)


@pytest.mark.parametrize("word", [LONG, f"x={LONG}"], ids=["name", "named"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "WORD", "--dry-run"),
        ("patch", "WORD"),
        ("estimate", "WORD"),
        ("parse", "WORD"),
        ("compare", "WORD", "WORD"),
        ("patch", "vgg16", "-o", "WORD"),
        ("run", "vgg16", "--dry-run", "-o", "WORD"),
        ("run", "vgg16", "--dry-run", "-i", "WORD"),
        ("run", "vgg16", "--dry-run", "--plan", "WORD"),
        ("run", "vgg16", "--results", "WORD"),
        ("init", "-i", "WORD"),
        ("virtual", "up", "--inventory", "WORD"),
    ],
    ids=" ".join,
)
def test_a_name_that_no_disk_can_hold_is_refused(
    jetbench: Program, arguments: tuple[str, ...], word: str
) -> None:
    """In one message, whatever it was to be the name of."""
    done = jetbench(*(each.replace("WORD", word) for each in arguments))
    assert done.status in {1, 2}
    assert done.err.startswith("error: ")


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_no_log_is_obeyed(jetbench: Program, form: str) -> None:
    """Layers, shapes and failures of a log may be called anything."""
    begin = "I1126 05:00:00.000000  1 "
    lines = [
        f'{begin}net.cpp:53] Initializing net from parameters: \nname: "{BAD}"\nlayer {{',
        f'  name: "{BAD}"\n  type: "Input"\n  top: "{BAD}"\n}}',
        f"{begin}net.cpp:86] Creating Layer {BAD}",
        f"{begin}net.cpp:382] {BAD} -> {BAD}",
        f"{begin}caffe.cpp:404] *** Benchmark begins ***",
        f"{begin}caffe.cpp:405] {BAD.strip()}\tforward: 1 ms.",
        f"{begin}caffe.cpp:412] Average Forward pass: 7 ms.",
        f"F1126 05:00:00.000000  1 x.cpp:3] Check failed: {BAD}",
    ]
    for kept, status in ((lines, 0), ([*lines[:-2], lines[-1]], 1)):
        (jetbench.folder / NAME).write_text("\n".join(kept) + "\n", newline="")
        done = jetbench("parse", NAME, "--format", form)
        assert done.status == status
        assert_harmless(done, jetbench.folder)


@pytest.mark.parametrize("text", INVENTORIES)
def test_no_message_of_an_inventory_obeys_it(jetbench: Program, text: str) -> None:
    """Names, tags, keys and values with control characters are refused, and told escaped."""
    (jetbench.folder / "boards.yaml").write_text(text.format(json.dumps(BAD)))
    done = jetbench("boards", "list", "-i", "boards.yaml")
    assert done.status == 2
    assert_harmless(done, jetbench.folder)


@pytest.mark.parametrize("name", BOARDS, ids=ascii)
def test_a_board_has_a_name_that_can_be_a_folders(jetbench: Program, name: str) -> None:
    """Everything else is refused before anything is started."""
    text = f"boards:\n  {json.dumps(name)}: {{host: h}}\n"
    (jetbench.folder / "boards.yaml").write_text(text)
    done = jetbench("run", "vgg16", "-i", "boards.yaml")
    assert done.status == 2
    assert "cannot be a board's name" in done.err
    assert_harmless(done, jetbench.folder)
    assert not jetbench.results.exists()


@pytest.mark.parametrize("tag", ["@a", "a b", "a,b", "", BAD])
def test_a_tag_is_a_word(jetbench: Program, tag: str) -> None:
    """One that could not be chosen by, or moves a cursor, is refused."""
    text = f"boards:\n  a: {{host: h, tags: [{json.dumps(tag)}]}}\n"
    (jetbench.folder / "boards.yaml").write_text(text)
    assert jetbench("boards", "list", "-i", "boards.yaml").status == 2


@pytest.mark.parametrize("tag", ["$(reboot)", "-rf", "模型", "../x", "'\"`"])
def test_a_tag_may_be_any_word(jetbench: Program, tag: str) -> None:
    """It names nothing but boards to choose."""
    text = f"boards:\n  a: {{host: h, tags: [{json.dumps(tag)}]}}\n"
    (jetbench.folder / "boards.yaml").write_text(text)
    done = jetbench("boards", "list", "-i", "boards.yaml", "-b", f"@{tag}")
    assert done.status == 0, done.err
    assert tag in done.out
    assert_harmless(done, jetbench.folder)


def test_a_plan_file_cannot_name_what_a_terminal_obeys(jetbench: Program) -> None:
    """Nor a NUL, which ends a name for the system and not for Python."""
    for number, bad in enumerate((json.dumps(BAD), '"a\\0b"')):
        for key in ("models", "phase", "batch", "power_mode", "shape"):
            plan = jetbench.folder / f"{number}.yaml"
            value = f"[{bad}]" if key in {"models", "shape"} else bad
            plan.write_text(f"{key}: {value}\n" + ("" if key == "models" else "models: [vgg16]\n"))
            done = jetbench("run", "--plan", plan.name, "--dry-run")
            assert done.status == 2
            assert_harmless(done, jetbench.folder)


def test_a_name_that_is_no_text_is_shown(jetbench: Program) -> None:
    """A file's name is bytes: those that are no UTF-8 are measured and escaped as well."""
    name = os.fsdecode(b"net\xff\xfe.prototxt")
    jetbench.net(name)
    for form in ("table", "markdown", "csv", "json", "jsonl"):
        done = jetbench("run", name, "-b", "virt-01", "--repeats", "1", "--format", form)
        assert done.status == 0, done.err
        assert_harmless(done, jetbench.folder)
    for command in (("patch", name, "--diff"), ("estimate", name), ("parse", name)):
        assert_harmless(jetbench(*command), jetbench.folder)


def test_a_patched_net_on_a_terminal_is_shown_and_not_obeyed(jetbench: Program) -> None:
    """In a pipe or a file it is the file, byte for byte."""
    net = jetbench.net("net.prototxt", LAYERS)
    wanted = net.read_bytes().replace(b"dim: 10", b"dim: 1")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "jetbench", "patch", net.name],
        cwd=jetbench.folder,
        env=jetbench.environment,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        shown = b""
        while piece := read(ours):
            shown += piece
        assert process.wait(WITHIN_S) == 0
    os.close(ours)
    lines = shown.decode().replace("\r\n", "\n").splitlines()
    assert all(line.isprintable() for line in lines)
    assert r'name: "c\x1b[2J' in shown.decode()
    jetbench("patch", net.name, "-o", "out")
    assert (jetbench.folder / "out").read_bytes() == wanted


def read(terminal: int) -> bytes:
    """What comes next; nothing where its other end is closed."""
    if not select.select([terminal], [], [], WITHIN_S)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
