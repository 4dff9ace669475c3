"""The command line of ``caffe``, as Google's gflags reads it."""

from __future__ import annotations

from dataclasses import dataclass

_TEXT = ("gpu", "model", "phase", "stage", "weights", "solver", "snapshot", "log_dir")
_WHOLE = ("iterations", "level", "minloglevel", "v", "stderrthreshold")
_SWITCHES = ("logtostderr", "alsologtostderr", "colorlogtostderr")


class FlagError(Exception):
    """A command line that gflags refuses; the message is gflags' own."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What ``caffe`` was asked to do."""

    action: str | None
    """None unless there is exactly one word that is no flag."""
    model: str
    gpu: str
    iterations: int
    phase: str
    level: int
    stages: tuple[str, ...]


def read_command_line(arguments: list[str]) -> CommandLine:
    """Take the flags out: one or two dashes, the value behind ``=`` or as the next word.

    Raises:
        FlagError: an unknown flag, or a value that is missing or no number.
    """
    values = {"iterations": "50", "level": "0"}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name:
            words.append(word)
        elif name in _SWITCHES or name.removeprefix("no") in _SWITCHES:
            continue
        elif name not in (*_TEXT, *_WHOLE):
            message = f"ERROR: unknown command line flag '{name}'"
            raise FlagError(message)
        elif not equals and not rest:
            message = f"ERROR: flag '{word}' is missing its argument"
            raise FlagError(message)
        else:
            values[name] = value if equals else rest.pop(0)
    return CommandLine(
        action=words[0] if len(words) == 1 else None,
        model=values.get("model", ""),
        gpu=values.get("gpu", ""),
        iterations=_whole("iterations", values["iterations"]),
        phase=values.get("phase", ""),
        level=_whole("level", values["level"]),
        stages=tuple(filter(None, values.get("stage", "").split(","))),
    )


def _whole(name: str, text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        number = None
    if number is None or not -(2**31) <= number < 2**31:
        message = f"ERROR: illegal value '{text}' specified for int32 flag '{name}'"
        raise FlagError(message)
    return number
