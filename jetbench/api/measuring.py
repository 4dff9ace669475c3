"""Measure models on boards."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.api.reaching import boards_of, modes_of, secrets_of
from jetbench.api.several import several
from jetbench.api.values import Sweep, SweepInterruptedError
from jetbench.bench import carrying_out
from jetbench.bench.errand import Errand
from jetbench.bench.gating import open_baseline, pass_gate
from jetbench.bench.plan import make_plan
from jetbench.bench.recorder import Recorder
from jetbench.bench.resuming import begun_here, known_of
from jetbench.domain.errors import ResultError, UsageError
from jetbench.domain.kept import as_kept
from jetbench.domain.plan import Options
from jetbench.formats.result import result_to_json
from jetbench.store.histories import remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jetbench.bench.gating import Baseline
    from jetbench.bench.secrets import Ask
    from jetbench.domain.board import Gpu, Inventory
    from jetbench.domain.events import SweepEvent
    from jetbench.domain.plan import Phase, Plan
    from jetbench.domain.record import SweepResult

RESULTS = "jetbench-results"


def run(
    models: str | Sequence[str],
    *,
    inventory: Inventory | Path | str | None = None,
    boards: str | Sequence[str] = (),
    results: Path | str = RESULTS,
    db: str | None = None,
    batch: int | Sequence[int] | None = None,
    shapes: Mapping[str, Sequence[int]] | Sequence[Mapping[str, Sequence[int]]] = (),
    iterations: int = 50,
    repeats: int = 3,
    phase: Phase = "TEST",
    stages: Sequence[str] = (),
    data_layers: bool = False,
    gpu: Gpu | None = None,
    power_mode: int | str | Sequence[int | str] = 0,
    clocks: bool = True,
    warm_up: int = 1,
    cooldown_c: float | None = 60.0,
    cooldown_wait_s: int = 300,
    telemetry: bool = True,
    precision: float | None = None,
    timeout_s: int = 900,
    deadline_s: int | None = None,
    seed: int = 0,
    wait_s: int = 0,
    baseline: str | None = None,
    ask: Ask | None = None,
    on_event: Callable[[SweepEvent], None] | None = None,
) -> Sweep:
    """Measure models on boards: ``jetbench run``.

    Args:
        models: Each a prototxt file, a folder with a ``deploy.prototxt``, ``board:PATH``, or a
            model that comes along; ``NAME=MODEL`` gives it a name.
        inventory: The boards, or the file with them; None: as `load_inventory`.
        boards: Only these: names, or ``@TAG``.
        results: The folder where the sweep is kept.
        db: The history, as of ``--db``; None: a file beside the sweeps.
        batch: The batch size, or several; None: 1, or as `shapes` say.
        shapes: Whole shapes of inputs by name, outermost axis first; several sets take turns.
        iterations: Of each process.
        repeats: Processes a case.
        phase: ``TEST`` or ``TRAIN``.
        stages: Stages of the net.
        data_layers: Also set ``batch_size`` of layers that read a data set.
        gpu: The CUDA device, or ``none``; None: the inventory's, else 0.
        power_mode: Number or name of nvpmodel's mode, or several; ``keep`` leaves it alone.
        clocks: Whether the clocks are locked.
        warm_up: Processes that do not count, first.
        cooldown_c: Begin no trial while the GPU is warmer, °C; None: whatever it is.
        cooldown_wait_s: Longest wait for that, seconds.
        telemetry: Whether the sensors are read meanwhile.
        precision: Repeat until the 95 % interval is no wider to each side, as a part of the
            mean (0.01 is 1 %), 30 times at most; None: `repeats` times.
        timeout_s: Of one trial, seconds.
        deadline_s: Of the sweep on a board, seconds.
        seed: Decides the order of the trials.
        wait_s: How long to wait in line for boards that are in use, seconds.
        baseline: Hold the result against the sweep of this name; what looks slower is measured
            again, once. What came of it is the sweep's `gate`.
        ask: Is asked for passwords and passphrases, such as `getpass.getpass`; None: nobody is.
        on_event: Is told everything that happens, in this thread; see `jetbench.domain.events`.

    Returns:
        What was measured. Boards that failed are in it, and their cases are ``failed`` or
        ``lost``: that is no error here.

    Raises:
        UsageError: A model, an option, a board or the inventory is wrong; nothing was started.
        SweepInterruptedError: Ctrl-C, where this is the main thread; a second one leaves at once.
        StoreError: This machine's disk did not take what the boards have sent.
    """
    options = Options(
        batches=_numbers(batch) or (() if shapes else (1,)),
        shapes=_steps(shapes),
        data_layers=data_layers,
        iterations=iterations,
        repeats=repeats,
        phase=phase,
        stages=tuple(stages),
        gpu=gpu,
        power_modes=modes_of(power_mode),
        clocks=clocks,
        warm_ups=warm_up,
        cooldown_c=cooldown_c,
        cooldown_wait_s=cooldown_wait_s,
        telemetry=telemetry,
        precision=precision,
        timeout_s=timeout_s,
        deadline_s=deadline_s,
        seed=seed,
    )
    _check(options)
    folder, names = Path(results), several(models)
    if not names:
        raise UsageError("no model is named")
    before = None if baseline is None else open_baseline(baseline, folder, db)
    chosen = boards_of(inventory, boards)
    plan = make_plan(chosen, names, options, ("jetbench.run", *names))
    recorder = carrying_out.new_recorder(plan, folder)
    return _Run(db, before, Errand(wait_s=wait_s), ask, on_event).carry_out(plan, recorder)


def resume(
    sweep: str,
    *,
    results: Path | str = RESULTS,
    db: str | None = None,
    wait_s: int = 0,
    ask: Ask | None = None,
    on_event: Callable[[SweepEvent], None] | None = None,
) -> Sweep:
    """Take up a sweep that was cut off: ``jetbench run --resume``.

    What was measured is fetched, what still runs is followed, what never was measured is
    measured, and only that.

    Args:
        sweep: Its id, ``latest`` or ``latest~1``.
        results: The folder where it is kept.
        db: As of `run`.
        wait_s: As of `run`.
        ask: As of `run`.
        on_event: As of `run`.

    Raises:
        ResultError: There is no such sweep, or what is kept of it is damaged.
        SweepInterruptedError: As of `run`.
        StoreError: As of `run`.
    """
    here = begun_here(sweep, Path(results))
    if here is None:
        raise ResultError(f"{sweep}: there is no such sweep in {results}")
    folder, plan = here
    folder.own()
    errand = Errand(known=known_of(folder, plan), wait_s=wait_s)
    return _Run(db, None, errand, ask, on_event).carry_out(plan, Recorder(plan, folder))


class _Run:
    """Carries out plans, and looks again where a baseline asks for it."""

    def __init__(
        self,
        db: str | None,
        before: Baseline | None,
        errand: Errand,
        ask: Ask | None,
        on_event: Callable[[SweepEvent], None] | None,
    ) -> None:
        self._db = db
        self._before = before
        self._errand = errand
        self._secrets = secrets_of(ask)
        self._on_event = on_event

    def take(self, event: SweepEvent) -> None:
        """Tell whoever wants to know."""
        if self._on_event is not None:
            self._on_event(event)

    def say(self, line: str) -> None:
        """Nothing is printed: what matters is an error, or in the result."""

    def carry_out(self, plan: Plan, recorder: Recorder) -> Sweep:
        """Measure, keep, and hold against the baseline."""
        result = self._measured(plan, recorder, self._errand)
        gate = None
        if self._before is not None and not result.interrupted:
            results = recorder.path.parent

            def again(closer: Plan) -> SweepResult:
                second = carrying_out.new_recorder(closer, results)
                return self._measured(closer, second, Errand(wait_s=self._errand.wait_s))

            gate, _ = pass_gate(self._before, plan, result, recorder.path, again, db=self._db)
        sweep = Sweep(as_kept(result), result_to_json(result), recorder.path, gate)
        if result.interrupted:
            raise SweepInterruptedError(sweep)
        return sweep

    def _measured(self, plan: Plan, recorder: Recorder, errand: Errand) -> SweepResult:
        ended = threading.Event()
        with _ended_by_ctrl_c(ended):
            carrying_out.carry_out(
                plan, recorder, errand, secrets=self._secrets, watch=self, stop=ended
            )
        result = carrying_out.result_of(plan, recorder, interrupted=ended.is_set())
        # A sweep was measured, whatever its database does; `Results` makes up for it.
        remembered(recorder.path, self._db)
        return result


@contextmanager
def _ended_by_ctrl_c(ended: threading.Event) -> Iterator[None]:
    """The first Ctrl-C ends the sweep cleanly, the second leaves; only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(_number: int, _frame: object) -> None:
        if ended.is_set():
            raise KeyboardInterrupt
        ended.set()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _numbers(numbers: int | Sequence[int] | None) -> tuple[int, ...]:
    if numbers is None:
        return ()
    return (numbers,) if isinstance(numbers, int) else tuple(numbers)


