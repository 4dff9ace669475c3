"""What every command says of itself."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from jetbench.cli import main
from jetbench.cli.lazy import command_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUPS = {"": main.app, **main.GROUPS}


def examples_in(text: str) -> list[list[str]]:
    """The words of each example, without what other programs do before and behind it."""
    _, found, rest = text.partition("Examples:\n")
    assert found, text
    lines = rest.partition("\n\n")[0].splitlines()
    return [words_of(line) for line in lines if line.strip()]


def words_of(line: str) -> list[str]:
    """What is behind ``jetbench``, up to a pipe, a redirection or a comment."""
    _, found, behind = re.split(r"(?:^|\| )\s*(jetbench) ", line, maxsplit=1)
    assert found, line
    words = shlex.split(behind, comments=True)
    return words[: next((n for n, word in enumerate(words) if word in {"|", ">"}), len(words))]


def help_texts() -> Iterator[Any]:
    """The help of every group and of every command."""
    for name, group in GROUPS.items():
        yield pytest.param(typer.main.get_group(group).epilog, id=name or "jetbench")
    for _, name, path, _ in main.COMMANDS:
        yield pytest.param(command_of(path).help, id=f"{path.partition(':')[0]} {name}")


def is_accepted(words: list[str]) -> None:
    """The command that an example calls takes all of its words; nothing is run."""
    command: Any = typer.main.get_command(main.app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    # Options of a group act at once, such as the one that installs something.
    command.make_context("jetbench", words, resilient_parsing=hasattr(command, "commands"))


@pytest.mark.parametrize("text", list(help_texts()))
def test_every_help_has_examples_that_would_run(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this program, with commands, options and arguments that there are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "night.yaml").write_text("models: [vgg16]\n")
    examples = examples_in(text)
    assert examples
    for words in examples:
        is_accepted(words)


def test_an_example_that_would_not_run_is_found() -> None:
    """An option that there is not, and a value that is none."""
    for line in ("jetbench run vgg16 --reapets 5", "jetbench run vgg16 --repeats many"):
        with pytest.raises(Exception, match=r"(?i)no such option|valid integer"):
            is_accepted(words_of(line))


def test_the_help_of_a_group_shows_its_examples_line_by_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As they are to be typed."""
    main.app(["results", "--help"], standalone_mode=False)
    assert "\n  Examples:\n    jetbench results list\n    jetbench" in capsys.readouterr().out
