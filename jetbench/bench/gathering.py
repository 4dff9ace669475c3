"""From what was kept to what a report is made of."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.analysis.comparable import case_id
from jetbench.analysis.series import told_of, with_gaps
from jetbench.analysis.telemetry import to_uptime
from jetbench.bench.models import decode
from jetbench.domain.errors import JetbenchError, ModelError
from jetbench.domain.material import Curve, KeptLog, Material, Profile
from jetbench.formats.caffe_log import parse_log
from jetbench.formats.gate import parse_gate
from jetbench.formats.journal import JournalReader
from jetbench.formats.kept_plan import parse_trials
from jetbench.nets import zoo
from jetbench.nets.batch import patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.peaks import layer_bound_ms, precision_of, tx2_mode
from jetbench.store.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from jetbench.domain.gate import Gate
    from jetbench.domain.history import Night, Series, ToldSeries, Wanted
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record
    from jetbench.formats.kept_plan import PlannedTrial
    from jetbench.nets.net import Net
    from jetbench.store.database.history import History

    Folders = Callable[[str], Path | None]
    """Where the folder of a sweep is; None where it is not here."""

_MOST_CURVES = 12
"""Of a board: what a page can offer to choose from."""
_LEAST_SAMPLES = 2
"""Fewer are no curve."""
_MOST_LOOKED_AT = 10
"""Sweeps in whose folders the telemetry of a board is looked for."""
_MOST_SAMPLES = 300
"""Of a curve: more than a screen has room for."""


def gather(  # noqa: PLR0913 - all but the first three by name
    history: History,
    wanted: Wanted,
    folders: Folders,
    *,
    logs: int = 0,
    published: Callable[[str], bool] = lambda _: False,
    saw: Callable[[str], None] = lambda _: None,
) -> Material:
    """Read everything that a report of these sweeps shows.

    Args:
        history: Where the sweeps are.
        wanted: Which records.
        folders: Where the folder of a sweep is; its journals, logs and nets are read there.
        logs: Of how many of the newest sweeps the raw logs are told.
        published: Of which other sweeps they are told, whether they are here still or not.
        saw: Told what was left out because it could not be read.

    Raises:
        StoreError: The history fails.
        ResultError: Somebody has changed what was kept.
    """
    series = history.series(wanted)
    sweeps = history.heads(wanted)
    told = tuple(told_of(one, history.whole) for one in with_gaps(series))
    here = {sweep.id: folder for sweep in sweeps if (folder := folders(sweep.id)) is not None}
    newest_first = [sweep for sweep in reversed(sweeps) if sweep.id in here]
    return Material(
        told=told,
        sweeps=tuple(sweeps),
        records=_by_sweep(series),
        names={line.id: line.names for line in history.sweeps(wanted) if line.names},
        gates=dict(_gates(here, saw)),
        profiles=_profiles(told, history.whole, here),
        curves=_curves(newest_first, here, {one.series.board for one in told}),
        logs={
            sweep.id: found
            for place, sweep in enumerate(newest_first)
            if (place < logs or published(sweep.id))
            and (found := tuple(_logs(here[sweep.id], every=published(sweep.id))))
        },
    )


def _by_sweep(series: Sequence[Series]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, list[Record]] = {}
    for one in series:
        for night in one.nights:
            found.setdefault(night.sweep_id, []).append(night.record)
    return {sweep_id: tuple(records) for sweep_id, records in found.items()}


def _gates(here: Mapping[str, Path], saw: Callable[[str], None]) -> Iterator[tuple[str, Gate]]:
    for sweep_id, folder in here.items():
        file = folder / "gate.json"
        try:
            yield sweep_id, parse_gate(file.read_text(encoding="utf-8"), str(file))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError) as error:
            saw(f"{file}: cannot be read: {error}")
        except JetbenchError as error:
            saw(error.message)


def _profiles(
    told: Sequence[ToldSeries],
    whole: Callable[[Night], Record | None],
    here: Mapping[str, Path],
) -> dict[str, Profile]:
    nets = _Nets(here)
    found = {}
    for one in told:
        night = next((night for night in reversed(one.series.nights) if _ms(night)), None)
        record = None if night is None else whole(night)
        if night is not None and record is not None and record.layers:
            bounds_ms = nets.bounds_ms(record, night.sweep_id)
            found[case_id(record)] = Profile(night.sweep_id, record, bounds_ms)
    return found


def profile_of(record: Record, sweep_id: str, folder: Path | None) -> Profile:
    """The layers of a case, against what the peaks allow them.

    Args:
        record: The case, with its layers.
        sweep_id: Of which sweep.
        folder: That of the sweep, for the nets in it; None where it is not here.
    """
    nets = _Nets({} if folder is None else {sweep_id: folder})
    return Profile(sweep_id, record, nets.bounds_ms(record, sweep_id))


def _ms(night: Night) -> float | None:
    return night.record.forward_ms.mean if night.record.forward_ms else None


class _Nets:
    """The nets that were run, by their hash: from a sweep's folder, or those that come along."""

    def __init__(self, here: Mapping[str, Path]) -> None:
        self._here = here
        self._built: dict[str, tuple[Net, str] | None] = {}

    def bounds_ms(self, record: Record, sweep_id: str) -> dict[str, float]:
        """What the peaks allow each layer; nothing where the net or the board is not known."""
        peak = (
            None if record.gpu is None else tx2_mode(record.provenance.hardware, record.power_mode)
        )
        sha256 = record.prototxt_sha256
        if peak is None or sha256 is None:
            return {}
        if sha256 not in self._built:
            self._built[sha256] = self._build(record, sweep_id, sha256)
        built = self._built[sha256]
        if built is None:
            return {}
        net, text = built
        precision = precision_of(text)
        bounds = (
            (layer.name, layer_bound_ms(layer, peak, precision=precision)) for layer in net.layers
        )
        return {name: ms for name, ms in bounds if ms is not None}

    def _build(self, record: Record, sweep_id: str, sha256: str) -> tuple[Net, str] | None:
        for text in self._texts(record, sweep_id):
            # Caffe decides what is a net; a bound that cannot be worked out is only missing.
            with suppress(ModelError):
                if _hash(text) == sha256:
                    return build_net(text, phase=record.phase, stages=record.stages), text
        return None

    def _texts(self, record: Record, sweep_id: str) -> Iterator[str]:
        folder = self._here.get(sweep_id)
        for file in sorted((folder / "models").rglob("*.prototxt")) if folder else ():
            with suppress(OSError, ModelError):
                yield decode(file.read_bytes(), str(file))
        if record.source in zoo.MODELS:
            with suppress(ModelError):
                yield patch_batch(zoo.text_of(record.source), record.batch).text


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _logs(folder: Path, *, every: bool) -> Iterator[KeptLog]:
    """The raw logs that are there, or of every trial, in the order of the plan."""
    kept = SweepFolder.open(folder)
    for trial in _planned(folder):
        file = kept.log(trial.board, trial.id)
        if every or file is not None:
            yield KeptLog(
                board=trial.board,
                model=trial.model,
                batch=trial.batch,
                power_mode=trial.power_mode,
                repeat=trial.repeat,
                trial=trial.id,
                path=None if file is None else str(file),
            )


