"""Every command line in the documents is run, and prints what they show."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_help import is_accepted
from tests.docs.blocks import (
    Block,
    DocumentError,
    blocks_of,
    commands_of,
    is_like,
    spans_of,
    steps_of,
)
from tests.docs.scene import CHECKOUT, know, make_scene
from tests.docs.worlds import BOARDS, world_of

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualFleet

DOCS = CHECKOUT / "docs"
PAGES = ["README.md", *sorted(str(page.relative_to(CHECKOUT)) for page in DOCS.rglob("*.md"))]
MADE_OF_HELP = ("docs/reference/commands.md",)
HIDDEN = re.compile(r"^\s*(?:\$ |sudo |jetbench (?![0-9]))", re.MULTILINE)
"""A command line in a block that is none of commands; a night's line of summary has a date."""
NOT_RUN_AT_MOST = 20
"""Of all commands. Whoever adds one has a reason, and raises this."""


def play(text: str, folder: Path) -> None:
    """Do what a document says."""
    (folder / "page.md").write_text(text)
    (folder / "home").mkdir()
    make_scene(folder / "home").play(blocks_of(folder / "page.md", "page.md"))


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_can_be_done(
    page: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """From its top to its end: every command succeeds, and prints what is shown."""
    blocks = blocks_of(CHECKOUT / page, page)
    if not any(block.language == "console" or steps_of(block) for block in blocks):
        return
    folder = tmp_path / "home"
    folder.mkdir()
    scene = make_scene(folder)
    world_of(page, scene, request)
    scene.play(blocks)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_its_language(page: str) -> None:
    """So that no command hides in a block that nobody runs.

    The examples of the reference are those of the program's help: test_examples.py runs them.
    """
    for block in blocks_of(CHECKOUT / page, page):
        assert block.language, block.place
        if page in MADE_OF_HELP:
            continue
        if block.language == "console":
            assert commands_of(block), block.place
        else:
            hidden = HIDDEN.search(block.text)
            assert not hidden, f"{block.place}: commands stand in blocks of the language 'console'"


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_are_such_as_would_be_accepted(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With options that there are; a word in capitals stands for anything."""
    monkeypatch.chdir(tmp_path)
    for span in [] if page in MADE_OF_HELP else spans_of(CHECKOUT / page):
        words = shlex.split(span.replace("…", "")) if span.startswith("jetbench ") else []
        # What has no arguments is the name of a command, not a line to be typed.
        if any(word.startswith("-") or not word.islower() for word in words):
            is_accepted(words[1:])


def test_what_is_not_run_is_little_and_has_a_reason() -> None:
    """Such as needs a Jetson, or systemd as init."""
    left_out = [
        f"{block.place}: {block.reason}: {command.line}"
        for page in PAGES
        for block in blocks_of(CHECKOUT / page, page)
        if block.way == "not run"
        for command in commands_of(block)
    ]
    assert len(left_out) <= NOT_RUN_AT_MOST, "\n".join(left_out)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("```console\n$ jetbench models\nno such line\n```\n", "expected:\nno such line"),
        ("```console\n$ jetbench rnu vgg16\n```\n", "exit code 2, not 0"),
        ("<!-- exit: 1 -->\n```console\n$ true\n```\n", "exit code 0, not 1"),
    ],
)
def test_a_page_that_is_not_true_is_found(page: str, told: str, tmp_path: Path) -> None:
    """What it shows, what it calls, and how that ends."""
    with pytest.raises(AssertionError) as raised:
        play(page, tmp_path)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    "page",
    [
        "text\n\n    jetbench models\n",
        "<!-- not runn: because -->\n```console\n$ jetbench models\n```\n",
        "```console\njetbench models\n```\n",
    ],
)
def test_a_block_that_would_be_passed_over_is_refused(page: str, tmp_path: Path) -> None:
    """Indented, with a comment that means nothing, without a prompt."""
    with pytest.raises(DocumentError, match=r"page\.md:"):
        play(page, tmp_path)


def test_the_steps_of_ci_servers_are_commands_too() -> None:
    """Of a workflow those that run something, of a Jenkinsfile each shell."""
    workflow = (
        "jobs:\n  a:\n    steps:\n      - uses: x\n      - run: |\n          one\n          two\n"
    )
    block = Block("page.md:1", "yaml", ".github/workflows/night.yaml", workflow)
    assert [step.line for step in steps_of(block)] == ["one\ntwo"]
    pipeline = "steps { sh 'one' }\npost { always { sh '''\n two\n''' } }\n"
    block = Block("page.md:1", "groovy", "Jenkinsfile", pipeline)
    assert [step.line.strip() for step in steps_of(block)] == ["one", "two"]
    assert steps_of(Block("page.md:1", "yaml", "night.yaml", "models: [vgg16]")) == []


def test_dots_stand_for_what_may_be_anything() -> None:
    """Alone for any lines, in a line for any text; all else is to the letter."""
    assert is_like("one\ntwo\nthree\n", "one\n…\nthree\n")
    assert is_like("one\nthree", "one\n…\nthree\n")
    assert is_like("sweep 20260102-030405-a1b2c3 done\n", "sweep … done\n")
    assert not is_like("one\ntwo\nthree\n", "one\nthree\n")
    assert not is_like("one.two\n", "one…three\n")


def test_the_boards_of_the_documents_are_found_by_name_and_address(
    reader_fleet: VirtualFleet, tmp_path: Path
) -> None:
    """As the ssh_config of a reader has it."""
    (tmp_path / "home").mkdir()
    scene = make_scene(tmp_path / "home")
    boards = dict(zip(BOARDS, reader_fleet.boards, strict=True))
    know(scene, {name: (BOARDS[name], board) for name, board in boards.items()}, reader_fleet)
    config = (scene.folder / ".ssh" / "config").read_text()
    for name, board in boards.items():
        assert f"Host {name} {BOARDS[name]}\n  HostName 127.0.0.1\n  Port {board.port}\n" in config
