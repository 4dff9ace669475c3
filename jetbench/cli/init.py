"""``jetbench init``: an inventory to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jetbench.domain.errors import UsageError
from jetbench.formats.words import escaped

SCHEMA_NAME = "inventory.schema.json"


def init(
    inventory: Annotated[
        Path,
        typer.Option("--inventory", "-i", metavar="FILE", help="Where to write it."),
    ] = Path("inventory.yaml"),
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help=f"Also write {SCHEMA_NAME} beside it, for completion in an editor.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an inventory that is there.")
    ] = False,
) -> None:
    """Write a commented inventory.yaml to begin with.

    The file explains every key; change the address of its one board and it works. An
    inventory that is there is left alone, unless --force is given. With --schema, an
    editor that knows the YAML language server completes and checks the keys.

    \b
    Examples:
      jetbench init
      jetbench init -i lab/inventory.yaml --schema
    """
    from importlib import resources

    example = resources.files("jetbench.cli").joinpath("inventory.yaml").read_text("utf-8")
    keep = schema and not force and inventory.exists()
    if schema:
        _write_schema(inventory.with_name(SCHEMA_NAME))
        example = f"# yaml-language-server: $schema=./{SCHEMA_NAME}\n{example}"
    if keep:
        name = escaped(str(inventory))
        typer.echo(f"{name} is there already and was left as it is. Make its first line:")
        typer.echo(f"# yaml-language-server: $schema=./{SCHEMA_NAME}")
        return
    _write(inventory, example, replace=force)
    typer.echo(f"Wrote {escaped(str(inventory))}. Put your board's address into it, then:")
    typer.echo("  jetbench boards trust")
    typer.echo("  jetbench boards check")


def _write_schema(path: Path) -> None:
    import json

    from jetbench.formats.inventory_schema import inventory_json_schema

    _write(path, json.dumps(inventory_json_schema(), indent=2) + "\n", replace=True)
    typer.echo(f"Wrote {escaped(str(path))}.")


def _write(path: Path, text: str, *, replace: bool) -> None:
    """Writes a file whole. Without `replace`, "x" also loses no race against another writer."""
    try:
        if path.exists() and not replace:
            raise UsageError(
                f"{path} is there already", hint="--force replaces it; -i FILE writes another"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if replace else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
