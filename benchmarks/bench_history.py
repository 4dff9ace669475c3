"""The history with a million trials: lists, comparisons, series, and the ingest of a night.

20 boards, 14 models, 10 processes: 2,800 trials a night, 358 nights. The nights are synthetic
(1 % noise, nets of 100 layers) and stand in a database as the program puts them there. Each
command is a process of its own, start-up included; every statement that it may run is held against
SQLite's own plan for it: the table of records must never be read from one end to the other. The
rival is the same series read by Python's bare `sqlite3`, nothing unpacked, nothing checked::

    python benchmarks/bench_history.py                     # SQLite
    python benchmarks/bench_history.py --nights 1826       # five million trials
    python benchmarks/bench_history.py --db postgresql://lab@localhost/empty
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from jetbench.analysis.statistics import summarize
from jetbench.domain.facts import PowerMode
from jetbench.domain.history import Wanted
from jetbench.domain.record import LayerTime, Record, RecordConditions, TrialResult
from jetbench.formats.result import record_to_json
from jetbench.store.database import adding
from jetbench.store.database.address import address_of
from jetbench.store.database.engine import open_engine, transaction
from jetbench.store.database.history import open_history
from jetbench.store.database.rows import pack, record_row, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BOARDS = [f"tx2-{number:02d}" for number in range(1, 21)]
MODELS = [f"model-{number:02d}" for number in range(1, 15)]
PROCESSES = 10
LAYERS = 100
NOISE = 0.01
COMMAND_LIMIT_S = 1.0
INGEST_LIMIT_S = 5.0
REPEATS = 5
_FIRST = datetime(2021, 1, 1, 3, tzinfo=timezone.utc)


def record(board: str, model: str, dice: random.Random) -> Record:
    """A case of a night."""
    middle_ms = 5.0 + 7 * MODELS.index(model)
    values = [middle_ms * dice.gauss(1, NOISE) for _ in range(PROCESSES)]
    twice = summarize([2 * value for value in values])
    return Record(
        board=board, model=model, source=f"{model}.prototxt", batch=1, phase="TEST", stages=(),
        iterations=50, gpu=0, power_mode=PowerMode(0, "MAXN"), clocks_locked=True,
        simulated=True, status="ok", reasons=(), input_shapes=(("data", (1, 3, 224, 224)),),
        prototxt_sha256=f"{MODELS.index(model):064x}", forward_ms=summarize(values),
        backward_ms=twice, forward_backward_ms=twice,
        layers=tuple(
            LayerTime(f"layer{number}/3x3_reduce", "Convolution", middle_ms / LAYERS, 0.1)
            for number in range(LAYERS)
        ),
        conditions=RecordConditions(gpu_mhz_min=1300.5, gpu_mhz_max=1300.5, gpu_temp_c_max=48.0),
        bound_ms=2.0,
        trials=tuple(
            TrialResult(
                number, number, "2021-01-01T03:00:00Z", 4.0, 0, value, 2 * value, 3 * value,
                150 * value, None, lost=False, log=None,
            )
            for number, value in enumerate(values, start=1)
        ),
    )  # fmt: skip


def night(number: int, dice: random.Random) -> dict[str, Any]:
    """The document of a night."""
    began = _FIRST + timedelta(days=number)
    records = [record(board, model, dice) for model in MODELS for board in BOARDS]
    return {
        "schema": 1,
        "sweep": {
            "id": f"{began:%Y%m%d-%H%M%S}-{number:06x}",
            "started_utc": f"{began:%Y-%m-%dT%H:%M:%SZ}",
            "finished_utc": f"{began + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
            "command": ["jetbench", "run"],
            "jetbench": "0.1.0",
            "simulated": True,
            "interrupted": False,
            "seed": 0,
        },
        "boards": {board: {"reached": True, "error": None} for board in BOARDS},
        "records": [record_to_json(each) for each in records],
        "fleet": [],
    }


def fill(db: str | None, folder: Path, nights: int) -> None:
    """All nights but the last, as `History.add` would write them.

    What a night's records have in `detail` is that of the first night: to pack a hundred million
    layers would take hours, and nobody reads them here.
    """
    dice = random.Random(1)  # noqa: S311 - noise, and the same each time
    first = adding.rows_of(json.dumps(night(0, dice)), "night 0")
    with open_history(db, folder, create=True):
        pass
    engine = open_engine(address_of(db, folder))
    details = [row["detail"] for row in first.records]
    head = unpack(first.sweep["head"])
    for number in range(nights - 1):
        began = _FIRST + timedelta(days=number)
        rows = []
        place = 0
        for model in MODELS:
            for board in BOARDS:
                light = replace(record(board, model, dice), layers=(), trials=())
                row = record_row(light, record_to_json(light))
                rows.append({**row, "detail": details[place]})
                place += 1
        names = {
            "id": f"{began:%Y%m%d-%H%M%S}-{number:06x}",
            "started_utc": f"{began:%Y-%m-%dT%H:%M:%SZ}",
        }
        sweep = {
            **first.sweep,
            "sweep_id": names["id"],
            "started_utc": names["started_utc"],
            "head": pack({**head, "sweep": {**head["sweep"], **names}}),
            "sha256": f"{number:064x}",
        }
        whole = replace(first, sweep=sweep, records=tuple(rows))
        with transaction(engine, write=True) as connection:
            adding.put(connection, whole, {"tx2-01": ["lab"]}, (), replace=False)
    engine.dispose()


def keep(folder: Path, number: int) -> str:
    """The folder of a night; the id."""
    document = night(number, random.Random(number))  # noqa: S311 - as above
    sweep_id = str(document["sweep"]["id"])
    place = folder / sweep_id
    place.mkdir(parents=True)
    (place / "result.json").write_text(json.dumps(document))
    (place / "plan.json").write_text(
        json.dumps({"boards": [{"name": board, "tags": ["lab"]} for board in BOARDS]})
    )
    return sweep_id


def command_s(words: Sequence[str]) -> float:
    """Of some runs, the median; start-up included."""
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "jetbench", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        times.append(time.perf_counter() - begin)
        # 4: two synthetic nights may differ by accident; 3: nothing to compare.
        if done.returncode not in {0, 4}:
            raise SystemExit(f"jetbench {' '.join(words)}: {done.stderr}")
    return statistics.median(times)


def median_s(action: Callable[[], object]) -> float:
    """Of some runs in this process."""
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def bare_series(file: Path) -> object:
    """The rival: the rows of a case's series, by an index, as they lie there."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(
            "select s.sweep_id, s.started_utc, r.body"
            ' from records r join cases c on c.id = r."case"'
            " join sweeps s on s.id = r.sweep where c.board = ? and c.model = ?"
            " order by s.started_utc",
            (BOARDS[2], MODELS[3]),
        ).fetchall()


