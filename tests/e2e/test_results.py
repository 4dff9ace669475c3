"""`jetbench results`: what was measured, found and shown again."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import os
import pty
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from jetbench.domain.record import LayerTime
from jetbench.store.database.history import open_history
from jetbench.virtual.fleet import VirtualFleet
from tests.e2e.program import NET, Done, Program
from tests.store.nights import document, record, sweep_id
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = (
    "run", "alpha.prototxt", "beta.prototxt", "--batch", "1,2", "--repeats", "2", "--warm-up", "1",
    "--cooldown", "off", "-q",
)  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Done]]:
    """A sweep over two boards, and what `run` printed of it as JSON."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "alpha.prototxt").write_text(NET)
    (folder / "beta.prototxt").write_text(NET.replace("num_output: 16", "num_output: 32"))
    program = Program(folder, folder / "inventory.yaml")
    with VirtualFleet(boards=2, directory=folder / "fleet", options=FAST) as fleet:
        (folder / "inventory.yaml").write_text(fleet.inventory_text())
        done = program(*RUN, "--format", "json")
        assert done.status == 0
        yield program, done


@pytest.fixture
def jetbench(measured: tuple[Program, Done]) -> Program:
    """The program, where that sweep is."""
    return measured[0]


@pytest.fixture
def nights(tmp_path: Path) -> Program:
    """The program, and three nights in its history that nobody measured."""
    program = Program(tmp_path, tmp_path / "inventory.yaml")
    with open_history(None, program.results, create=True) as history:
        for day in (1, 2, 3):
            records = [record(7.0 + day), record(9.0, board="two", model="=beta", simulated=True)]
            history.add(document(day, records), "", tags={"one": ["lab"]})
    return program


def test_a_sweep_is_shown_as_it_was_when_it_was_measured(
    measured: tuple[Program, Done],
) -> None:
    """In every format, to the last letter; JSON to the last digit."""
    jetbench, done = measured
    assert jetbench("results", "show", "--format", "json").out == done.out
    lines = jetbench("results", "show", "latest", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["forward_ms"] for line in lines] == [
        one["forward_ms"] for one in done.document["records"]
    ]
    for form in ("table", "markdown", "csv", "junit"):
        again = jetbench("run", "--resume", "latest", "-q", "--format", form)
        shown = jetbench("results", "show", "--format", form)
        assert (shown.status, shown.out) == (0, again.out)


def test_a_part_of_a_sweep_is_shown(jetbench: Program) -> None:
    """By board, model and status; all numbers are those of the whole."""
    part = jetbench(
        "results", "show", "--board", "virt-02", "--model", "alpha", "--format", "json"
    ).document
    assert {(one["board"], one["model"]) for one in part["records"]} == {("virt-02", "alpha")}
    assert len(part["records"]) == 2
    nothing = jetbench("results", "show", "--status", "lost", "--format", "csv")
    assert len(nothing.out.splitlines()) == 1
    assert jetbench("results", "show", "--status", "lost").status == 0
    assert jetbench("results", "show", "--status", "bad").status == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("", "no JSON"),
        ('{"schema": 99, "sweep": {}, "records": []}', "written by a newer jetbench"),
        ('{"tests": []}', "not the result of a sweep"),
        (document(1).replace('"ok"', '"great"'), "records[0].status"),
    ],
)
def test_what_is_no_sweep_is_said(nights: Program, make: str, said: str) -> None:
    """Half-written, edited by hand, newer, another tool's: named, with the place."""
    folder = nights.results / sweep_id(9)
    folder.mkdir()
    (folder / "result.json").write_text(make)
    for words in (("show", sweep_id(9)), ("layers", sweep_id(9))):
        done = nights("results", *words)
        assert done.status == 2
        assert f"{sweep_id(9)}/result.json" in done.err
        assert said in done.err


