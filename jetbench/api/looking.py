"""Look at boards, and end what runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.api.reaching import boards_of, connector, modes_of
from jetbench.bench import running
from jetbench.bench.survey import survey
from jetbench.domain.plan import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jetbench.bench.running import Looked, Stopped
    from jetbench.bench.secrets import Ask
    from jetbench.bench.survey import Surveyed
    from jetbench.domain.board import Gpu, Inventory
    from jetbench.domain.plan import Phase


def check(
    inventory: Inventory | Path | str | None = None,
    *,
    boards: str | Sequence[str] = (),
    gpu: Gpu | None = None,
    phase: Phase = "TEST",
    power_mode: int | str | Sequence[int | str] = 0,
    clocks: bool = True,
    ask: Ask | None = None,
) -> tuple[Surveyed, ...]:
    """Find out what each board is and whether it can measure: ``jetbench boards check``.

    Nothing is changed there. The arguments are those of `run`.

    Returns:
        For each board in the order of the inventory its facts, what it lacks and what to do
        about that, and whether it can measure.

    Raises:
        UsageError: The inventory or a name is wrong.
    """
    options = Options(gpu=gpu, phase=phase, power_modes=modes_of(power_mode), clocks=clocks)
    with connector(ask) as reached:
        return survey(boards_of(inventory, boards), options, reached.connect)


def status(
    inventory: Inventory | Path | str | None = None,
    *,
    boards: str | Sequence[str] = (),
    ask: Ask | None = None,
) -> tuple[Looked, ...]:
    """What runs on each board, for whom, how far: ``jetbench status``. Nothing is disturbed.

    Raises:
        UsageError: The inventory or a name is wrong.
    """
    with connector(ask) as reached:
        return running.look_at(boards_of(inventory, boards), reached.connect)


def stop(
    sweep: str,
    inventory: Inventory | Path | str | None = None,
    *,
    boards: str | Sequence[str] = (),
    ask: Ask | None = None,
) -> tuple[Stopped, ...]:
    """End a sweep wherever it runs, and put the boards back: ``jetbench stop``.

    Args:
        sweep: Its id.
        inventory: As of `run`.
        boards: As of `run`.
        ask: As of `run`.

    Returns:
        For each board whether it was there and ran.

    Raises:
        UsageError: The inventory or a name is wrong.
    """
    with connector(ask) as reached:
        return running.stop_on(sweep, boards_of(inventory, boards), reached.connect)
