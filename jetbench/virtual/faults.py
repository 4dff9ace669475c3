"""What can be wrong with a virtual board."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

SudoMode = Literal["nopasswd", "password", "guard", "none"]
"""``guard``: only the guard that is installed; ``none``: the user is not in sudoers."""

_NUMBERS = {
    "clock_cap": 1122,
    "drop_after_bytes": 100_000,
    "mode_changes_at": 3,
    "outlier_at": 3,
    "slow_first": 2,
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
    outlier_at: int | None = None
    """This run is slower by 12 %."""
    stays_off: bool = False
    """Connections are refused."""
    drop_after_bytes: int | None = None
    """Each connection breaks once the board has sent so many bytes over it."""

    @property
    def sudo(self) -> SudoMode:
        """What sudo does for the user."""
        if self.no_sudo:
            return "none"
        if self.only_guard:
            return "guard"
        return "password" if self.password else "nopasswd"

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
