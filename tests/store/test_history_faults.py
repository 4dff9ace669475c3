"""Databases that cannot be used as they are: a clear error, and what was there is there still."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from jetbench.domain.errors import ResultError, StoreError, UsageError
from jetbench.domain.history import Wanted
from jetbench.store.database import engine as of_engines
from jetbench.store.database import schema
from jetbench.store.database.address import address_of
from jetbench.store.database.history import open_history
from jetbench.store.database.tables import metadata
from tests.store.nights import document, record, sweep_id
from tests.store.postgres import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.store.postgres import PostgresServer

ALL = Wanted()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A history of one night, in a file."""
    path = tmp_path / "history.sqlite"
    with open_history(str(path), tmp_path, create=True) as history:
        history.add(document(1), "first")
    return path


def still_there(file: Path) -> bool:
    """Whether the night is in it, and nothing else."""
    with open_history(str(file), file.parent) as history:
        return history.ids() == [sweep_id(1)]


def test_tables_and_migrations_say_the_same(url: str, tmp_path: Path) -> None:
    """What the migrations make is what the program expects, to the last index."""
    with open_history(url, tmp_path, create=True):
        pass
    engine = create_engine(address_of(url, tmp_path))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    scripts = ScriptDirectory(str(Path(schema.__file__).with_name("migrations")))
    assert scripts.get_heads() == [schema.LATEST]


def test_a_newer_schema_is_refused(url: str, tmp_path: Path) -> None:
    """Politely: it is said which, what to do, and nothing was changed."""
    with open_history(url, tmp_path, create=True) as history:
        history.add(document(1), "first")
    engine = create_engine(address_of(url, tmp_path))
    is_now = text("update jetbench_version set version_num = :version")
    with engine.begin() as connection:
        connection.execute(is_now, {"version": "0999"})
    with pytest.raises(StoreError, match="written by a newer jetbench") as raised:
        open_history(url, tmp_path).__enter__()
    assert raised.value.hint == "upgrade jetbench here; nothing was changed"
    with engine.begin() as connection:
        connection.execute(is_now, {"version": schema.LATEST})
    engine.dispose()
    with open_history(url, tmp_path) as history:
        assert history.ids() == [sweep_id(1)]


def test_somebody_elses_database_is_left_alone(url: str, tmp_path: Path) -> None:
    """One that has a table of a name of ours."""
    engine = create_engine(address_of(url, tmp_path))
    with engine.begin() as connection:
        connection.exec_driver_sql("create table records (title text)")
        connection.exec_driver_sql("insert into records values ('Kind of Blue')")
    with pytest.raises(StoreError, match=r"this database is not jetbench's.*records"):
        open_history(url, tmp_path, create=True).__enter__()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select title from records").scalar() == "Kind of Blue"
    engine.dispose()


def test_a_server_may_hold_other_tables_beside_ours(postgresql: str, tmp_path: Path) -> None:
    """A file is ours alone."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("create table visitors (name text)")
    with open_history(postgresql, tmp_path) as history:
        history.add(document(1), "first")
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection_:
        connection_.execute("create table visitors (name text)")
    with pytest.raises(StoreError, match="not jetbench's"):
        open_history(str(other), tmp_path).__enter__()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is named, and is what it was."""
    path = tmp_path / "notes.txt"
    path.write_text("Tuesday: board two is slow again\n" * 100)
    with pytest.raises(StoreError, match=r"notes\.txt: this file is no SQLite database"):
        open_history(str(path), tmp_path, create=True).__enter__()
    assert path.read_text().startswith("Tuesday")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_history(str(tmp_path), tmp_path).__enter__()


def test_a_history_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    """It is said how to make it."""
    with pytest.raises(StoreError, match="no history here yet") as raised:
        open_history(None, tmp_path).__enter__()
    assert "results reindex" in str(raised.value.hint)
    assert list(tmp_path.iterdir()) == []


