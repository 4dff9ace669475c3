"""From what a user calls a model to its text."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError, UsageError
from jetbench.nets import zoo
from jetbench.nets.batch import patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.subnet import up_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jetbench.nets.batch import Patched
    from jetbench.nets.net import Net

MAX_BYTES = 8 * 2**20
"""A prototxt of more than this is something else; ResNet-152 has 60 kB."""

_NAMED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that was found, or a file of the board's that is yet to be fetched."""

    name: str
    """What it is called in tables."""
    source: str
    """Where it came from, for messages."""
    text: str | None
    """The prototxt; surrogate escapes stand for bytes that are not UTF-8."""
    board_path: str | None = None
    notes: tuple[str, ...] = ()
    """What it needs to be run."""


def resolve(model: str) -> ResolvedModel:
    """Find a model: a path, a folder, ``board:PATH``, one that comes along, ``NAME=MODEL``.

    Raises:
        UsageError: There is no such model, or it cannot be read.
    """
    # Not pathlib's: it raises over a name that no disk can hold, and over a home of nobody.
    if (named := _NAMED.match(model)) and not os.path.exists(model):  # noqa: PTH110
        found = resolve(named[2])
        return replace(found, name=named[1])
    if model.startswith("board:"):
        there = model.removeprefix("board:")
        if not there or "\n" in there:
            message = f"{model!r} names no file of the board"
            raise UsageError(message, hint="write board:models/NAME/deploy.prototxt")
        return ResolvedModel(_short(Path(there)), model, None, board_path=there)
    path = Path(os.path.expanduser(model))  # noqa: PTH111
    if model in zoo.MODELS and not os.path.isfile(path):  # noqa: PTH113
        return ResolvedModel(model, model, zoo.text_of(model), notes=_needs(zoo.MODELS[model]))
    if os.path.isdir(path):  # noqa: PTH112
        path /= "deploy.prototxt"
        if not os.path.isfile(path):  # noqa: PTH113
            message = f"{model} is a folder without a deploy.prototxt"
            raise UsageError(message, hint="name the file itself")
    return ResolvedModel(_short(path), str(path), _read(path, model))


def local_text(model: ResolvedModel) -> str:
    """The text of a model that need not be fetched.

    Raises:
        UsageError: It lies on a board.
    """
    if model.text is None:
        message = f"{model.source} lies on a board, and this works on files here"
        hint = "copy it here first; `jetbench run` fetches and patches it by itself"
        raise UsageError(message, hint=hint)
    return model.text


def patched_here(  # noqa: PLR0913 - all but the first two by name
    model: ResolvedModel,
    batch: int | None,
    *,
    phase: str,
    stages: Sequence[str] = (),
    shapes: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    data_layers: bool = False,
) -> Patched:
    """A model that lies here, with its batch set; see `patch_batch`.

    Raises:
        UsageError: It lies on a board.
        ModelError: It cannot be patched with certainty; the message names the file.
    """
    try:
        return patch_batch(
            local_text(model),
            batch,
            phase=phase,
            stages=stages,
            shapes=shapes,
            data_layers=data_layers,
        )
    except ModelError as error:
        raise error.at(model.source) from None


def built_here(
    model: ResolvedModel, text: str, phase: str, stages: Sequence[str], until: str | None = None
) -> Net:
    """The net of a model's text, or of its beginning.

    Args:
        model: Where the text is from, for messages.
        text: The prototxt, with its batch set.
        phase: ``TEST`` or ``TRAIN``.
        stages: Stages of the net.
        until: Only up to this layer or blob.

    Raises:
        ModelError: It is no net; the message names the file.
        UsageError: There is no such layer or blob.
    """
    try:
        net = build_net(text, phase=phase, stages=tuple(stages))
    except ModelError as error:
        raise error.at(model.source) from None
    return net if until is None else up_to(net, until)


def decode(data: bytes, source: str) -> str:
    """The text of a prototxt, every byte of which survives the way back.

    Raises:
        ModelError: It is empty, or much too large.
    """
    if len(data) > MAX_BYTES:
        message = f"is {len(data) / 2**20:.0f} MiB, far too large for a prototxt"
        raise ModelError(message, source=source, hint="is it a .caffemodel? pass the .prototxt")
    return data.decode("utf-8", "surrogateescape")


def _needs(model: zoo.ZooModel) -> tuple[str, ...]:
    if model.needs == zoo.BVLC:
        return ()
    return (f"{model.title} needs a Caffe that knows its layers: {model.needs}.",)


def _read(path: Path, model: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        near = difflib.get_close_matches(model, zoo.MODELS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        hint += f"a model is a file, a folder, board:PATH, or one of {', '.join(zoo.MODELS)}"
        message = f"there is no file or model called {model}"
        raise UsageError(message, hint=hint) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise UsageError(message) from error
    return decode(data, str(path))


def _short(path: Path) -> str:
    """``…/bvlc_alexnet/deploy.prototxt`` is bvlc_alexnet; any other file its own stem."""
    stem = path.stem
    parent = path.parent.name or (path.resolve().parent.name if not path.is_absolute() else "")
    return parent if stem == "deploy" and parent else stem or str(path)
