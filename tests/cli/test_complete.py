"""What is offered when Tab is pressed: by the program itself, and in real shells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.cli.complete import mend_words
from tests.e2e.shell import PROMPT, Shell

if TYPE_CHECKING:
    from collections.abc import Callable

INVENTORY = """\
defaults: {tags: all}
boards:
  tx2-01: {host: 10.0.0.1, tags: [lab-a, fast]}
  tx2-02: {host: 10.0.0.2, tags: [lab-b], unknown_key: 1}
  "no $(touch here)": {host: 10.0.0.3}
"""
IDS = ("20260102-030405-a1b2c3", "20260103-030405-a1b2c4")
OFFERED = {
    "sta": ["status"],
    "boards ch": ["check"],
    "baseline ": ["list", "remove", "set"],
    "run --prec": ["--precision"],
    "run -b ": ["@all", "@fast", "@lab-a", "@lab-b", "tx2-01", "tx2-02"],
    "run --board tx2-01 -b @lab": ["@lab-a", "@lab-b"],
    "boards check tx": ["tx2-01", "tx2-02"],
    "boards check -i other.yaml ": ["elsewhere"],
    "results show -b tx2-01 la": ["latest", "latest~1"],
    "attach ": [
        "20260102-030405-a1b2c3",
        "20260103-030405-a1b2c4",
        "latest",
        "latest~1",
        "nightly",
    ],
    "attach --results nowhere ": [],
    "compare latest 20260103": ["20260103-030405-a1b2c4"],
    "run --baseline ": ["nightly"],
    "baseline remove n": ["nightly"],
    "run --resume lat": ["latest", "latest~1"],
    "run vgg": ["vgg16", "vgg19"],
    "estimate ne": ["net.prototxt", "nets/"],
    "run nets/": ["nets/deploy.prototxt", "nets/inner/"],
    "run nets/nowhere/": [],
    "run --power-mode 0,MAXQ,k": [],
    "run --power-mode k": ["keep"],
    "run --power-mode 0,MAXN": ["0,MAXN"],
    "results export --format ": ["csv", "jsonl", "markdown", "parquet"],
    "history alexn": [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which somebody works."""
    here = tmp_path / "here"
    for path in ("nets/inner", "empty", *(f"jetbench-results/{number}" for number in IDS)):
        (here / path).mkdir(parents=True)
    for path in ("net.prototxt", "nets/deploy.prototxt", "nets/.hidden.prototxt", "net.txt"):
        (here / path).touch()
    for number in IDS:
        (here / "jetbench-results" / number / "plan.json").touch()
    names = {"schema": 1, "names": {"nightly": IDS[0]}}
    (here / "jetbench-results" / "names.json").write_text(json.dumps(names))
    (here / "inventory.yaml").write_text(INVENTORY)
    (here / "other.yaml").write_text("boards: {elsewhere: {host: a}}")
    return here


@pytest.fixture
def offered(folder: Path) -> Callable[[str], list[str]]:
    """What fish is told, in this order, of what was typed behind ``jetbench``."""

    def ask(typed: str) -> list[str]:
        environment = {
            name: text for name, text in os.environ.items() if not name.startswith("JETBENCH_")
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("jetbench")],
            cwd=folder,
            env={
                **environment,
                "HOME": str(folder),
                "_JETBENCH_COMPLETE": "complete_fish",
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
                "_TYPER_COMPLETE_ARGS": f"jetbench {typed}",
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return sorted(line.partition("\t")[0] for line in done.stdout.split("\n") if line)

    return ask


@pytest.mark.parametrize("typed", OFFERED)
def test_what_could_come_next_is_offered(offered: Callable[[str], list[str]], typed: str) -> None:
    """Commands, options and values; nothing that a shell would run, and no word of a problem."""
    assert offered(typed) == OFFERED[typed]


@pytest.mark.parametrize(
    "text",
    ["", "boards: [", "boards: 7", "boards: {a: {tags: {}}}\ndefaults: []", "\0", "\xff" * 9],
)
def test_a_damaged_file_offers_nothing_and_says_nothing(
    folder: Path, offered: Callable[[str], list[str]], text: str
) -> None:
    """Of boards and of names; and where there is none at all."""
    (folder / "inventory.yaml").write_text(text, encoding="latin-1")
    (folder / "jetbench-results" / "names.json").write_text(text, encoding="latin-1")
    assert offered("run -b ") == (["a"] if "a:" in text else [])
    assert offered("attach n") == []
    (folder / "inventory.yaml").unlink()
    shutil.rmtree(folder / "jetbench-results")
    assert offered("run -b ") == offered("attach ") == []


@pytest.mark.parametrize(
    ("words", "mended"),
    [
        (["run", "-b", "@", "la"], ["run", "-b", "@la"]),
        (["run", "-b", "@"], ["run", "-b", "@"]),
        (["run", "--board", "=", "tx"], ["run", "--board=tx"]),
        (["run", "--board", "=@", "la"], ["run", "--board=@la"]),
        (["run", "--board", "="], ["run", "--board="]),
        (["run", "-b", "@", "a", "v"], ["run", "-b", "@a", "v"]),
        (["run", "v", ""], ["run", "v", ""]),
    ],
)
def test_words_that_bash_has_divided_are_whole_again(words: list[str], mended: list[str]) -> None:
    """As they stand on the command line."""
    environment = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    mend_words(environment)
    assert environment == {"COMP_WORDS": "\n".join(mended), "COMP_CWORD": str(len(mended) - 1)}


@given(st.lists(st.text("@=-a \n")), st.text("019-x", max_size=3))
def test_no_words_are_too_odd(words: list[str], cursor: str) -> None:
    """Whatever a shell says."""
    mend_words({"COMP_WORDS": "\n".join(words), "COMP_CWORD": cursor})
    mend_words({})


TYPED = {
    "jetbench boards che": "jetbench boards check",
    "jetbench run --board @fa": "jetbench run --board @fast",
    "jetbench run --baseline nig": "jetbench run --baseline nightly",
    "jetbench run bvlc_a": "jetbench run bvlc_alexnet",
    "jetbench attach 20260103": "jetbench attach 20260103-030405-a1b2c4",
}


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_a_shell_completes_once_it_was_installed(kind: str, folder: Path, tmp_path: Path) -> None:
    """``jetbench --install-completion``, a new shell, and Tab."""
    if shutil.which(kind) is None:
        pytest.skip(f"{kind} is not installed")
    home = tmp_path / "home"
    shell = Shell(kind, home, folder)
    assert "completion installed in" in shell.run("jetbench --install-completion")
    assert "jetbench" in shell.run("jetbench --show-completion")
    if kind == "fish":
        # It asks a terminal what it can, which none here answers; but it tells what it would do.
        for typed, wanted in TYPED.items():
            said = shell.run(f"complete -C '{typed}'")
            assert wanted.endswith(said.partition("\t")[0].strip()), said
        return
    with shell.before_a_person() as shown:

        def is_at(end: str) -> Callable[[], bool]:
            return lambda: shown.lines[shown.cursor[0]].endswith(end)

        def start_again() -> None:
            shown.type("\x15")
            shown.wait_for(is_at(PROMPT.strip()))

        if kind == "zsh":
            # Typer's script for zsh is only loaded by the first Tab of a session.
            shown.type("jetbench \t")
            shown.wait_for(lambda: b"\x07" in shown.said)
            start_again()
        for typed, wanted in TYPED.items():
            shown.type(f"{typed}\t")
            shown.wait_for(is_at(wanted))
            start_again()