def plans(db: str | None, folder: Path) -> list[str]:
    """The steps of each statement of the history that read all records, by the database's plan."""
    address = address_of(db, folder)
    explain = "explain " if address.drivername.startswith("postgresql") else "explain query plan "
    bad: list[str] = []
    seen = 0

    def look(connection: Any, _: Any, statement: str, parameters: Any, *_rest: Any) -> None:  # noqa: ANN401
        nonlocal seen
        if not statement.lstrip().upper().startswith("SELECT") or "records" not in statement:
            return
        seen += 1
        inner = connection.connection.cursor()
        inner.execute(explain + statement, parameters)
        steps = [str(row[-1]) for row in inner.fetchall()]
        bad.extend(
            step for step in steps if "SCAN records" in step or "Seq Scan on records" in step
        )

    case = Wanted(boards=(BOARDS[2],), models=(MODELS[3],))
    with open_history(db, folder) as history:
        event.listen(Engine, "before_cursor_execute", look)
        try:
            last = history.ids()[-1]
            history.sweeps(Wanted(), limit=20)
            history.sweeps(Wanted(tags=("lab",), statuses=("lost",)), limit=20)
            history.sweeps(case, limit=20)
            history.series(case)
            history.document(last)
            next(iter(history.records(case)), None)
        finally:
            event.remove(Engine, "before_cursor_execute", look)
    if not seen:
        raise SystemExit("no statement was seen: is this benchmark still right?")
    return bad


def main() -> int:
    """Print each time beside its limit; 1 if one is over it, or a plan reads all records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=358)
    parser.add_argument("--db", help="empty, and not deleted afterwards")
    arguments = parser.parse_args()
    db: str | None = arguments.db
    over = False

    def told(what: str, seconds: float, limit_s: float) -> None:
        nonlocal over
        over = over or seconds > limit_s
        print(f"{what:<46} {seconds:7.3f} s   limit {limit_s:.0f} s")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "jetbench-results"
        folder.mkdir()
        begin = time.perf_counter()
        fill(db, folder, arguments.nights)
        trials = (arguments.nights - 1) * len(BOARDS) * len(MODELS) * PROCESSES
        print(f"{trials:,} trials in {time.perf_counter() - begin:.0f} s of preparation")
        ids = [keep(folder, arguments.nights - back) for back in (2, 1)]
        file = folder / "history.sqlite"
        size = file.stat().st_size if db is None else 0
        if size:
            print(f"{file.name}: {size / 2**20:.0f} MiB")
        os.environ["JETBENCH_RESULTS"] = str(folder)
        if db is not None:
            os.environ["JETBENCH_DB"] = db
        begin = time.perf_counter()
        words = [sys.executable, "-m", "jetbench", "results", "import", str(folder / ids[1])]
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
        told("ingest of a night (results import)", time.perf_counter() - begin, INGEST_LIMIT_S)
        memory_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{'the same: memory of the process':<46} {memory_mib:7.0f} MiB")
        one_case = ["history", MODELS[3], "--board", BOARDS[2]]
        told("jetbench results list", command_s(["results", "list"]), COMMAND_LIMIT_S)
        told(
            "jetbench results list, two filters",
            command_s(["results", "list", "--model", MODELS[3], "--status", "ok"]),
            COMMAND_LIMIT_S,
        )
        told("jetbench compare, two nights", command_s(["compare", *ids]), COMMAND_LIMIT_S)
        told("jetbench history, one case", command_s(one_case), COMMAND_LIMIT_S)
        case = Wanted(boards=(BOARDS[2],), models=(MODELS[3],))
        with open_history(db, folder) as history:
            ours_s = median_s(lambda: history.series(case))
        print(f"{'the series of a case, in this process':<46} {ours_s:7.3f} s")
        if db is None:
            rival_s = median_s(lambda: bare_series(file))
            print(f"{'the same by bare sqlite3, nothing unpacked':<46} {rival_s:7.3f} s")
        bad = plans(db, folder)
        print("every plan goes by an index" if not bad else f"reads all records: {bad}")
    return int(over or bool(bad))


if __name__ == "__main__":
    sys.exit(main())
