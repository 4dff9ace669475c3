"""docs/reference/commands.md: every command, as its ``--help`` has it."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from jetbench.cli import main
from jetbench.cli.lazy import command_of
from scripts.documents.markdown import code, heading, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

_KINDS = {"int": "N", "int range": "N", "float": "X", "path": "PATH"}
"""What stands for a value whose option does not say it, by the name of its type."""
_BLOCK = "\b"
"""How click marks a paragraph that keeps its lines."""


def page() -> str:
    """The text of the page."""
    top = heading(
        "Commands",
        "Every command with all its options; `jetbench COMMAND --help` says the same. Results go "
        "to standard output, everything else (progress, warnings, errors) to standard error.",
        "`jetbench --install-completion` teaches bash, zsh or fish the commands, and the names of "
        "your boards, models and sweeps.",
    )
    sections = [
        "\n\n".join(_section(full_name(group, name), command_of(path)))
        for group, name, path, _ in main.COMMANDS
    ]
    return "\n\n".join([top, *sections]) + "\n"


def full_name(group: typer.Typer, name: str) -> str:
    """How a command is called, such as ``jetbench boards check``."""
    below = [word for word, one in main.GROUPS.items() if one is group]
    return " ".join(["jetbench", *below, name])


def _section(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - of typer's copy of click
    # Nothing of this is run; a context only knows how the command is called.
    context = type(command).make_context(
        command, name, [], resilient_parsing=True, help_option_names=["-h", "--help"]
    )
    yield f"## {name.removeprefix('jetbench ')}"
    usage = " ".join(command.get_usage(context).split()).removeprefix("Usage: ")
    yield f"```text\n{usage}\n```"
    for paragraph in re.split(r"\n\n+", inspect.cleandoc(command.help)):
        if not paragraph.startswith(_BLOCK):
            yield plain(paragraph)
            continue
        title, *lines = paragraph.strip(f"{_BLOCK}\n").splitlines()
        yield (
            f"{title}\n\n```text\n"
            + "\n".join(line.removeprefix("  ") for line in lines)
            + "\n```"
        )
    records = [parameter.get_help_record(context) for parameter in command.params]
    yield table(
        ("argument or option", "meaning"),
        ((code(_typed(what)), plain(meaning)) for what, meaning in filter(None, records)),
    )


def _typed(what: str) -> str:
    """An option with what it takes, not with the name of that in Python."""
    what, kind, _ = re.fullmatch(r"(.*?)(?: <([^<>]*)>)?()", what).groups()  # type: ignore[union-attr]
    if not what.startswith("-"):
        return what.upper()
    if kind is None:
        return what
    return f"{what} {kind if '|' in kind else _KINDS.get(kind, 'TEXT')}"
