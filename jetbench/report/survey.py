"""What `boards check` has found, in words and as JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.bench.survey import Surveyed
    from jetbench.domain.facts import BoardFacts

Json = dict[str, Any]

_WIDTH = 80
_MAX_FACT = 600


def survey_text(found: Sequence[Surveyed]) -> str:
    """A paragraph a board: the verdict, the facts, and what to do about each lack."""
    return "\n\n".join("\n".join(_board(one)) for one in found)


def survey_json(found: Sequence[Surveyed]) -> str:
    """The document of ``jetbench boards check --format json``."""
    return json.dumps(survey_to_json(found), indent=1)


def survey_to_json(found: Sequence[Surveyed]) -> Json:
    """An object a board, by name; every fact as the probe gave it."""
    return {
        one.board.name: {
            "can_measure": one.can_measure,
            "error": one.error.message if one.error else None,
            "hint": one.error.hint if one.error else None,
            "facts": _without_files(one.facts) if one.facts else None,
            "lacks": [asdict(lack) for lack in one.lacks],
        }
        for one in found
    }


def _without_files(facts: BoardFacts) -> dict[str, object]:
    values = asdict(facts)
    del values["files"]
    return values


def _board(one: Surveyed) -> Iterator[str]:
    if one.facts is None:
        yield f"{one.board.name}: not reached"
        if one.error is not None:
            yield from _folded("  ", printable(one.error.message))
            if one.error.hint:
                yield from _folded("  → ", printable(one.error.hint))
        return
    yield f"{one.board.name}: {'ready' if one.can_measure else 'cannot measure'}"
    for name, value in _facts(one.facts):
        yield from _folded(f"  {name:<12} ", printable(value, _MAX_FACT))
    for lack in one.lacks:
        yield from _folded("  ✗ " if lack.stops else "  ! ", printable(lack.message))
        yield from _folded("    → ", printable(lack.advice))


def _facts(facts: BoardFacts) -> Iterator[tuple[str, str]]:
    unknown = "unknown"
    if facts.simulated:
        yield "simulated", "a virtual board: its times are computed, not measured"
    yield "hardware", facts.hardware or unknown
    software = [("L4T", facts.l4t), ("CUDA", facts.cuda), ("cuDNN", facts.cudnn)]
    software.append(("TensorRT", facts.tensorrt))
    yield "software", ", ".join(f"{n} {v}" for n, v in software if v) or unknown
    caffe = facts.caffe
    if caffe is not None:
        build = {True: "GPU build", False: "CPU-only build", None: "GPU or CPU build unknown"}
        parts = [caffe.path, caffe.version or "version unknown"]
        parts += [f"{caffe.fork} fork"] if caffe.fork else []
        parts.append(build[caffe.gpu_build])
        if caffe.has_phase is None:
            parts.append("-phase unknown")
        yield "caffe", ", ".join(parts)
    mode = facts.power_mode
    yield "power mode", unknown if mode is None else f"{mode.id} {mode.name or ''}".rstrip()
    yield "clocks", {True: "locked", False: "free", None: unknown}[facts.clocks_locked]
    sudo = {
        "nopasswd": "without a password",
        "guard": "the guard that is installed, without a password",
        "limited": "a guard that is installed, but cannot be used",
        "password": "with a password, or not at all",
        "absent": "none",
    }
    yield "sudo", sudo[facts.sudo]
    tools = [facts.nvpmodel, facts.jetson_clocks, facts.tegrastats]
    yield "tools", ", ".join(tool for tool in tools if tool) or "none of NVIDIA's"
    yield "memory", f"{_gib(facts.mem_available_bytes)} of {_gib(facts.mem_total_bytes)} available"
    yield "disk", f"{_gib(facts.disk_free_bytes)} free"
    if facts.conditions.gpu_temp_c is not None:
        yield "temperature", f"GPU {facts.conditions.gpu_temp_c:.0f} °C"
    if facts.clock_skew_s is not None:
        yield "clock", f"{round(facts.clock_skew_s):+d} s against this machine's"


def _gib(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else f"{size_bytes / 2**30:.1f} GiB"


def _folded(start: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