def test_a_history_is_for_its_owner_only(tmp_path: Path) -> None:
    """As everything else that tells about a lab."""
    with open_history(None, tmp_path / "results", create=True):
        pass
    assert (tmp_path / "results" / "history.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file(file: Path) -> None:
    """Half of it is overwritten: said, with the way to make it again."""
    data = bytearray(file.read_bytes())
    data[2048:] = b"\xaa" * len(data[2048:])
    file.write_bytes(data)
    with (
        pytest.raises(StoreError, match=r"history\.sqlite") as raised,
        open_history(str(file), file.parent) as history,
    ):
        history.sweeps(ALL)
    assert "it is damaged" in raised.value.message
    assert "results reindex" in str(raised.value.hint)


def test_a_record_that_was_edited_by_hand(file: Path) -> None:
    """An error that names it, whatever was done."""
    with sqlite3.connect(file) as connection:
        connection.execute("update records set body = x'00ff'")
    with open_history(str(file), file.parent) as history:
        with pytest.raises(StoreError, match="damaged"):
            list(history.records(ALL))
        with pytest.raises(StoreError, match="damaged"):
            history.document(sweep_id(1))


def test_a_locked_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program writes, and does not end: said, after a wait with an end."""
    monkeypatch.setattr(of_engines, "WAIT_S", 0.1)
    other = sqlite3.connect(file)
    other.execute("begin exclusive")
    with (
        pytest.raises(StoreError, match="another program has locked it"),
        open_history(str(file), file.parent) as history,
    ):
        history.add(document(2), "second")
    other.rollback()
    other.close()
    assert still_there(file)


def test_a_locked_server(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file."""
    with open_history(postgresql, tmp_path) as history:
        history.add(document(1), "first")
    monkeypatch.setattr(of_engines, "WAIT_S", 0.1)
    with psycopg.connect(postgresql) as other:
        other.execute("lock table sweeps")
        with (
            pytest.raises(StoreError, match="another program has locked it"),
            open_history(postgresql, tmp_path) as history,
        ):
            history.add(document(2), "second")
    with open_history(postgresql, tmp_path) as history:
        assert history.ids() == [sweep_id(1)]


def in_a_process(code: str, *words: str, user: int | None = None) -> subprocess.Popen[str]:
    """A program of its own that has `open_history`, `document` and some words."""
    head = (
        "import sys; from pathlib import Path; "
        "from jetbench.store.database.history import open_history; "
        "from jetbench.domain.errors import JetbenchError; "
        "from tests.store.nights import document, record; "
        "words = sys.argv[1:]\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *words],
        stdout=subprocess.PIPE,
        text=True,
        user=user,
        cwd=Path(__file__).parents[2],
    )


def test_a_file_that_is_read_only(file: Path) -> None:
    """It can be read; what cannot be written is said."""
    code = (
        "with open_history(words[0], Path('.')) as history:\n"
        "    print(history.ids())\n"
        "    try: history.add(document(2), 'second')\n"
        "    except JetbenchError as error: print(error.message, '|', error.hint)\n"
    )
    if os.getuid() == 0:
        # Root may write anything; but not to what is mounted so.
        mounted = file.parent / "mounted"
        mounted.mkdir()
        data = file.read_bytes()
        subprocess.run(["mount", "-t", "tmpfs", "small", str(mounted)], check=True)
        try:
            (mounted / file.name).write_bytes(data)
            subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
            out, _ = in_a_process(code, str(mounted / file.name)).communicate(timeout=60)
        finally:
            subprocess.run(["umount", str(mounted)], check=True)
    else:
        file.chmod(0o400)
        file.parent.chmod(0o500)
        out, _ = in_a_process(code, str(file)).communicate(timeout=60)
        file.parent.chmod(0o700)
    assert f"['{sweep_id(1)}']" in out
    assert "history.sqlite: it is read-only | see the rights" in out
    assert still_there(file)


def test_a_full_disk(file: Path) -> None:
    """What was there before is there still, and is not half of two nights."""
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(words[1]), int(words[1])))\n"
        "many = [record(7.0, model=f'model {n}') for n in range(2000)]\n"
        "try:\n"
        "    with open_history(words[0], Path('.')) as history:\n"
        "        history.add(document(2, many), '')\n"
        "except JetbenchError as error: print(error.message)\n"
    )
    size = str(file.stat().st_size + 8192)
    out, _ = in_a_process(code, str(file), size).communicate(timeout=60)
    assert "history.sqlite: the disk" in out
    assert still_there(file)


