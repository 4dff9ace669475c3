"""What a shell offers when Tab is pressed: values that are known without asking any board.

They are read with as little as possible, at each press. Whatever is wrong with a file, there is
nothing to offer then: the shell is no place for messages.
"""

from __future__ import annotations

import os
import re
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping

    Offer = Callable[[typer.Context, str], list[str]]

_MOST = 100
_MOST_FILES = 2000
_SAFE = re.compile(r"[\w@.~+/,-]+")
"""What no shell takes for anything else: zsh runs what it is offered through ``eval``."""


def _offer(find: Callable[[typer.Context, str], Iterable[str]]) -> Offer:
    """An offer that is short, safe, and never fails."""

    def offer(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            found = (word for word in find(ctx, incomplete) if word.startswith(incomplete))
            return list(islice((word for word in found if _SAFE.fullmatch(word)), _MOST))
        except Exception:  # noqa: BLE001 - nobody could be told
            return []

    return offer


@_offer
def boards(ctx: typer.Context, _: str) -> Iterable[str]:
    """The boards of the inventory, and its tags."""
    from jetbench.bench.inventories import read_inventory, usual_inventory
    from jetbench.formats.inventory_yaml import read_yaml

    # An inventory in which something is wrong still has names.
    document = read_yaml(read_inventory(ctx.params.get("inventory") or usual_inventory()))
    top = _keys(document.value)
    known = _keys(top.get("boards"))
    tags = {
        str(tag)
        for keys in chain(known.values(), [top.get("defaults")])
        for tag in _list(_keys(keys).get("tags"))
    }
    return [*map(str, known), *(f"@{tag}" for tag in sorted(tags))]


@_offer
def sweeps(ctx: typer.Context, _: str) -> Iterable[str]:
    """Names, ``latest``, and ids, the newest first."""
    from jetbench.store.results import first_looks

    folders = first_looks(_results(ctx))
    latest = ["latest", *(f"latest~{back}" for back in range(1, min(len(folders), 3)))]
    ids = [folder.name for folder in reversed(folders)]
    return [*_names(ctx), *(latest if ids else ()), *ids]


@_offer
def baselines(ctx: typer.Context, _: str) -> Iterable[str]:
    """The names that were given to sweeps."""
    return _names(ctx)


@_offer
def models(_: typer.Context, incomplete: str) -> Iterable[str]:
    """The models that come along, and what lies here and looks like one."""
    from jetbench.nets.zoo import MODELS

    return chain(MODELS, _nets(incomplete))


@_offer
def zoo(_: typer.Context, _incomplete: str) -> Iterable[str]:
    """The models that come along."""
    from jetbench.nets.zoo import MODELS

    return MODELS


@_offer
def power_modes(_: typer.Context, incomplete: str) -> Iterable[str]:
    """Those of a TX2, also behind a comma; or to keep the one that is set."""
    from jetbench.nets.peaks import TX2_PEAKS

    before, comma, _last = incomplete.rpartition(",")
    names = [word for mode in TX2_PEAKS.values() for word in (mode.mode_name, str(mode.mode_id))]
    alone = [] if comma else ["keep"]
    return dict.fromkeys(f"{before}{comma}{word}" for word in (*names, *alone))


def mend_words(environment: MutableMapping[str, str]) -> None:
    """Put words together again that bash takes for several: ``@lab-a``, ``--board=tx2-01``."""
    words = environment.get("COMP_WORDS", "").split("\n")
    cursor = environment.get("COMP_CWORD", "")
    if not cursor.isdecimal() or not int(cursor) < len(words):
        return
    mended = [""]
    for word in words[: int(cursor) + 1]:
        # What bash divides words at stands alone, or together with more of that.
        if mended[-1][-1:] in {"@", "="} or word[:1] == "=":
            mended[-1] += word
        else:
            mended.append(word)
    environment["COMP_WORDS"] = "\n".join(mended[1:])
    environment["COMP_CWORD"] = str(len(mended) - 2)


def _results(ctx: typer.Context) -> Path:
    from jetbench.cli.common import RESULTS

    return Path(ctx.params.get("results") or os.environ.get("JETBENCH_RESULTS") or RESULTS)


def _names(ctx: typer.Context) -> Iterable[str]:
    from jetbench.store.names import read_names

    return sorted(read_names(_results(ctx)))


def _nets(incomplete: str) -> Iterator[str]:
    """Prototxt files and folders of the folder that is being written."""
    folder, slash, _ = incomplete.rpartition("/")
    with os.scandir(folder + slash or ".") as entries:
        for entry in islice(entries, _MOST_FILES):
            if entry.name.startswith("."):
                continue
            if entry.name.endswith(".prototxt"):
                yield f"{folder}{slash}{entry.name}"
            elif entry.is_dir() and (slash or Path(entry.path, "deploy.prototxt").exists()):
                yield f"{folder}{slash}{entry.name}/"


def _keys(value: object) -> dict[object, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
