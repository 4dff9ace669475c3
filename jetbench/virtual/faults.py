"""What can be wrong with a virtual board."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

SudoMode = Literal["nopasswd", "password", "guard", "none"]
"""``guard``: only the guard that is installed; ``none``: the user is not in sudoers."""

_NUMBERS = {
    "aborts_at": 3,
    "clock_cap": 1122,
    "clock_falls_after": 3,
    "clock_falls_at": 3,
    "clock_jumps_after": 3,
    "clock_jumps_at": 3,
    "crashes_at": 3,
    "drop_after_bytes": 100_000,
    "endless_log_at": 3,
    "exits_at": 3,
    "hangs_at": 3,
    "killed_at": 3,
    "mode_changes_at": 3,
    "outlier_at": 3,
    "silent_at": 3,
    "silent_hang_at": 3,
    "slow": 1000,
    "slow_first": 2,
    "slow_layer": 2,
    "sudo_stops_after": 1,
    "throttles_at": 3,
    "wrong_batch": 10,
}
"""The faults that have a number, each with the one it has where none is said."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a board. The default is a board in good health.

    Runs of ``caffe time`` are counted from 1, since the board was made; those of `slow_first`
    since it was booted.
    """

    no_sudo: bool = False
    """The user is not in sudoers."""
    password: bool = False
    """sudo wants the password, ``nvidia``."""
    only_guard: bool = False
    """sudo lets the guard run that an administrator has installed, and nothing else."""
    no_caffe: bool = False
    """There is no Caffe."""
    cpu_only: bool = False
    """Caffe was built without CUDA: ``-gpu`` fails as it does there."""
    nvpmodel_fails_silently: bool = False
    """It prints NVPM ERROR, changes nothing, and exits 0."""
    mode_needs_reboot: bool = False
    """nvpmodel asks whether to reboot for another mode; the mode stays, the exit code is 0.

    A yes leaves ``run/rebooted`` behind, and does no more.
    """
    clocks_will_not_lock: bool = False
    """jetson_clocks complains, changes nothing, and exits 0."""
    asks_to_overwrite: bool = False
    """``jetson_clocks --store`` asks whether to overwrite its file, also where there is none.

    The user's home has an ``l4t_dfs.conf`` of the user's own.
    """
    throttles_at: int | None = None
    """From this run on, the GPU's clock falls by a fifth while Caffe runs.

    The lowest and the highest clock that are allowed stay as they are.
    """
    mode_changes_at: int | None = None
    """During this run, after "Benchmark begins", somebody sets another power mode."""
    clock_cap: int | None = None
    """The GPU reaches no more than the step nearest to so many MHz, in any power mode.

    The caps of its ``nvpmodel.conf`` say so, the table of its clocks has the higher ones.
    """
    gpu_neighbour: bool = False
    """Another process computes on the GPU all the time."""
    cpu_neighbour: bool = False
    """Another process keeps two cores busy all the time."""
    swaps: bool = False
    """Memory is swapped during each run."""
    never_cools: bool = False
    """The GPU has 78 degrees, also at rest."""
    wrong_batch: int | None = None
    """Its Caffe runs this batch, whatever the file says."""
    slow_first: int = 0
    """So many first runs after boot are slower by 8 %."""
    slow_layer: int | None = None
    """The layer of this number, from 1 (or the last one there is), takes twice as long."""
    outlier_at: int | None = None
    """This run is slower by 12 %."""
    aborts_at: int | None = None
    """In this run a check of Caffe's own fails, as where CUDA gives up."""
    crashes_at: int | None = None
    """This run ends by a segmentation fault."""
    exits_at: int | None = None
    """This run ends with status 1, and does not say why."""
    killed_at: int | None = None
    """This run is killed, as by the kernel where memory is short."""
    hangs_at: int | None = None
    """This run comes to no end, and does not listen to SIGTERM."""
    endless_log_at: int | None = None
    """This run writes without end."""
    silent_at: int | None = None
    """This run says nothing, and ends with status 0."""
    silent_hang_at: int | None = None
    """This run says nothing, comes to no end, and does not listen to SIGTERM."""
    clock_jumps_at: int | None = None
    """In the middle of this run the board's clock is set some years ahead."""
    clock_falls_at: int | None = None
    """In the middle of this run the board's clock is set back by some years."""
    clock_jumps_after: int | None = None
    """The board's clock is set some years ahead between this run and the next."""
    clock_falls_after: int | None = None
    """The board's clock is set back by some years between this run and the next."""
    sudo_stops_after: int | None = None
    """sudo works so many times, since the board was made; then it wants a password, and the
    user has none."""
    stays_off: bool = False
    """Connections are refused."""
    drop_after_bytes: int | None = None
    """Each connection breaks once the board has sent so many bytes over it."""
    slow: int | None = None
    """It sends so many bytes a second, each by itself: every answer takes seconds."""
    rubbish: bool = False
    """Whatever is asked, it answers with bytes that mean nothing."""

    @property
    def sudo(self) -> SudoMode:
        """What sudo does for the user."""
        if self.no_sudo:
            return "none"
        if self.only_guard:
            return "guard"
        return "password" if self.password else "nopasswd"

    @property
    def sets_clock(self) -> bool:
        """Whether anybody ever sets the board's clock."""
        runs = (
            self.clock_jumps_at,
            self.clock_falls_at,
            self.clock_jumps_after,
            self.clock_falls_after,
        )
        return any(run is not None for run in runs)

    @classmethod
    def named(cls, names: Iterable[str]) -> Faults:
        """Those of a list such as ``["swaps", "throttles-at=3"]``.

        Raises:
            ValueError: a name or a number is none; the message says which.
        """
        values: dict[str, Any] = {}
        for text in names:
            name, given, number = text.partition("=")
            key = name.replace("-", "_")
            if key not in {field.name for field in fields(cls)}:
                raise ValueError(f"{name!r} is no fault")
            if key not in _NUMBERS:
                if given:
                    raise ValueError(f"{name} has no number")
                values[key] = True
            elif not given:
                values[key] = _NUMBERS[key]
            elif number.isascii() and number.isdigit() and int(number):
                values[key] = int(number)
            else:
                raise ValueError(f"{number!r} is no number for {name}")
        return cls(**values)


def fault_names() -> tuple[str, ...]:
    """As `Faults.named` takes them; those with a number as ``throttles-at=3``."""
    names = []
    for field in fields(Faults):
        name = field.name.replace("_", "-")
        number = _NUMBERS.get(field.name)
        names.append(name if number is None else f"{name}={number}")
    return tuple(names)
