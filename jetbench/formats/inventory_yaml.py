"""YAML to plain values that remember their lines.

Read as YAML 1.2's core schema, which is what editors check against: ``on`` and ``no`` are
text, ``022`` is text, only ``true`` and ``false`` are booleans.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists, from the top."""

MAX_DEPTH = 16
MAX_VALUES = 100_000
"""With aliases, a file of a kilobyte can mean a billion values."""

_TAG = "tag:yaml.org,2002:"
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{0,30}\.?[0-9]{1,30}([eE][-+]?[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file."""

    line: int
    """From 1."""
    message: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands, and how."""

    line: int
    """From 1; of the key where the value has one."""
    written: str | None
    """The text of a scalar as it stands in the file; None for a mapping or a list."""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document as plain values: dict, list, str, int, float, bool, None."""

    value: object
    marks: Mapping[Path, Mark]
    problems: tuple[Problem, ...]
    """Keys given twice, tags, things that are no key. The value is what is left."""


class YamlError(Exception):
    """The text is not YAML, or not of a size to be read; no value came of it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_yaml(text: str) -> Document:
    """Reads one document. An empty one has the value None.

    Raises:
        YamlError: Where the text as a whole cannot be read.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        values = _Values()
        value = None if node is None else values.of(node, ())
    except yaml.MarkedYAMLError as error:
        raise YamlError(_syntax_problem(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = "a character that YAML does not allow; is this a text file?"
        raise YamlError(Problem(line, message)) from error
    return Document(value, values.marks, tuple(values.problems))


class _Loader(yaml.SafeLoader):
    """SafeLoader's composer is recursive; this one ends before Python's stack does."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth > MAX_DEPTH:
            raise _too_much("nested too deeply", self.get_mark())
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Values:
    """Nodes to values, on the way noting where each stands."""

    def __init__(self) -> None:
        self.marks: dict[Path, Mark] = {}
        self.problems: list[Problem] = []

    def of(self, node: yaml.Node, path: Path, line: int | None = None) -> object:
        written = node.value if isinstance(node, yaml.ScalarNode) else None
        self.marks[path] = Mark(line or _line(node.start_mark), written)
        if len(path) > MAX_DEPTH:
            raise _too_much("nested too deeply", node.start_mark)
        if len(self.marks) > MAX_VALUES:
            raise _too_much("too many values", node.start_mark)
        if not node.tag.startswith(_TAG):
            self._note(_line(node.start_mark), "a value that begins with '!' needs quotes")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = _line(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(line, "a mapping or a list cannot be a key")
                continue
            key = key_node.value
            where: Path = (*path, key)
            if key in found:
                first = self.marks[where].line
                self._note(line, f"{key[:60]!r} is given twice; first in line {first}")
                continue
            found[key] = self.of(value_node, where, line)
        return found

    def _scalar(self, node: yaml.Node) -> object:
        text: str = node.value
        if node.tag == f"{_TAG}str":
            return text
        if _NULL.fullmatch(text):
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and not text.isdecimal():
            return float(text)
        return text

    def _note(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))


def _line(mark: yaml.Mark) -> int:
    return int(mark.line) + 1


def _too_much(what: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, what, mark)


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    """PyYAML's words, less what only its authors understand.

    What runs to the end of the file began somewhere: that line is the useful one.
    """
    problem = error.problem or "not YAML"
    mark = error.problem_mark or error.context_mark
    if "end" in problem.split() or "<stream end>" in problem:
        mark = error.context_mark or mark
    line = 1 if mark is None else _line(mark)
    if "'\\t'" in problem:
        return Problem(line, "a tab; YAML is indented with spaces only")
    if "undefined alias" in problem:
        return Problem(line, "a value that begins with '*' needs quotes")
    if "another document" in problem:
        return Problem(line, "a second document ('---'); an inventory is one")
    context = f" {error.context}" if error.context else ""
    return Problem(line, f"not valid YAML: {problem}{context}")