def test_the_log_is_what_the_board_wrote(jetbench: Program) -> None:
    """Byte for byte: the copy for people is the same, and `parse` reads it."""
    words = ("--board", "virt-01", "--model", "alpha", "--batch", "2", "--repeat", "2")
    done = jetbench("results", "log", "latest", *words)
    assert done.status == 0
    copies = (jetbench.sweep() / "logs/virt-01").glob("*-alpha.log")
    assert done.out.encode() in [copy.read_bytes() for copy in copies]
    jetbench("results", "log", "latest", *words, "-o", "one.log")
    [parsed] = jetbench("parse", "one.log", "--format", "json").document
    assert (parsed["complete"], parsed["batch"]) == (True, 2)
    warm = jetbench("results", "log", "-b", "virt-01", "--repeat", "0")
    assert "Benchmark ends" in warm.out


def test_a_log_is_escaped_on_a_terminal(jetbench: Program, tmp_path: Path) -> None:
    """Whatever a board writes: it moves no cursor. Into a pipe it goes as it is."""
    results = tmp_path / "hostile"
    shutil.copytree(jetbench.results, results)
    journal = results / jetbench.sweep().name / "journals" / "virt-01"
    log = b"I0102 \x1b]0;owned\x07 Average\r\n\xff\n"
    packed = base64.b64encode(gzip.compress(log)).decode()
    digest = hashlib.sha256(log).hexdigest()
    journal.write_text(
        f"@start version=1\n@trial id=1 up=1\n| {packed}\n@done id=1 exit=0 up=2 sha256={digest}\n"
    )
    plan = json.loads((results / jetbench.sweep().name / "plan.json").read_text())
    case = plan["cases"][plan["trials"][0]["case"]]
    words = (
        "results", "log", "-b", "virt-01", "-m", case["model"], "--batch", str(case["batch"]),
        "--results", str(results),
    )  # fmt: skip
    jetbench(*words, "-o", "raw.log")
    assert (jetbench.folder / "raw.log").read_bytes() == log
    ours, theirs = pty.openpty()
    subprocess.run(
        jetbench.command(*words), cwd=jetbench.folder, env=jetbench.environment, stdout=theirs,
        timeout=60, check=True,
    )  # fmt: skip
    shown = os.read(ours, 65536)
    os.close(theirs)
    os.close(ours)
    assert b"\x1b" not in shown
    assert rb"\x1b]0;owned\x07 Average\r" in shown


def test_where_several_cases_fit_they_are_told(jetbench: Program) -> None:
    """As options that choose one of them; where none fits, all there are."""
    for words in (("log", "latest"), ("layers", "latest")):
        done = jetbench("results", *words, "--board", "virt-01")
        assert done.status == 2
        assert "4 cases fit" in done.err
        assert "\n  --board virt-01 --model beta --batch 2 --power-mode " in done.err
        done = jetbench("results", *words, "--board", "elsewhere")
        assert (done.status, "no case fits" in done.err) == (2, True)
        assert "\n  --board virt-02 --model alpha" in done.err or words[0] == "log"


def test_the_layers_of_a_case_are_its_profile(measured: tuple[Program, Done]) -> None:
    """All of them, with their part of the time; sorted, cut, for scripts."""
    jetbench, done = measured
    case = ("-b", "virt-01", "-m", "beta", "--batch", "2")
    [wanted] = [
        one
        for one in done.document["records"]
        if (one["board"], one["model"], one["batch"]) == ("virt-01", "beta", 2)
    ]
    shown = jetbench("results", "layers", "latest", *case, "--format", "json").document
    assert [(one["name"], one["forward_ms"]) for one in shown["layers"]] == [
        (one["name"], one["forward_ms"]) for one in wanted["layers"]
    ]
    assert sum(one["share"] for one in shown["layers"]) == pytest.approx(1)
    table = jetbench("results", "layers", *case, "--sort", "time", "--top", "1")
    slowest = max(wanted["layers"], key=lambda layer: layer["forward_ms"])
    assert table.out.splitlines()[4].split()[0] == slowest["name"]
    assert "3 layers" in table.out
    rows = list(csv.DictReader(io.StringIO(
        jetbench("results", "layers", *case, "--format", "csv").out
    )))  # fmt: skip
    assert [float(row["forward_ms"]) for row in rows] == [
        one["forward_ms"] for one in wanted["layers"]
    ]


