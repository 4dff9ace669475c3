"""``jetbench results prune``: old nights without their journals."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jetbench.cli.common import RESULTS, ResultsOption


def prune(
    keep_journals: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many sweeps keep theirs: the newest.")
    ],
    results: ResultsOption = RESULTS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing.")] = False,
) -> None:
    """Delete the journals and raw logs of old sweeps; what they came to stays.

    Plan, nets, results and the history stay as they are: tables, comparisons and steps need no
    more. A baseline, a sweep that is not finished, and one that another host has started keep
    theirs. Without its journals a sweep cannot be taken up again, nor its logs be read.

    \b
    Examples:
      jetbench results prune --keep-journals 30
      jetbench results prune --keep-journals 30 --dry-run
    """
    from jetbench.formats.words import escaped
    from jetbench.store.prune import prune as prune_below

    count = freed = 0
    for one in prune_below(results, keep_journals, dry_run=dry_run):
        count += 1
        freed += one.freed_bytes
        if dry_run and not quiet:
            print(f"{escaped(one.folder.name)}: {one.freed_bytes / 1e6:.1f} MB", file=sys.stderr)
    if not quiet:
        what = "would lose" if dry_run else "lost"
        sweeps = "sweep" if count == 1 else "sweeps"
        print(f"{count} {sweeps} {what} their journals, {freed / 1e6:.1f} MB", file=sys.stderr)