def _steps(
    shapes: Mapping[str, Sequence[int]] | Sequence[Mapping[str, Sequence[int]]],
) -> tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]:
    steps = [shapes] if isinstance(shapes, Mapping) else shapes
    return tuple(tuple((name, tuple(sizes)) for name, sizes in one.items()) for one in steps)


def _check(options: Options) -> None:
    """See that numbers are such as can be, which the command line sees by itself.

    Raises:
        UsageError: One is not.
    """
    numbers: list[tuple[str, object, int]] = [
        ("iterations", options.iterations, 1),
        ("repeats", options.repeats, 1),
        ("warm_up", options.warm_ups, 0),
        ("timeout_s", options.timeout_s, 1),
        ("cooldown_wait_s", options.cooldown_wait_s, 1),
        *(("batch", batch, 1) for batch in options.batches),
        *(("deadline_s", limit, 1) for limit in [options.deadline_s] if limit is not None),
    ]
    for name, number, least in numbers:
        # Whoever calls it may have no type checker.
        if not isinstance(number, int) or number < least:
            raise UsageError(f"{name} is {number!r}: a whole number, {least} or more")
    if options.precision is not None and not 0 < options.precision < 1:
        raise UsageError(f"precision is {options.precision!r}: a part, such as 0.01 for 1 %")
    if options.phase not in {"TEST", "TRAIN"}:
        raise UsageError(f"phase is {options.phase!r}: TEST or TRAIN")
