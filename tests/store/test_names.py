"""The names of baselines, and sweeps found by all that a user may call them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import ResultError, StoreError, UsageError
from jetbench.store.names import check_name, named, names_of, read_names, set_name
from jetbench.store.results import find_begun, locate
from tests.store.nights import sweep_id

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two sweeps on the second of January, one on the third, and a second look at that one."""
    folder = tmp_path / "results"
    for name in (
        "20260102-030405-a1b2c3", "20260102-200000-ffffff", "20260103-030405-a1b2c3",
        "20260103-031505-c0ffee",
    ):  # fmt: skip
        (folder / name).mkdir(parents=True)
        (folder / name / "plan.json").write_text("{}")
    (folder / "20260103-031505-c0ffee" / "second-look").write_text("20260103-030405-a1b2c3\n")
    return folder


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("latest", "20260103-030405-a1b2c3"),
        ("latest~1", "20260102-200000-ffffff"),
        ("2026-01-02", "20260102-200000-ffffff"),
        ("2026-01-03", "20260103-030405-a1b2c3"),
        ("20260103", "20260103-030405-a1b2c3"),
        ("20260102-03", "20260102-030405-a1b2c3"),
        ("20260103-031505-c0ffee", "20260103-031505-c0ffee"),
        ("good", "20260102-030405-a1b2c3"),
    ],
)
def test_a_sweep_has_many_names(results: Path, word: str, name: str) -> None:
    """A second look has its id only: it is no night of its own."""
    set_name(results, "good", "20260102-030405-a1b2c3")
    assert locate(word, results) == results / name
    assert find_begun(word, results) == results / name


def test_a_beginning_of_several_ids_is_refused(results: Path) -> None:
    """They are told."""
    with pytest.raises(ResultError, match=r"2 sweeps begin so: 20260102-030405-a1b2c3, 2026"):
        locate("20260102", results)
    with pytest.raises(ResultError, match="2 sweeps begin so"):
        find_begun("20260102", results)


@pytest.mark.parametrize(
    "word", ["2026-01-09", "20260109", "nightly", "../no-such-folder", "", "\0"]
)
def test_what_is_no_sweep_is_said(results: Path, word: str) -> None:
    """With all that would be one."""
    with pytest.raises(ResultError, match="there is no such sweep") as raised:
        locate(word, results)
    assert "a baseline" in str(raised.value.hint)


def test_a_name_stands_for_the_sweep_that_it_was_given_to_last(results: Path) -> None:
    """It is told what it stood for; it can be taken away."""
    assert set_name(results, "good", sweep_id(1)) is None
    assert set_name(results, "good", sweep_id(2)) == sweep_id(1)
    assert set_name(results, "other", sweep_id(2)) is None
    assert named("good", results) == sweep_id(2)
    assert names_of(results, sweep_id(2)) == ("good", "other")
    assert set_name(results, "good", None) == sweep_id(2)
    assert read_names(results) == {"other": sweep_id(2)}
    assert (results / "names.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "name",
    [
        "latest",
        "latest~2",
        "2026-01-02",
        "20260102",
        "a/b",
        "..",
        "",
        "night.json",
        "a b",
        "é",
        "\n",
    ],
)
def test_a_name_is_none_that_means_something_else(name: str, tmp_path: Path) -> None:
    """An id, a day, a path, or what no shell likes."""
    with pytest.raises(UsageError, match="is no name for a baseline"):
        check_name(name)
    with pytest.raises(UsageError):
        set_name(tmp_path, name, sweep_id(1))
    assert named(name, tmp_path) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ('{"schema": 1, "names": {"good": 3}}', "names.good"),
        ('{"schema": 1, "names": ["good"]}', "names"),
        ('{"schema": 2, "names": {}}', "written by a newer jetbench"),
        ('{"schema": true, "names": {}}', "schema"),
        ('{"schema": 1}', "names"),
        ('{"schema": 1, "names": {"good": ""}}', "names.good"),
        ('{"schema": 1, "names": {"good": "../../other"}}', "names.good"),
        ('{"schema": 1, "names": {"good": "a\\u0000b"}}', "names.good"),
        ("[]", "names.json"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_left_as_it_is(
    results: Path, text: str, said: str
) -> None:
    """It is named, with the place; no name is set, and none is lost."""
    (results / "names.json").write_text(text)
    with pytest.raises(ResultError, match=said):
        set_name(results, "new", sweep_id(1))
    with pytest.raises(ResultError, match=said):
        named("good", results)
    with pytest.raises(ResultError, match=said):
        find_begun("good", results)
    assert (results / "names.json").read_text() == text


def test_names_that_are_set_at_once_are_all_there(results: Path) -> None:
    """Twenty programs, each a name of its own."""
    threads = [
        threading.Thread(target=set_name, args=(results, f"name{number}", sweep_id(1)))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads((results / "names.json").read_text())["names"]) == 20


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """No name is known, and none can be set."""
    assert read_names(tmp_path / "nowhere") == {}
    with pytest.raises(StoreError, match="cannot be written"):
        set_name(tmp_path / "nowhere", "good", sweep_id(1))
