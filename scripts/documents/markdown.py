"""Pieces of Markdown, and what the code says of itself."""

from __future__ import annotations

import ast
import inspect
import re
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

MADE = "<!-- Made by scripts/reference from the code. A change belongs there. -->"


def heading(title: str, *paragraphs: str) -> str:
    """The beginning of a page."""
    return "\n\n".join([MADE, f"# {title}", *paragraphs])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts that are Markdown already."""
    cells = [[_cell(cell) for cell in row] for row in (head, *rows)]
    lines = [cells[0], ["---"] * len(head), *cells[1:]]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _cell(text: str) -> str:
    """A text whose bars do not end its cell: readers of Markdown differ over those in code."""
    if "|" not in text:
        return text
    parts = text.split("`")
    for place in range(1, len(parts), 2):
        parts[place] = f"<code>{escape(parts[place], quote=False)}</code>"
    return "".join(parts).replace("|", "&#124;")


def code(text: str) -> str:
    """Inline code, or nothing."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Words as they are; in backticks they are code."""
    parts = " ".join(text.replace("``", "`").split()).split("`")
    for place in range(0, len(parts), 2):
        for sign in "\\*_[":
            parts[place] = parts[place].replace(sign, f"\\{sign}")
        parts[place] = parts[place].replace("<", "&lt;")
    return "`".join(parts)


def attribute_docs(module: ModuleType) -> dict[str, dict[str, str]]:
    """What stands below each name of a module and of its classes: class to name to text.

    Names of the module itself are below the class ``""``. A class's own text has the name ``""``.
    """
    tree = ast.parse(inspect.getsource(module))
    found = {"": _docs_in(tree.body)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = _docs_in(node.body) | {"": ast.get_docstring(node) or ""}
    return found


def _docs_in(body: list[ast.stmt]) -> dict[str, str]:
    docs = {}
    for before, node in pairwise(body):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        target = before.targets[0] if isinstance(before, ast.Assign) else None
        target = before.target if isinstance(before, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and isinstance(node.value.value, str):
            docs[target.id] = inspect.cleandoc(node.value.value)
    return docs


def from_docstring(module: ModuleType, head: tuple[str, str] = ("", "")) -> str:
    """What a module says of itself below its first line, as Markdown; `head` is that of a table.

    Of reStructuredText it knows what the docstrings have: paragraphs, simple tables, lists of
    definitions, and literal blocks behind ``::``.
    """
    text = inspect.cleandoc(module.__doc__ or "")
    blocks = re.split(r"\n\n+(?! )", text)[1:]
    return "\n\n".join(_block(block, head) for block in blocks)


def _block(block: str, head: tuple[str, str]) -> str:
    lines = block.splitlines()
    if lines[0].startswith("==="):
        return _table(lines, head)
    if lines[0].endswith("::"):
        before = lines[0].removesuffix("::").rstrip()
        literal = inspect.cleandoc("\n".join(lines[1:]))
        return f"{before}{':' * bool(before)}\n\n```text\n{literal}\n```".lstrip()
    if len(lines) > 1 and lines[1].startswith(" "):
        return _definitions(lines)
    return plain(block)


def _table(lines: list[str], head: tuple[str, str]) -> str:
    """A simple table without a head: two columns, the second of which may go on below."""
    width = len(lines[0].split()[0])
    rows: list[list[str]] = []
    for line in lines[1:-1]:
        if line[:width].strip():
            rows.append([line[:width].strip(), ""])
        rows[-1][1] = f"{rows[-1][1]} {line[width:].strip()}"
    return table(head, ([plain(cell) for cell in row] for row in rows))


def _definitions(lines: list[str]) -> str:
    found: list[list[str]] = []
    for line in lines:
        if line.startswith(" "):
            found[-1][1] = f"{found[-1][1]} {line.strip()}"
        else:
            found.append([line, ""])
    return "\n".join(f"- **{plain(term)}** {plain(text)}" for term, text in found)
