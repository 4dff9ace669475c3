"""Can a board measure what is asked of it? If not: why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.board import Gpu
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Options

MIN_DISK_BYTES = 64 * 2**20
"""Room for the nets, one log at a time and a journal of compressed logs."""
MIN_MEMORY_BYTES = 700 * 2**20
"""What VGG16 takes, forward and backward, at batch size 1."""
MAX_SKEW_S = 60.0


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a board has not, or has too much of."""

    name: str
    """In a word."""
    stops: bool
    """Whether nothing can be measured before it is mended."""
    message: str
    """What is wrong, in a sentence."""
    advice: str
    """What to do about it."""


def lacks(facts: BoardFacts, options: Options, gpu: Gpu) -> tuple[Lack, ...]:
    """Everything in the way of measuring on a board, the worst first."""
    found = [
        *_system(facts),
        *_caffe(facts, options, gpu),
        *_power(facts, options),
        *_disturbance(facts),
    ]
    return tuple(sorted(found, key=lambda lack: not lack.stops))


def _system(facts: BoardFacts) -> Iterator[Lack]:
    if facts.missing_tools:
        names = " ".join(facts.missing_tools)
        yield Lack(
            "tools",
            stops=True,
            message=f"these programs are missing: {names}",
            advice="install coreutils, util-linux, procps, gzip, tar, grep and sed there",
        )
    if not facts.home_writable:
        yield Lack(
            "home",
            stops=True,
            message="the home of its user cannot be written to",
            advice="make it writable, or log in as another user",
        )
    if facts.disk_free_bytes is not None and facts.disk_free_bytes < MIN_DISK_BYTES:
        yield Lack(
            "disk",
            stops=True,
            message=f"only {facts.disk_free_bytes / 2**20:.0f} MiB of disk are free",
            advice=f"free at least {MIN_DISK_BYTES / 2**20:.0f} MiB in the home of its user",
        )
    if facts.mem_available_bytes is not None and facts.mem_available_bytes < MIN_MEMORY_BYTES:
        yield Lack(
            "memory",
            stops=False,
            message=f"only {facts.mem_available_bytes / 2**20:.0f} MiB of memory are available",
            advice="end what uses it, or large nets will be killed",
        )
    if facts.clock_skew_s is not None and abs(facts.clock_skew_s) > MAX_SKEW_S:
        way = "ahead of" if facts.clock_skew_s > 0 else "behind"
        yield Lack(
            "clock",
            stops=False,
            message=f"its clock is {abs(facts.clock_skew_s):.0f} s {way} this machine's",
            advice="set it (sudo timedatectl set-ntp true); dates in logs are its own",
        )


def _caffe(facts: BoardFacts, options: Options, gpu: Gpu) -> Iterator[Lack]:
    caffe = facts.caffe
    if caffe is None:
        elsewhere = ", ".join(facts.caffe_found)
        advice = "build Caffe there, then set caffe_root or caffe in the inventory"
        if elsewhere:
            advice = f"set caffe in the inventory; there is {elsewhere}"
        where = f"no program at {facts.caffe_wanted}" if facts.caffe_wanted else "no Caffe found"
        yield Lack("caffe", stops=True, message=where, advice=advice)
        return
    if caffe.has_phase is False and options.phase == "TEST":
        yield Lack(
            "phase",
            stops=True,
            message="its caffe does not know -phase, so it would time the TRAIN phase",
            advice="take a newer Caffe, or accept training times with --phase TRAIN",
        )
    if caffe.gpu_build is False and gpu != "none":
        yield Lack(
            "gpu",
            stops=True,
            message="its caffe is built for the CPU only",
            advice="measure the CPU with --gpu none, or build Caffe with CUDA",
        )


def _power(facts: BoardFacts, options: Options) -> Iterator[Lack]:
    keep = "measure the board as it is, with --power-mode keep --no-clocks"
    if options.needs_guard and facts.sudo == "absent":
        yield Lack(
            "sudo",
            stops=True,
            message="there is no sudo to set power mode and clocks with",
            advice=f"install sudo, or {keep}",
        )
    if options.needs_guard and facts.sudo == "limited":
        yield Lack(
            "guard",
            stops=True,
            message=f"sudo allows only the guard that is installed there, and {_unfit(facts)}",
            advice=f"install it anew (`jetbench boards sudoers` says how), or {keep}",
        )
    wanted = [mode for mode in options.power_modes if mode != "keep"]
    if wanted:
        unknown = [mode for mode in wanted if not _known(mode, facts)]
        if facts.nvpmodel is None:
            yield Lack(
                "nvpmodel",
                stops=True,
                message="there is no nvpmodel to set the power mode with",
                advice="leave the mode alone with --power-mode keep",
            )
        elif facts.power_modes and unknown:
            modes = ", ".join(f"{mode.id} {mode.name}" for mode in facts.power_modes)
            yield Lack(
                "power mode",
                stops=True,
                message=f"it has no power mode {', '.join(unknown)}",
                advice=f"its modes are: {modes}",
            )
    if options.clocks and facts.jetson_clocks is None:
        yield Lack(
            "jetson_clocks",
            stops=True,
            message="there is no jetson_clocks to lock the clocks with",
            advice="put NVIDIA's jetson_clocks.sh into its home, or pass --no-clocks",
        )
    elif options.clocks and facts.clocks_untrusted:
        yield Lack(
            "jetson_clocks",
            stops=True,
            message=f"others than root can change {facts.jetson_clocks}, "
            "so the guard that is installed there does not run it as root",
            advice="give root a copy: sudo install -o root -g root -m 755 "
            f"{facts.jetson_clocks} /usr/local/lib/jetbench/jetson_clocks.sh",
        )


def _disturbance(facts: BoardFacts) -> Iterator[Lack]:
    if facts.held_by is not None:
        yield Lack(
            "busy",
            stops=False,
            message=f"a sweep runs there now: {facts.held_by}",
            advice="wait until it is over",
        )
    # While a sweep runs, its guard has the state in its keeping.
    if facts.left_behind and facts.held_by is None:
        yield Lack(
            "power state",
            stops=False,
            message="an earlier sweep was cut off before it could put the power state back",
            advice="put it back with `jetbench boards restore`; the next run does it, too",
        )
    if facts.gpu_users:
        yield Lack(
            "gpu users",
            stops=False,
            message=f"these have the GPU open: {' '.join(facts.gpu_users)}",
            advice="end what computes on it; a desktop (Xorg, compiz) disturbs little",
        )


def _unfit(facts: BoardFacts) -> str:
    """Why the installed guard cannot be used."""
    if facts.guard_refused:
        return f"that one says: {facts.guard_refused}"
    return "that one belongs to another version of jetbench"


def _known(wanted: str, facts: BoardFacts) -> bool:
    if wanted.isdigit():
        return any(mode.id == int(wanted) for mode in facts.power_modes)
    return any((mode.name or "").upper() == wanted.upper() for mode in facts.power_modes)