def _planned(folder: Path) -> list[PlannedTrial]:
    file = folder / "plan.json"
    try:
        trials = parse_trials(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError, JetbenchError):
        # A result that came without its plan: there is nothing more to be had of it.
        return []
    # A plan may come from anybody; a board's name must not lead out of the folder.
    return [trial for trial in trials if Path(trial.board).name == trial.board]


def _curves(
    newest_first: Sequence[KeptSweep], here: Mapping[str, Path], boards: AbstractSet[str]
) -> dict[str, tuple[Curve, ...]]:
    """The first trials of some cases of each board, of the last sweep that has their telemetry."""
    found: dict[str, tuple[Curve, ...]] = {}
    for sweep in newest_first[:_MOST_LOOKED_AT]:
        missing = [board.name for board in sweep.boards if board.name in boards - found.keys()]
        planned = _planned(here[sweep.id]) if missing else []
        for board in missing:
            first: dict[tuple[str, int, str], PlannedTrial] = {}
            for trial in planned:
                if trial.board == board:
                    first.setdefault((trial.model, trial.batch, trial.power_mode), trial)
            wanted = {trial.id: trial for trial in list(first.values())[:_MOST_CURVES]}
            if curves := tuple(_of_board(sweep.id, here[sweep.id], board, wanted)):
                found[board] = curves
    return found


def _of_board(
    sweep_id: str, folder: Path, board: str, wanted: Mapping[int, PlannedTrial]
) -> Iterator[Curve]:
    lines = SweepFolder.open(folder).journal_lines(board)
    left = dict(wanted)
    for entry in JournalReader().trials(lines):
        trial = left.get(entry.id)
        if trial is None or entry.log is None or entry.started_up_s is None:
            continue
        if len(entry.samples) < _LEAST_SAMPLES:
            continue
        del left[entry.id]
        window = to_uptime(
            parse_log(entry.log).window, entry.started_local, entry.started_up_s, entry.ended_up_s
        )
        every = -(-len(entry.samples) // _MOST_SAMPLES)
        yield Curve(
            sweep_id,
            trial.model,
            trial.batch,
            trial.power_mode,
            entry.started_up_s,
            entry.samples[::every],
            window,
        )
        if not left:
            return