def test_two_sweeps_stand_side_by_side(nights: Program) -> None:
    """The largest difference first; what only one has, at the end."""

    def net(**ms: float) -> str:
        layers = tuple(LayerTime(name, "Convolution", each, 1.0) for name, each in ms.items())
        return document(1, [record(7.0, layers=layers)])

    (nights.folder / "a.json").write_text(net(conv1=1.0, conv2=2.0, gone=3.0))
    (nights.folder / "b.json").write_text(net(conv1=1.1, conv2=4.0, new=5.0))
    shown = nights("results", "layers", "a.json", "b.json", "--format", "json").document
    assert [
        (one["name"], one["forward_ms"], one["b_forward_ms"], one["more_ms"])
        for one in shown["layers"]
    ] == [
        ("conv2", 2.0, 4.0, 2.0),
        ("conv1", 1.0, 1.1, pytest.approx(0.1)),
        ("gone", 3.0, None, None),
        ("new", None, 5.0, None),
    ]
    table = nights("results", "layers", "a.json", "b.json").out
    assert "The largest difference: conv2, +2 ms, 95 % of that of all layers." in table
    assert max(map(len, table.splitlines())) <= 80


def test_sweeps_are_listed_the_newest_first(nights: Program) -> None:
    """With filters, a limit that is told, and for scripts."""
    ids = [sweep_id(day) for day in (3, 2, 1)]
    listed = nights("results", "list", "--format", "json").document["sweeps"]
    assert [one["id"] for one in listed] == ids
    assert listed[0]["counts"] == {"ok": 2, "suspect": 0, "failed": 0, "lost": 0}
    few = nights("results", "list", "-n", "2")
    assert [line.split()[0] for line in few.out.splitlines()[2:]] == ids[:2]
    assert "These are the newest 2" in few.err
    some = nights("results", "list", "--since", "2026-01-02", "--until", "2026-01-02")
    assert [line.split()[0] for line in some.out.splitlines()[2:]] == [ids[1]]
    tagged = nights("results", "list", "--board", "@lab", "--format", "jsonl").out.splitlines()
    assert {tuple(json.loads(line)["boards"]) for line in tagged} == {("one",)}
    rows = list(csv.DictReader(io.StringIO(nights("results", "list", "--format", "csv").out)))
    assert [(row["sweep"], row["models"]) for row in rows] == [
        (one, "'=beta alpha") for one in ids
    ]
    nothing = nights("results", "list", "--model", "gamma")
    assert (nothing.status, nothing.out) == (0, "")
    assert "There is no such sweep" in nothing.err


def test_a_list_makes_the_history_where_there_is_none(jetbench: Program, tmp_path: Path) -> None:
    """From the folders: a user of an older version finds everything."""
    results = tmp_path / "older"
    shutil.copytree(jetbench.results, results)
    (results / "history.sqlite").unlink()
    done = jetbench("results", "list", "--results", str(results))
    assert jetbench.sweep().name in done.out
    assert "the history is made from the folders of 1 sweep" in done.err
    assert jetbench("results", "list", "--results", str(results)).err == ""
    assert jetbench("results", "list", "--results", str(tmp_path / "nowhere")).status == 2


def test_everything_is_exported_as_one_flat_table(measured: tuple[Program, Done]) -> None:
    """A row a case, or a row a process, the numbers in full."""
    jetbench, done = measured
    records = done.document["records"]
    rows = list(csv.DictReader(io.StringIO(jetbench("results", "export").out)))
    assert [float(row["forward_ms_mean"]) for row in rows] == [
        one["forward_ms"]["mean"] for one in records
    ]
    lines = jetbench("results", "export", "--trials", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["forward_ms"] for line in lines] == [
        trial["forward_ms"] for one in records for trial in one["trials"]
    ]
    written = jetbench("results", "export", "--model", "beta", "-o", "beta.csv")
    assert (written.status, written.err) == (0, "4 rows\n")
    shown = jetbench("results", "export", "--format", "markdown").out.splitlines()
    assert len(shown) == 2 + len(records)


