"""Kept sweeps, found by the words of a user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import ResultError
from jetbench.formats.result import result_to_json
from jetbench.store import results as store
from jetbench.store.results import locate, read_sweep, sweeps_below
from tests import make

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.kept import KeptSweep


def open_sweep(word: str, results: Path) -> KeptSweep:
    """The sweep that a word means, read."""
    return read_sweep(locate(word, results))


def keep(results: Path, name: str) -> Path:
    """A sweep's folder with a result in it."""
    document = result_to_json(make.result(make.record()))
    document["sweep"]["id"] = name
    folder = results / name
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    (folder / "result.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three nights, and what else lies about."""
    folder = tmp_path / "results"
    for day in (2, 3, 1):
        keep(folder, f"2026010{day}-030405-a1b2c3")
    (folder / "notes.txt").write_text("by hand")
    (folder / "zoo").mkdir()
    return folder


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("latest", 3),
        ("latest~0", 3),
        ("latest~1", 2),
        ("latest~2", 1),
        ("20260102-030405-a1b2c3", 2),
    ],
)
def test_a_sweep_has_an_id_and_a_place_in_time(results: Path, word: str, day: int) -> None:
    """Whatever else lies in the folder, and in whatever order they were written."""
    assert open_sweep(word, results).id == f"2026010{day}-030405-a1b2c3"


def test_a_sweep_is_a_folder_or_a_file(results: Path, tmp_path: Path) -> None:
    """Anywhere, whether there is a results folder or not; a byte-order mark does no harm."""
    folder = results / "20260102-030405-a1b2c3"
    nowhere = tmp_path / "nowhere"
    assert open_sweep(str(folder), nowhere).id == folder.name
    assert open_sweep(str(folder / "result.json"), nowhere).id == folder.name
    copy = tmp_path / "copy.json"
    copy.write_bytes(b"\xef\xbb\xbf" + (folder / "result.json").read_bytes())
    assert open_sweep(str(copy), nowhere).source == str(copy)


def test_a_half_written_night_is_not_passed_over(results: Path) -> None:
    """The latest is the latest, even if it has no result: it must not stay unnoticed."""
    (results / "20260104-030405-a1b2c3").mkdir()
    (results / "20260104-030405-a1b2c3" / "plan.json").write_text("{}")
    with pytest.raises(ResultError, match="20260104-030405-a1b2c3: half-written"):
        open_sweep("latest", results)
    assert open_sweep("latest~1", results).id == "20260103-030405-a1b2c3"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("latest~3", "there are only 3 sweeps here"),
        ("20270101", "there is no such sweep, neither here nor below"),
        ("no/such/folder", "no/such/folder: there is no such sweep"),
        ("latest~-1", "there is no such sweep"),
        ("", "there is no such sweep"),
        ("..", "no sweep's folder"),
        ("x" * 5000, "there is no such sweep"),
        ("a\0b", "there is no such sweep"),
        ("zoo", "no sweep's folder: it has no result.json"),
        ("notes.txt", "notes.txt:1:1: no JSON"),
    ],
)
def test_what_is_no_sweep_is_said_to_be_none(
    results: Path, word: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the word that was given."""
    monkeypatch.chdir(results.parent)
    with pytest.raises(ResultError) as caught:
        open_sweep(word, results)
    assert message in caught.value.message


def test_files_that_cannot_be_read_are_named(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No text, a folder, too large, not there."""
    file = results / "20260103-030405-a1b2c3" / "result.json"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ResultError, match=r"result\.json: not UTF-8"):
        open_sweep("latest", results)
    file.unlink()
    file.mkdir()
    with pytest.raises(ResultError, match=r"result\.json: cannot be read"):
        open_sweep("latest", results)
    monkeypatch.setattr(store, "MAX_RESULT_BYTES", 100)
    with pytest.raises(ResultError, match="over 100 bytes"):
        open_sweep("latest~1", results)
    with pytest.raises(ResultError, match="there is no such folder"):
        open_sweep("latest", results / "missing")
    with pytest.raises(ResultError, match="there are no sweeps here"):
        open_sweep("latest", results / "zoo")
    with pytest.raises(ResultError, match=r"notes\.txt: cannot be read"):
        sweeps_below(results / "notes.txt")
