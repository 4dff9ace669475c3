"""Sweeps and their history: remembered, brought in, made again, with databases that fail."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.history import Wanted
from jetbench.store.database.history import open_history
from jetbench.virtual.fleet import VirtualFleet
from tests.e2e.program import NET, Program
from tests.store.nights import document, sweep_id
from tests.store.postgres import PASSWORD, a_server
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards."""
    folder = tmp_path_factory.mktemp("fleet")
    with VirtualFleet(boards=2, directory=folder, options=FAST) as fleet:
        (folder / "inventory.yaml").write_text(fleet.inventory_text())
        yield fleet


@pytest.fixture
def jetbench(fleet: VirtualFleet, tmp_path: Path) -> Program:
    """The program, with a small net in its folder."""
    (tmp_path / "small.prototxt").write_text(NET)
    return Program(tmp_path, fleet.directory / "inventory.yaml")


RUN = ("run", "small.prototxt", "--repeats", "1", "--warm-up", "0", "-q")


def test_a_sweep_is_in_the_history_when_it_ends(jetbench: Program) -> None:
    """In a file beside the folders, with nothing to set up; taken up again, it is there once."""
    done = jetbench(*RUN, "--format", "json")
    assert (done.status, done.err) == (0, "")
    document = done.document
    with open_history(None, jetbench.results) as history:
        kept = history.sweep(document["sweep"]["id"])
        assert kept is not None
        assert [record.board for record in kept.records] == [
            record["board"] for record in document["records"]
        ]
    again = jetbench("run", "--resume", "latest", "-q")
    assert (again.status, again.err) == (0, "")
    with open_history(None, jetbench.results) as history:
        assert history.ids() == [document["sweep"]["id"]]


def test_boards_are_found_by_the_tags_that_they_had(jetbench: Program) -> None:
    """Those of the inventory when the sweep was planned."""
    done = jetbench(*RUN, "--format", "json")
    with open_history(None, jetbench.results) as history:
        assert [line.id for line in history.sweeps(Wanted(tags=("nobody's",)))] == []
        [found] = history.sweeps(Wanted(tags=("r32",)))
    assert found.id == done.document["sweep"]["id"]
    assert found.boards == ("virt-02",)


def test_a_sweep_goes_on_without_its_database(jetbench: Program) -> None:
    """It is measured and shown; a warning says how it gets into the history later."""
    url = "postgresql://lab@127.0.0.1:9/lab"
    done = jetbench(*RUN, "--db", url, "--format", "json")
    assert done.status == 0
    sweep = done.document["sweep"]["id"]
    assert "warning: this sweep is not in the history" in done.err
    assert "no server answers there" in done.err
    assert f"jetbench results import jetbench-results/{sweep} --db {url}" in done.err
    other = str(jetbench.folder / "other.sqlite")
    later = jetbench("results", "import", f"jetbench-results/{sweep}", "--db", other)
    assert (later.status, later.err) == (0, f"{sweep}: brought in\n")
    with open_history(other, jetbench.results) as history:
        assert history.ids() == [sweep]


def test_a_url_that_names_no_database_is_said_before_any_board_is_touched(
    jetbench: Program,
) -> None:
    """Exit code 2; a password in it is not repeated, and is not in what was kept."""
    for words in (RUN, ("attach", "latest")):
        done = jetbench(*words, "--db", "postgresql://lab:secret@host/lab")
        assert done.status == 2
        assert "a password in a URL is seen by everybody" in done.err
        assert "secret" not in done.err
    assert not jetbench.results.exists()


def test_a_history_is_made_again_from_the_folders(jetbench: Program) -> None:
    """Deleted or damaged, all that was in it comes back; what cannot be read is named."""
    ids = [jetbench(*RUN, "--format", "json").document["sweep"]["id"] for _ in range(2)]
    file = jetbench.results / "history.sqlite"
    file.unlink()
    done = jetbench("results", "reindex")
    assert (done.status, done.err) == (
        0,
        "2 new, 0 known already, 0 unfinished, 0 refused\n",
    )
    with open_history(None, jetbench.results) as history:
        assert history.ids() == ids
    file.write_bytes(b"\xaa" * 9000)
    done = jetbench("results", "reindex")
    assert done.status == 1
    assert "history.sqlite: this file is no SQLite database" in done.err
    file.unlink()
    (jetbench.results / ids[0] / "result.json").write_text("{")
    shutil.copytree(jetbench.results / ids[1], jetbench.results / "20991231-000000-ffffff")
    (jetbench.results / "20991231-000000-ffffff" / "result.json").unlink()
    done = jetbench("results", "reindex")
    assert done.status == 1
    assert f"error: jetbench-results/{ids[0]}/result.json:1:2: no JSON" in done.err
    assert "20991231-000000-ffffff: not finished yet" in done.err
    assert "1 new, 0 known already, 1 unfinished, 1 refused" in done.err


def test_a_history_that_is_somebody_elses_does_no_harm(jetbench: Program) -> None:
    """The sweep is kept in its folder, their file is what it was."""
    jetbench.results.mkdir()
    with sqlite3.connect(jetbench.results / "history.sqlite") as connection:
        connection.execute("create table bookmarks (url text)")
    done = jetbench(*RUN)
    assert done.status == 0
    assert "this database is not jetbench's" in done.err
    with sqlite3.connect(jetbench.results / "history.sqlite") as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("bookmarks",)]


def test_sweeps_of_others_come_in(jetbench: Program, tmp_path: Path) -> None:
    """Those that can; exit code 1 where some cannot, 2 where none can."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(document(1))
    bad.write_text("{}")
    done = jetbench("results", "import", "good.json", "bad.json", "nowhere.tar.gz")
    assert done.status == 1
    assert f"{sweep_id(1)}: brought in" in done.err
    assert "bad.json: JSON, but not the result of a sweep" in done.err
    assert "nowhere.tar.gz: there is no such file or folder" in done.err
    assert (jetbench.results / sweep_id(1) / "result.json").read_text() == document(1)
    again = jetbench("results", "import", "good.json")
    assert (again.status, again.err) == (0, f"{sweep_id(1)}: known already\n")
    assert jetbench("results", "import", "bad.json").status == 2
    compared = jetbench("compare", sweep_id(1), "good.json")
    assert compared.status == 0


def test_hosts_write_to_one_history_on_a_server(jetbench: Program, tmp_path: Path) -> None:
    """With the password from the environment; it is in nothing that is kept."""
    with a_server() as server:
        url = server.new_database()
        other = Program(tmp_path, jetbench.folder / "inventory.yaml")
        other.results = tmp_path / "host-two"
        first = jetbench(*RUN, "--db", url, "--format", "json", PGPASSWORD=PASSWORD)
        second = jetbench(
            *RUN, "--results", "host-two", "--format", "json",
            PGPASSWORD=PASSWORD, JETBENCH_DB=url,
        )  # fmt: skip
        assert (first.err, second.err) == ("", "")
        ids = [each.document["sweep"]["id"] for each in (first, second)]
        done = jetbench("results", "reindex", "--db", url, PGPASSWORD=PASSWORD)
        assert "0 new, 1 known already" in done.err
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGPASSWORD", PASSWORD)
            with open_history(url, tmp_path) as history:
                assert history.ids() == ids
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()
    assert not (jetbench.results / "history.sqlite").exists()