def test_parquet_is_read_by_others(jetbench: Program) -> None:
    """With types, and nothing lost."""
    done = jetbench("results", "export", "--trials", "--format", "parquet", "-o", "t.parquet")
    assert (done.status, done.err) == (0, "16 rows\n")
    table = pq.read_table(jetbench.folder / "t.parquet")
    assert table.num_rows == 16
    assert str(table.schema.field("forward_ms").type) == "double"
    assert set(table.column("board").to_pylist()) == {"virt-01", "virt-02"}
    assert jetbench("results", "export", "--format", "parquet").status == 2


def test_no_cell_is_a_formula_and_a_table_is_there_whole_or_not(nights: Program) -> None:
    """As in every CSV of ours; what was in the file before is there still where it fails."""
    rows = list(csv.DictReader(io.StringIO(nights("results", "export").out)))
    assert "'=beta" in {row["model"] for row in rows}
    (nights.folder / "all.csv").write_text("of yesterday")
    nothing = nights("results", "export", "--model", "gamma", "-o", "none.csv")
    assert nothing.status == 3
    assert nights("results", "export", "-o", "no/such/folder.csv").status == 2
    assert nights("results", "export", "latest").status == 2
    assert (nights.folder / "all.csv").read_text() == "of yesterday"
    assert nights("results", "export", "-o", "all.csv").status == 0
    assert len((nights.folder / "all.csv").read_text().splitlines()) == 7


def test_a_colleague_gets_everything(jetbench: Program, tmp_path: Path) -> None:
    """Packed twice it is the same file; brought in, it is the same sweep, its logs included."""
    for name in ("a.tar.gz", "b.tar.gz"):
        done = jetbench("results", "export", "latest", "--archive", name)
        assert done.status == 0
    packed = jetbench.folder / "a.tar.gz"
    assert packed.read_bytes() == (jetbench.folder / "b.tar.gz").read_bytes()
    with tarfile.open(packed) as archive:
        for member in archive:
            assert member.name.startswith(jetbench.sweep().name + "/")
            assert (member.uid, member.gid, member.uname, member.mtime) == (0, 0, "", 0)
    theirs = tmp_path / "theirs"
    assert jetbench("results", "import", "a.tar.gz", "--results", str(theirs)).status == 0
    case = ("-b", "virt-01", "-m", "alpha", "--batch", "1")
    for words in (("show", "--format", "json"), ("log", *case), ("layers", *case)):
        ours = jetbench("results", *words)
        assert jetbench("results", *words, "--results", str(theirs)).out == ours.out


def test_a_sweep_without_its_journals_has_no_logs(jetbench: Program, tmp_path: Path) -> None:
    """Pruned, or a result that came alone: said, with what to do."""
    results = tmp_path / "pruned"
    shutil.copytree(jetbench.results, results)
    kept = ("--results", str(results))
    done = jetbench("results", "prune", "--keep-journals", "0", *kept)
    assert done.err.startswith("1 sweep lost their journals, ")
    case = ("-b", "virt-01", "-m", "alpha", "--batch", "1")
    said = jetbench("results", "log", "latest", *case, *kept)
    assert (said.status, "deleted by `jetbench results prune`" in said.err) == (2, True)
    resumed = jetbench("run", "--resume", "latest", *kept)
    assert (resumed.status, "deleted by `jetbench results prune`" in resumed.err) == (2, True)
    assert jetbench("results", "show", *kept).status == 0
    (results / jetbench.sweep().name / "plan.json").unlink()
    (results / jetbench.sweep().name / "pruned.json").unlink()
    alone = jetbench("results", "log", "latest", *case, *kept)
    assert (alone.status, "came without its journals" in alone.err) == (2, True)
