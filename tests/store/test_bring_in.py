"""Sweeps of others, brought in: whole or not at all, and nothing that harms."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import ResultError, StoreError
from jetbench.store import bring_in as store
from jetbench.store.bring_in import bring_in
from tests.store.nights import document, record, sweep_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = {
    "plan.json": b'{"boards": []}',
    "journals/one": b"@trial id=1\n",
    "logs/one/001-alpha.log": b"I0102 Average Forward pass\n",
    "models/one/0.prototxt": b'name: "alpha"\n',
}


def night(place: Path, day: int) -> Path:
    """A sweep's folder."""
    folder = place / sweep_id(day)
    for name, data in {**FILES, "result.json": document(day).encode()}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A colleague's folder of sweeps: two nights, one that was never finished, and notes."""
    folder = tmp_path / "theirs"
    night(folder, 1)
    night(folder, 2)
    (night(folder, 3) / "result.json").unlink()
    (folder / "notes.txt").write_text("slow again")
    return folder


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The folder of our sweeps; it is not there yet."""
    return tmp_path / "ours"


def as_folder(folder: Path) -> Path:
    """As it lies there."""
    return folder


def as_tar(folder: Path) -> Path:
    """Packed with its name."""
    path = folder.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path


def as_flat_tar(folder: Path) -> Path:
    """Packed from within."""
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        archive.add(folder, ".")
    return path


def as_zip(folder: Path) -> Path:
    """As Windows packs it."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder.parent))
    return path


FORMS = [as_folder, as_tar, as_flat_tar, as_zip]


@pytest.mark.parametrize("form", FORMS)
def test_all_that_is_finished_comes_in(
    theirs: Path, ours: Path, form: Callable[[Path], Path]
) -> None:
    """With its journals and logs, for its owner's eyes; a second time nothing is new."""
    found = list(bring_in(form(theirs), ours))
    assert [each.folder for each in found] == [ours / sweep_id(1), ours / sweep_id(2)]
    assert all(each.new for each in found)
    assert contents(ours) == {
        f"{sweep_id(day)}/{name}": data
        for day in (1, 2)
        for name, data in {**FILES, "result.json": document(day).encode()}.items()
    }
    for path in ours.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert not any(each.new for each in bring_in(form(theirs), ours))


@pytest.mark.parametrize("form", FORMS)
def test_one_sweep_comes_in(theirs: Path, ours: Path, form: Callable[[Path], Path]) -> None:
    """By itself, as its folder or packed."""
    [found] = bring_in(form(theirs / sweep_id(2)), ours)
    assert (found.folder, found.new) == (ours / sweep_id(2), True)
    assert contents(found.folder)["result.json"] == document(2).encode()


def test_a_bare_result_comes_in(ours: Path, tmp_path: Path) -> None:
    """As somebody sends it by mail; it gets a folder."""
    file = tmp_path / "night.json"
    file.write_text(document(1))
    [found] = bring_in(file, ours)
    assert contents(ours) == {f"{sweep_id(1)}/result.json": document(1).encode()}
    assert found.new


def test_what_is_here_already_stays_where_it_is(ours: Path) -> None:
    """Whether one sweep is named or all of them."""
    night(ours, 1)
    before = contents(ours)
    assert [each.new for each in bring_in(ours / sweep_id(1), ours)] == [False]
    assert [each.new for each in bring_in(ours, ours)] == [False]
    assert contents(ours) == before


def test_another_sweep_of_the_same_id_is_refused(theirs: Path, ours: Path) -> None:
    """What is here stays; the others of the folder come in."""
    (night(ours, 1) / "result.json").write_text(document(1, [record(3.0)]))
    before = contents(ours / sweep_id(1))
    first, second = bring_in(theirs, ours)
    assert first.error is not None
    assert "another sweep with its id is here" in first.error.message
    assert second.new
    assert contents(ours / sweep_id(1)) == before


def test_one_that_is_begun_here_is_not_overwritten(theirs: Path, ours: Path) -> None:
    """Its boards may measure at this moment."""
    (night(ours, 1) / "result.json").unlink()
    first, _ = bring_in(theirs, ours)
    assert first.error is not None
    assert "result.json" not in contents(ours / sweep_id(1))


