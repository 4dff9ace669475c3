"""docs/reference/inventory.md: the keys of an inventory, and those of a plan file."""

from __future__ import annotations

import json
from pathlib import Path

import jetbench.cli
from jetbench.cli.lazy import command_of
from jetbench.cli.plan_file import options_of
from jetbench.formats.inventory_schema import MUST_BE, BoardKeys
from scripts.documents.markdown import code, heading, plain, table


def page() -> str:
    """The text of the page."""
    keys = [
        (
            code(name),
            plain(MUST_BE[name]),
            plain(field.description or ""),
            code(_as_yaml(field.default)),
            ", ".join(code(_as_yaml(one)) for one in field.examples or ()),
        )
        for name, field in BoardKeys.model_fields.items()
    ]
    starter = (Path(jetbench.cli.__file__).parent / "inventory.yaml").read_text("utf-8")
    plan = [
        (code(name), plain(getattr(parameter, "help", "") or ""))
        for name, parameter in options_of(command_of("run:run")).items()
    ]
    parts = [
        heading(
            "The inventory",
            "A YAML file with the boards. It is looked for in this order: `--inventory FILE`, "
            "`$JETBENCH_INVENTORY`, `./inventory.yaml`, `inventory.yaml` in your configuration "
            "folder (`~/.config/jetbench`).",
            "A board has a name of letters, digits, `.`, `_` and `-`. Each key may stand in "
            "`defaults`, too, for all boards; a board's own takes the place of the whole default. "
            "Where a key is missing, `~/.ssh/config` decides, as it does for ssh itself. An "
            "unknown key, a wrong type, two boards at one address are errors that name the file "
            "and the line. `jetbench init --schema` writes this as a JSON Schema, for editors.",
        ),
        table(("key", "must be", "what it is", "default", "example"), keys),
        "## To begin with",
        "`jetbench init` writes this:",
        f"```yaml\n{starter}```",
        "## A plan file",
        "Options of `jetbench run` in a YAML file, for `--plan FILE`; the command line wins.",
        table(("key", "meaning"), plan),
    ]
    return "\n\n".join(parts) + "\n"


def _as_yaml(value: object) -> str:
    if isinstance(value, str):
        return value
    # An empty list or mapping is what the key has where it is left out.
    return "" if value is None or value in ([], {}) else json.dumps(value)
