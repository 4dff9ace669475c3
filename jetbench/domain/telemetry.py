"""What a board's sensors said while it measured. What was not said is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of tegrastats, or one reading of sysfs."""

    up_s: float
    """The board's uptime when it was read."""
    gpu_mhz: float | None = None
    gpu_load: float | None = None
    """0 to 1."""
    emc_mhz: float | None = None
    emc_load: float | None = None
    """0 to 1."""
    cpu_mhz: tuple[float, ...] = ()
    """Of the cores that are online."""
    cpu_load: tuple[float, ...] = ()
    """0 to 1, of the cores that are online."""
    temps_c: tuple[tuple[str, float], ...] = ()
    """By sensor, under the name that the board gives it (``GPU``, ``BCPU``, ``Tboard``, …)."""
    rails_w: tuple[tuple[str, float], ...] = ()
    """By rail. ``VDD_IN`` is the board's total: the others are parts of it."""
    ram_mib: float | None = None
    swap_mib: float | None = None

    @property
    def gpu_temp_c(self) -> float | None:
        """The temperature of the GPU."""
        return dict(self.temps_c).get("GPU")

    @property
    def power_w(self) -> float | None:
        """What the whole board takes."""
        return dict(self.rails_w).get("VDD_IN")


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The samples of one stretch of time, and what they add up to."""

    from_up_s: float
    to_up_s: float
    """By the board's uptime, as is `from_up_s`."""
    samples: int
    """How many lie between the two."""
    gpu_mhz_min: float | None = None
    gpu_mhz_max: float | None = None
    gpu_load_mean: float | None = None
    emc_mhz_min: float | None = None
    emc_mhz_max: float | None = None
    cpu_mhz_min: float | None = None
    cpu_mhz_max: float | None = None
    gpu_temp_c_max: float | None = None
    power_w_mean: float | None = None
    power_w_max: float | None = None
    energy_j: float | None = None
    """Of the whole board over the stretch: the integral of its power."""

    @property
    def window_s(self) -> float:
        """How long the stretch was."""
        return self.to_up_s - self.from_up_s
