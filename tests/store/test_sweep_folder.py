"""The folder of a sweep."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import StoreError
from jetbench.store.results import sweeps_below
from jetbench.store.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[SweepFolder]:
    """A new sweep."""
    with closing(SweepFolder.create(tmp_path / "results", "20260102-030405-a1b2c3", "{}")) as made:
        yield made


def test_a_journal_is_kept_as_it_came_in_pieces_and_twice(folder: SweepFolder) -> None:
    """A piece that comes again after a lost link lands where it was."""
    folder.append_journal("one", 0, b"@start\n@tri")
    folder.append_journal("one", 7, b"@trial id=1\n")
    folder.append_journal("one", 19, b"@end\n")
    folder.sync_journal("one")
    assert list(folder.journal_lines("one")) == [b"@start\n", b"@trial id=1\n", b"@end\n"]
    assert list(folder.journal_lines("two")) == []


def test_parts_are_kept_whichever_are_here(folder: SweepFolder) -> None:
    """What another host has fetched leaves a gap, and nothing behind it is lost."""
    for part, text in ((11, b"@trial id=3\n"), (2, b"@trial id=1\n@tri"), (10, b"@trial id=2\n")):
        folder.append_journal("one", 0, text, part)
    assert folder.journal_sizes("one") == {2: 12, 10: 12, 11: 12}
    whole = [line for line in folder.journal_lines("one") if line.endswith(b"\n")]
    assert whole == [b"@trial id=1\n", b"@trial id=2\n", b"@trial id=3\n"]
    assert folder.journal_sizes("two") == {}


def test_everything_is_private(folder: SweepFolder) -> None:
    """Folders 0700, files 0600."""
    folder.append_journal("one", 0, b"@start\n")
    folder.keep_probe("one", b"utc_s=1\n")
    folder.keep_model(0, b"name: 'x'")
    folder.keep_model(1, b"name: 'y'", board="one")
    folder.keep_log("one", 1, "alpha", b"log")
    folder.keep_result("{}")
    for path in [folder.path, *folder.path.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_results_are_private_with_a_umask_of_0(tmp_path: Path) -> None:
    """Also the folders above the sweep's, where it was the program that made them."""
    before = os.umask(0)
    try:
        with closing(SweepFolder.create(tmp_path / "a/results", "20260102-030405-a1b2c3", "{}")):
            made = list((tmp_path / "a").rglob("*"))
    finally:
        os.umask(before)
    assert len(made) == 3
    for path in [tmp_path / "a", *made]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("model", ["../../etc/x", "a/b", "$(reboot)", "x" * 300, "网络", ""])
def test_a_log_stays_in_its_folder_whatever_its_model_is_called(
    folder: SweepFolder, model: str
) -> None:
    """Names from outside decide nothing but a few harmless letters."""
    path = folder.keep_log("one", 7, model, b"log")
    assert path.parent == folder.path / "logs/one"
    assert path.read_bytes() == b"log"


def test_a_result_replaces_the_old_one_whole(folder: SweepFolder) -> None:
    """No moment has half a result in it."""
    folder.keep_result("old")
    folder.keep_result("new")
    assert (folder.path / "result.json").read_text() == "new"
    assert not list(folder.path.glob(".*"))


def test_what_is_cut_off_as_it_is_written_is_not_there(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is killed leaves the old file or the new one, never half of one."""
    folder.keep_probe("one", b"whole")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    for board in ("one", "two"):
        with pytest.raises(KeyboardInterrupt):
            folder.keep_probe(board, b"another")
    assert (folder.probe("one"), folder.probe("two")) == (b"whole", None)


def test_a_prepared_folder_is_no_sweep_until_it_is_settled(folder: SweepFolder) -> None:
    """Two that prepare the same one end up in the same folder, whose plan is the first's."""
    results = folder.path.parent
    one, two = (SweepFolder.prepare(results, "20260102-030405-ffffff", plan) for plan in "12")
    one.keep_model(0, b"name: 'x'")
    assert sweeps_below(results) == [folder.path]
    for each in (one, two):
        each.settle("20260102-030405-ffffff")
        assert each.plan_text() == "1"
        assert each.model(0) == b"name: 'x'"
    assert sorted(results.iterdir()) == [folder.path, one.path]


def test_a_sweep_is_never_written_over(folder: SweepFolder) -> None:
    """Another sweep of the same id is an error, and the first is still there."""
    with pytest.raises(StoreError, match=r"cannot be written.*exists"):
        SweepFolder.create(folder.path.parent, folder.path.name, "{}")
    assert (folder.path / "plan.json").read_text() == "{}"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_named(folder: SweepFolder) -> None:
    """The error says which file, and what to do."""
    target = folder.path / "journals/one"
    target.parent.mkdir(parents=True)
    target.symlink_to("/dev/full")
    with pytest.raises(
        StoreError, match="journals/one cannot be written: No space left"
    ) as raised:
        folder.append_journal("one", 0, b"@start\n")
    assert "--results" in (raised.value.hint or "")


def test_parts_stand_one_after_the_other(folder: SweepFolder) -> None:
    """Each followed by what was said when its power state was put back later."""
    folder.append_journal("tx2-01", 0, b"@start\n@trial id=1\n| H4s")
    folder.keep_restore("tx2-01", b"@guard state=recovered mode=3\n")
    folder.append_journal("tx2-01", 0, b"@start\n@end reason=finished\n", part=2)
    folder.keep_restore("tx2-01", b"of another sweep\n", part=0)
    assert list(folder.journal_lines("tx2-01")) == [
        b"@start\n",
        b"@trial id=1\n",
        b"| H4s",
        b"@guard state=recovered mode=3\n",
        b"@start\n",
        b"@end reason=finished\n",
    ]
    assert folder.journal_sizes("tx2-01") == {1: len("@start\n@trial id=1\n"), 2: 28}
    assert folder.journal_sizes("tx2-02") == {}


def test_whole_lines_are_found_in_a_large_journal(folder: SweepFolder) -> None:
    """Also where the last line is longer than what is read at once."""
    folder.append_journal("tx2-01", 0, b"@start\n" + b"x" * 200_000)
    assert folder.journal_sizes("tx2-01") == {1: 7}


def test_a_sweep_of_another_host_can_be_taken_over(folder: SweepFolder) -> None:
    """Until then its journals are left on the boards."""
    assert not folder.attached
    folder.keep_attached("{}")
    assert SweepFolder.open(folder.path).attached
    folder.own()
    assert not folder.attached
