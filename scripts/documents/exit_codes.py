"""docs/reference/exit-codes.md: what a command's end says to a script."""

from __future__ import annotations

import inspect
import re

from jetbench.cli import exit_codes, main
from jetbench.cli.lazy import command_of
from scripts.documents.commands import full_name
from scripts.documents.markdown import attribute_docs, heading, plain, table

_CODE = re.compile(r"(?:^|\s{2,})(\d+)\s+(.+?)(?=\s{2,}\d+ |$)")


def page() -> str:
    """The text of the page."""
    docs = attribute_docs(exit_codes)[""]
    numbers = {name: getattr(exit_codes, name) for name in docs}
    rows = [(str(numbers[name]), plain(text)) for name, text in docs.items()]
    top = heading(
        "Exit codes",
        "The same numbers mean the same everywhere; a command that measures gives all of them.",
        table(("code", "meaning"), rows),
        "With `--format json` standard output is one JSON document and nothing else, also where "
        "the code is 1 or 3: what was measured is in it.",
        "`scripts/nightly.sh` gives the code of the night, and 75 where another night still runs "
        "in the same folder ([a night, by itself](../how-to/nightly.md#exit-codes)).",
        "## In the words of each command",
        "Those that say nothing here give 0, or 2 where they are called wrongly, and 1 where "
        "something fails. Ctrl-C gives 130.",
    )
    special = []
    for group, name, path, _ in main.COMMANDS:
        text = inspect.cleandoc(command_of(path).help)
        _, found, rest = text.partition("Exit codes:\n")
        if found:
            lines = rest.partition("\n\n")[0].splitlines()
            codes = sorted(
                (int(number), meaning) for line in lines for number, meaning in _CODE.findall(line)
            )
            told = "; ".join(f"**{number}** {plain(meaning)}" for number, meaning in codes)
            special.append((f"`{full_name(group, name)}`", told))
    return f"{top}\n\n{table(('command', 'exit codes'), special)}\n"
