"""Plan files: the options of ``jetbench run``, kept in a file.

A YAML mapping; each key is an option without its dashes (``power-mode`` or ``power_mode``),
``models`` is the list of models. A file of a sweep can so be kept beside its nets.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.errors import UsageError
from jetbench.formats.inventory_yaml import YamlError, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One option of a plan file."""

    value: object
    """Plain YAML: text, a number, a truth value, or a list of these."""
    line: int
    """From 1."""


def parse_plan_file(text: str, source: str, keys: Collection[str]) -> dict[str, PlanEntry]:
    """The options in a plan file, by name, written with dashes.

    Args:
        text: The file's text.
        source: The file's name, for messages.
        keys: The names that there are.

    Raises:
        UsageError: It is no YAML mapping of known options; the message begins ``FILE:LINE:``.
    """
    try:
        document = read_yaml(text)
    except YamlError as error:
        message = f"{source}:{error.problem.line}: {error.problem.message}"
        raise UsageError(message) from error
    for problem in document.problems:
        message = f"{source}:{problem.line}: {problem.message}"
        raise UsageError(message)
    if not isinstance(document.value, dict):
        message = f"{source}:1: a plan file is a list of options, such as `repeats: 5`"
        raise UsageError(message, hint=f"the options are {', '.join(sorted(keys))}")
    entries: dict[str, PlanEntry] = {}
    for written, value in document.value.items():
        key, line = written.replace("_", "-"), document.marks[written,].line
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(keys)}"
            message = f"{source}:{line}: there is no option {written!r}"
            raise UsageError(message, hint=hint)
        if isinstance(value, dict) or value is None:
            message = f"{source}:{line}: {written} wants a value"
            raise UsageError(message)
        entries[key] = PlanEntry(value, line)
    return entries