@pytest.fixture
def slow(file: Path) -> Iterator[subprocess.Popen[str]]:
    """A program in the middle of bringing a night in."""
    code = (
        "from jetbench.store.database import adding\n"
        "put_parts = adding._put_parts\n"
        "def slow(*all):\n"
        "    print('in the middle', flush=True)\n"
        "    import time; time.sleep(60)\n"
        "adding._put_parts = slow\n"
        "with open_history(words[0], Path('.')) as history: history.add(document(2), '')\n"
    )
    process = in_a_process(code, str(file))
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    with process:
        yield process
        process.kill()


def test_a_program_killed_in_the_middle(file: Path, slow: subprocess.Popen[str]) -> None:
    """Nothing of its night is in, and the next one is in nobody's way."""
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    assert still_there(file)
    with open_history(str(file), file.parent) as history:
        assert history.add(document(2), "second")


def test_reading_goes_on_while_another_writes(file: Path, slow: subprocess.Popen[str]) -> None:
    """What is read is what was there before."""
    assert slow.poll() is None
    assert still_there(file)


@pytest.fixture
def stopped(server: PostgresServer) -> Iterator[None]:
    """The server is down meanwhile."""
    server.stop("immediate")
    yield
    server.start()


@pytest.mark.usefixtures("stopped")
def test_a_server_that_is_down(server: PostgresServer, tmp_path: Path) -> None:
    """Said at once, with its address."""
    url = f"postgresql://jetbench@127.0.0.1:{server.port}/lab"
    with pytest.raises(StoreError, match=rf"127\.0\.0\.1:{server.port}/lab: no server answers"):
        open_history(url, tmp_path).__enter__()


def test_a_server_that_goes_down_meanwhile(
    server: PostgresServer, postgresql: str, tmp_path: Path
) -> None:
    """An error in our words; what was committed is there when it is up again."""
    with open_history(postgresql, tmp_path) as history:
        history.add(document(1), "first")
        server.stop("fast")
        try:
            with pytest.raises(StoreError, match="/lab"):
                history.add(document(2), "second")
        finally:
            server.start()
        assert history.ids() == [sweep_id(1)]


def test_a_wrong_password_is_said_and_not_repeated(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment; ~/.pgpass will do as well."""
    monkeypatch.setenv("PGPASSWORD", "a wrong one")
    with pytest.raises(StoreError, match="does not take the password") as raised:
        open_history(postgresql, tmp_path).__enter__()
    assert "a wrong one" not in raised.value.message
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with pytest.raises(StoreError, match="asks for a password"):
        open_history(postgresql, tmp_path).__enter__()
    (tmp_path / "pgpass").write_text(f"*:*:*:*:{PASSWORD}\n")
    (tmp_path / "pgpass").chmod(0o600)
    with open_history(postgresql, tmp_path) as history:
        assert history.ids() == []


def test_a_database_that_nobody_has_made(postgresql: str, tmp_path: Path) -> None:
    """The server says so, and we say what to do."""
    with pytest.raises(StoreError, match="no such database or user"):
        open_history(postgresql + "x", tmp_path).__enter__()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@host/lab", "a password in a URL is seen by everybody"),
        ("postgresql://me@host/lab?password=secret", "a password in a URL"),
        ("mysql://me@host/lab", "mysql is no kind of database"),
        ("postgresql://host:port:secret/lab", "this is no URL of a database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("", "names no file"),
    ],
)
def test_an_address_that_is_none(url: str, said: str, tmp_path: Path) -> None:
    """A wrong option: exit code 2, and no secret is repeated."""
    with pytest.raises(UsageError, match=said) as raised:
        address_of(url, tmp_path)
    assert "secret" not in f"{raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "no JSON"),
        ("[1, 2]", "not the result of a sweep"),
        ('{"schema": 99, "sweep": {}, "records": []}', "written by a newer jetbench"),
        ('{"results": []}', "not the result of a sweep"),
        (document(2).replace('"ok"', '"fine"'), r"records\[0\]\.status"),
        (document(2).replace('"mean": 7.1', '"mean": 6.1'), "mean"),
        (document(2, [record(7.0, iterations=2**40)]), "iterations is 1099511627776"),
    ],
)
def test_a_document_that_cannot_go_in(file: Path, written: str, said: str) -> None:
    """The file is named, with the place; the history is what it was."""
    with open_history(str(file), file.parent) as history:
        with pytest.raises(ResultError, match=said) as raised:
            history.add(written, "night.json")
        assert raised.value.message.startswith("night.json")
    assert still_there(file)
