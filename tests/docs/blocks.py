"""The blocks of code in a document, and what a reader does with each.

How they are written stands in CONTRIBUTING.md, under "Command lines in the documents".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import yaml
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from pathlib import Path

    from markdown_it.token import Token

PROMPT, GOES_ON = "$ ", "> "
Way = Literal["run", "beside", "not run"]
_STEP = re.compile(r"\bsh\s+(?:'''(.+?)'''|'([^'\n]+)')", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of code, with what the comment above it says."""

    place: str
    """``PAGE:LINE``, for messages."""
    language: str
    """Empty: none is said."""
    title: str
    """The name of the file that it shows; empty: it is no file."""
    text: str
    way: Way = "run"
    """``beside``: in another terminal, while the page goes on."""
    reason: str = ""
    """Why it is not run."""
    exit_code: int = 0
    answers: str = ""
    """What is typed where the command asks."""


@dataclass(frozen=True)
class Command:
    """A command line, and what it prints."""

    place: str
    line: str
    printed: str
    """With ``…`` for what may be anything; empty: nobody says."""


class DocumentError(Exception):
    """A document is not written as it must be."""


def blocks_of(path: Path, name: str) -> list[Block]:
    """The blocks of a document in their order.

    Raises:
        DocumentError: code is indented instead of fenced, or a comment above a block is none
            that is known.
    """
    tokens = MarkdownIt("commonmark").parse(path.read_text("utf-8"))
    found = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        place = f"{name}:{token.map[0] + 1 if token.map else 0}"
        if token.type == "code_block":
            raise DocumentError(f"{place}: indented code; put it into a fence with a language")
        if token.type == "fence":
            found.append(_block(token, before, place))
    return found


def spans_of(path: Path) -> list[str]:
    """The inline code of a document."""
    return [
        child.content
        for token in MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))
        for child in token.children or ()
        if child.type == "code_inline"
    ]


def commands_of(block: Block) -> list[Command]:
    """The commands of a ``console`` block.

    Raises:
        DocumentError: it does not begin with a command.
    """
    found: list[Command] = []
    open_ended = False
    for line in block.text.splitlines():
        if open_ended and line.startswith(GOES_ON):
            found[-1] = _longer(found[-1], line=line[len(GOES_ON) :])
        elif line.startswith(PROMPT):
            found.append(Command(block.place, line[len(PROMPT) :], ""))
        elif found:
            found[-1] = _longer(found[-1], printed=line)
        else:
            raise DocumentError(f"{block.place}: a console block begins with '{PROMPT}'")
        open_ended = line.endswith("\\")
    return found


def steps_of(block: Block) -> list[Command]:
    """What a CI server runs of a block that is its file: GitHub's actions, or Jenkins."""
    if block.title.startswith(".github/workflows/"):
        jobs = yaml.safe_load(block.text)["jobs"].values()
        lines = [step["run"].rstrip() for job in jobs for step in job["steps"] if "run" in step]
    elif block.title == "Jenkinsfile":
        lines = [three or one for three, one in _STEP.findall(block.text)]
    else:
        return []
    return [Command(block.place, line, "") for line in lines]


def is_like(printed: str, expected: str) -> bool:
    """Whether a text is what a document shows of it, blanks at ends of lines aside."""
    parts = []
    for line in expected.splitlines():
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n")
    return re.fullmatch("".join(parts), _ended(printed)) is not None


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _longer(command: Command, *, line: str = "", printed: str = "") -> Command:
    if line:
        return Command(command.place, f"{command.line}\n{line}", command.printed)
    return Command(command.place, command.line, f"{command.printed}{printed}\n")


def _block(token: Token, before: Token | None, place: str) -> Block:
    language, _, rest = token.info.strip().partition(" ")
    title = re.search(r'title="([^"]+)"', rest)
    said = ""
    if before is not None and before.type == "html_block":
        comment = re.fullmatch(r"<!-- (.+) -->", " ".join(before.content.split()))
        said = comment[1] if comment else ""
    return _told(Block(place, language, title[1] if title else "", token.content), said)


def _told(block: Block, said: str) -> Block:
    """The block, with what the comment above it asks for."""
    key, _, value = said.partition(": ")
    match key:
        case "":
            return block
        case "in another terminal":
            return replace(block, way="beside")
        case "not run" if value:
            return replace(block, way="not run", reason=value)
        case "exit" if value.isdecimal():
            return replace(block, exit_code=int(value))
        case "answers" if value:
            return replace(block, answers=value)
    raise DocumentError(f"{block.place}: nobody knows what this comment asks for: {said}")
