"""``--plan FILE``: options from a file; what is also given on the command line wins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jetbench.domain.errors import UsageError


def _use(context: typer.Context, file: Path | None) -> Path | None:
    """Make the file's options the defaults of this call."""
    if file is None:
        return None
    from jetbench.formats.plan_file import parse_plan_file

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        message = f"{file} cannot be read: {reason}"
        raise UsageError(message) from error
    parameters = options_of(context.command)
    defaults: dict[str, object] = {}
    for key, entry in parse_plan_file(text, str(file), parameters.keys()).items():
        parameter, value = parameters[key], entry.value
        if any("\0" in str(part) for part in (value if isinstance(value, list) else [value])):
            # It would end a name for the system, and not for Python.
            message = f"{file}: {key} has a NUL character in it"
            raise UsageError(message)
        if isinstance(value, list) and not (parameter.multiple or parameter.nargs == -1):
            value = ",".join(map(str, value))
        elif not isinstance(value, list) and (parameter.multiple or parameter.nargs == -1):
            value = [value]
        defaults[parameter.name or ""] = value
    context.default_map = {**(context.default_map or {}), **defaults}
    return file


def options_of(command: Any) -> dict[str, Any]:  # noqa: ANN401 - of click, or of typer's copy of it
    """What can stand in a plan file, by its key there: parameters of a command."""
    return {
        name: parameter
        for parameter in command.params
        for name in [_key(parameter.name or "", parameter.opts)]
        if name not in {"plan", "help"}
    }


def _key(name: str, options: list[str]) -> str:
    """An option's long name without its dashes; an argument's own name."""
    return next((o.removeprefix("--") for o in options if o.startswith("--")), name)


PlanOption = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        callback=_use,
        is_eager=True,
        help="Options from a YAML file; the command line wins.",
    ),
]
