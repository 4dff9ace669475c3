"""Words of the command line that typer does not check, as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete
from jetbench.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.board import Gpu
    from jetbench.domain.plan import Phase, Shapes

MAX_BATCH = 100_000
_MAX_SIZE = 2**31 - 1
_SHAPE = re.compile(r"([^=]+)=([0-9]{1,10}(?:x[0-9]{1,10})*)")
_MODE = re.compile(r"[A-Za-z0-9_]{1,40}")
_MIN_CELSIUS, _MAX_CELSIUS = 20, 100
_LEAST_PERCENT, _MOST_PERCENT = 0.01, 50
_STAGE = re.compile(r"[A-Za-z0-9_.-]{1,64}")

ModelArgument = Annotated[
    str,
    typer.Argument(
        help="A prototxt, a folder with a deploy.prototxt, or a name from `jetbench models`.",
        show_default=False,
        autocompletion=complete.models,
    ),
]
BatchOption = Annotated[
    int | None,
    typer.Option("--batch", metavar="N", min=1, help="The batch to set: 1, or as --shape says."),
]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option("--shape", metavar="NAME=NxCxHxW", help="Whole shape of an input; repeatable."),
]
PhaseOption = Annotated[
    str, typer.Option("--phase", metavar="TEST|TRAIN", help="The phase it will be run in.")
]
StageOption = Annotated[
    list[str] | None,
    typer.Option("--stage", metavar="NAME", help="Stage of the net, as for caffe; repeatable."),
]
DataLayersOption = Annotated[
    bool,
    typer.Option("--data-layers", help="Also set batch_size of layers that read a data set."),
]


def batches_of(text: str | None) -> tuple[int, ...]:
    """``1,2,4`` as (1, 2, 4); none where the option is not given."""
    if text is None:
        return ()
    try:
        batches = tuple(int(part) for part in text.split(","))
    except ValueError:
        batches = (0,)
    if any(not 0 < batch <= MAX_BATCH for batch in batches):
        message = f"--batch {text} is no batch size"
        raise UsageError(message, hint="pass one or several whole numbers from 1: --batch 1,4,8")
    return tuple(dict.fromkeys(batches))


def shapes_of(given: Sequence[str] | None) -> tuple[Shapes, ...]:
    """Whole shapes of inputs, one set of them for each step of a sweep.

    An input that is given once has that shape in every step; those that are given more often
    take turns together: ``data=1x3x300x300`` and ``data=1x3x512x512`` are two steps.
    """
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for text in given or ():
        found = _SHAPE.fullmatch(text)
        sizes = tuple(map(int, found[2].split("x"))) if found else ()
        if found is None or not all(0 < size <= _MAX_SIZE for size in sizes):
            message = f"--shape {text} is no shape"
            hint = "name an input and its sizes, each from 1: --shape data=1x3x300x300"
            raise UsageError(message, hint=hint)
        shapes.setdefault(found[1], []).append(sizes)
    steps = max(map(len, shapes.values()), default=0)
    for name, several in shapes.items():
        if len(several) not in {1, steps}:
            message = f"--shape {name} is given {len(several)} times, another input {steps} times"
            raise UsageError(message, hint="give each input one shape, or all equally many")
    return tuple(
        tuple((name, several[step % len(several)]) for name, several in shapes.items())
        for step in range(steps)
    )


def one_shape_of(given: Sequence[str] | None) -> dict[str, tuple[int, ...]]:
    """Whole shapes of inputs, each given once."""
    steps = shapes_of(given)
    if len(steps) > 1:
        message = "an input is given more than one --shape"
        raise UsageError(message, hint="only `jetbench run` takes several in turn")
    return dict(steps[0]) if steps else {}


def stages_of(given: Sequence[str] | None) -> tuple[str, ...]:
    """Stages, also several with commas between, as caffe takes them."""
    stages = tuple(stage for text in given or () for stage in text.split(","))
    for stage in stages:
        if not _STAGE.fullmatch(stage):
            message = f"--stage {stage} is no stage"
            raise UsageError(message, hint="a stage is a word, such as deploy or test-on-test")
    return stages


def phase_of(text: str) -> Phase:
    """TEST or TRAIN, however it is written."""
    word = text.upper()
    if word == "TEST":
        return "TEST"
    if word == "TRAIN":
        return "TRAIN"
    message = f"--phase {text} is neither TEST nor TRAIN"
    raise UsageError(message)


def power_modes_of(text: str) -> tuple[str, ...]:
    """``0,MAXQ,3``: ids and names of nvpmodel's modes, or ``keep``."""
    modes = tuple(dict.fromkeys(text.split(",")))
    for mode in modes:
        if not _MODE.fullmatch(mode):
            message = f"--power-mode {text} is no power mode"
            raise UsageError(message, hint="pass ids or names: 0, MAXQ, or several as 0,1,3")
    if "keep" in modes and len(modes) > 1:
        message = f"--power-mode {text}: keep goes with no other mode"
        raise UsageError(message, hint="name the mode that the boards have now")
    return modes


def cooldown_of(text: str) -> float | None:
    """Degrees Celsius, or None for ``off``."""
    if text == "off":
        return None
    celsius = _number(text)
    if celsius is None or not _MIN_CELSIUS <= celsius <= _MAX_CELSIUS:
        message = f"--cooldown {text} is no temperature"
        hint = f"pass degrees Celsius from {_MIN_CELSIUS} to {_MAX_CELSIUS}, or off"
        raise UsageError(message, hint=hint)
    return celsius


def precision_of(text: str | None) -> float | None:
    """``1%`` or ``1`` as 0.01; None where the option is not given."""
    if text is None:
        return None
    percent = _number(text.removesuffix("%").strip())
    if percent is None or not _LEAST_PERCENT <= percent <= _MOST_PERCENT:
        message = f"--precision {text} is no precision"
        hint = f"pass per cent of the mean, from {_LEAST_PERCENT} to {_MOST_PERCENT}: 1%"
        raise UsageError(message, hint=hint)
    return percent / 100


def _number(text: str) -> float | None:
    """A plain decimal number."""
    return float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", text) else None


def gpu_of(text: str | None) -> Gpu | None:
    """A device number, ``none`` for the CPU, or None where the option is not given."""
    if text is None or text == "none":
        return "none" if text else None
    if text.isascii() and text.isdigit():
        return int(text)
    message = f"--gpu {text} is neither a device number nor none"
    raise UsageError(message)