def tar_of(path: Path, *members: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    """An archive with a good night, and these."""
    with tarfile.open(path, "w:gz") as archive:
        for member in ((f"{sweep_id(1)}/result.json", document(1).encode()), *members):
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


@pytest.mark.parametrize(
    "name", ["../evil", "/tmp/evil", f"{sweep_id(1)}/../../evil", "a/b/c/d/e/f/g"]
)
def test_an_archive_that_leads_elsewhere_is_refused(name: str, ours: Path, tmp_path: Path) -> None:
    """All of it: who packs such a thing means no good."""
    path = tar_of(tmp_path / "evil.tar.gz", (name, b"x"))
    with pytest.raises(ResultError, match=r"evil\.tar\.gz: "):
        list(bring_in(path, ours))
    assert list(ours.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_links_devices_and_hidden_files_are_left_out(ours: Path, tmp_path: Path) -> None:
    """They are no part of a sweep."""
    (tmp_path / "secret").write_text("a key")
    link = tarfile.TarInfo(f"{sweep_id(1)}/link")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
    hard = tarfile.TarInfo(f"{sweep_id(1)}/hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, f"{sweep_id(1)}/result.json"
    device = tarfile.TarInfo(f"{sweep_id(1)}/zero")
    device.type = tarfile.CHRTYPE
    hidden = (f"{sweep_id(1)}/.profile", b"rm -r ~")
    list(bring_in(tar_of(tmp_path / "odd.tar.gz", link, hard, device, hidden), ours))
    assert set(contents(ours)) == {f"{sweep_id(1)}/result.json"}
    folder = night(tmp_path / "theirs", 2)
    (folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    list(bring_in(folder, ours))
    assert set(contents(ours / sweep_id(2))) == {*FILES, "result.json"}


def test_an_archive_that_grows_without_end(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on its bytes, and on its files; nothing of it is left."""
    path = tar_of(tmp_path / "bomb.tar.gz", ("zeros", bytes(4 * 2**20)))
    monkeypatch.setattr(store, "MAX_BYTES", 2**20)
    monkeypatch.setattr(store, "_BLOCK", 2**16)
    with pytest.raises(ResultError, match=r"over 1048576 bytes"):
        list(bring_in(path, ours))
    monkeypatch.undo()
    monkeypatch.setattr(store, "MAX_FILES", 3)
    path = tar_of(tmp_path / "many.tar.gz", *((f"file-{number}", b"") for number in range(9)))
    with pytest.raises(ResultError, match="too many files"):
        list(bring_in(path, ours))
    assert list(ours.iterdir()) == []


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("form", [as_tar, as_zip])
def test_half_an_archive(
    theirs: Path, ours: Path, form: Callable[[Path], Path], kept: float
) -> None:
    """A download that broke off: the file is named, nothing is here."""
    (theirs / sweep_id(1) / "noise").write_bytes(os.urandom(2**16))
    path = form(theirs)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ResultError, match=r"theirs\."):
        list(bring_in(path, ours))
    assert list(ours.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "no JSON"),
        ('{"schema": 99, "sweep": {}, "records": []}', "newer jetbench"),
        (document(1).replace(sweep_id(1), "../../etc"), "is no sweep's id"),
        (document(1).replace(sweep_id(1), ".hidden"), "is no sweep's id"),
    ],
)
def test_a_file_that_is_no_result(text: str, said: str, ours: Path, tmp_path: Path) -> None:
    """It is named, and what is wrong with it."""
    file = tmp_path / "night.json"
    file.write_text(text)
    [found] = bring_in(file, ours)
    assert found.error is not None
    assert found.error.message.startswith(str(file))
    assert said in found.error.message
    assert list(ours.iterdir()) == []


def test_nothing_to_bring_in(ours: Path, tmp_path: Path) -> None:
    """No such path, or a folder with no finished sweep in it."""
    with pytest.raises(ResultError, match="there is no such file or folder"):
        list(bring_in(tmp_path / "nowhere", ours))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultError, match="no finished sweep is in it"):
        list(bring_in(tmp_path / "empty", ours))


def test_a_place_that_cannot_be_written(theirs: Path, tmp_path: Path) -> None:
    """It is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        list(bring_in(theirs, tmp_path / "file" / "results"))
