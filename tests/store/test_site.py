"""The folder of a report: what is written, what is left alone, what is removed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import StoreError, UsageError
from jetbench.store.site import SiteFolder

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, files: dict[str, bytes]) -> None:
    """A report of these files."""
    site = SiteFolder(folder)
    for name, data in files.items():
        site.write(name, data)
    site.finish()


def there(folder: Path) -> set[str]:
    """The files of a folder, without the list of them."""
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return files - {".jetbench-site.json"}


def test_only_what_is_new_is_written(tmp_path: Path) -> None:
    """What has not changed keeps its time, what is in the report no more goes, also its folder."""
    folder = tmp_path / "a" / "site"
    written(folder, {"index.html": b"one", "models/a.html": b"a", "boards/b.html": b"b"})
    os.utime(folder / "boards" / "b.html", (1, 1))
    os.utime(folder / "index.html", (1, 1))
    written(folder, {"index.html": b"two", "boards/b.html": b"b"})
    assert there(folder) == {"index.html", "boards/b.html"}
    assert (folder / "index.html").read_bytes() == b"two"
    assert (folder / "boards" / "b.html").stat().st_mtime == 1
    assert not (folder / "models").exists()


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    """Beside the pages of a report."""
    written(tmp_path, {"models/a.html": b"a"})
    (tmp_path / "models" / "note.txt").write_text("mine")
    (tmp_path / ".htaccess").write_text("mine")
    written(tmp_path, {"index.html": b"i"})
    assert there(tmp_path) == {"index.html", "models/note.txt", ".htaccess"}


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    """Before anything is written; and so is a file."""
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="has files in it, and no report"):
        SiteFolder(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        SiteFolder(tmp_path / "thesis.tex")
    assert there(tmp_path) == {"thesis.tex"}


def test_a_report_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    """Its folder is known as one's own from the first page on."""
    site = SiteFolder(tmp_path / "site")
    site.write("models/a.html", b"a")
    written(tmp_path / "site", {"index.html": b"i", "models/a.html": b"b"})
    assert there(tmp_path / "site") == {"index.html", "models/a.html"}


@pytest.mark.parametrize("text", ["", "[]", "7", '{"files": 7}', "\0", '{"files": [7, null]}'])
def test_a_damaged_list_removes_nothing(tmp_path: Path, text: str) -> None:
    """It is refused, or taken for one of no files."""
    written(tmp_path, {"old.html": b"a"})
    (tmp_path / ".jetbench-site.json").write_text(text)
    try:
        written(tmp_path, {"index.html": b"i"})
    except StoreError as error:
        assert "cannot be read" in error.message  # noqa: PT017 - either will do
    assert "old.html" in there(tmp_path)


def test_a_list_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    """It may come from anybody."""
    (tmp_path / "mine").write_text("mine")
    folder = tmp_path / "site"
    written(folder, {"index.html": b"i"})
    names = ["../mine", str(tmp_path / "mine"), "models/../../mine"]
    (folder / ".jetbench-site.json").write_text(json.dumps({"files": names}))
    written(folder, {"index.html": b"i"})
    assert (tmp_path / "mine").exists()


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With what to do; the pages of before are there still."""
    written(tmp_path, {"index.html": b"old", "models/a.html": b"a"})
    site = SiteFolder(tmp_path)
    (tmp_path / "boards").write_text("in the way")
    with pytest.raises(StoreError, match=r"boards/b\.html cannot be written") as raised:
        site.write("boards/b.html", b"b")
    assert "run it again" in (raised.value.hint or "")
    assert (tmp_path / "index.html").read_bytes() == b"old"


def test_files_of_a_folder_can_stay_as_they_are(tmp_path: Path) -> None:
    """Raw logs that were taken along before, and that nobody brings again."""
    written(tmp_path, {"logs/a/b.js": b"log", "logs/c/d.js": b"log"})
    site = SiteFolder(tmp_path)
    assert site.has_below("logs/a")
    assert not site.has_below("logs/x")
    site.keep_below("logs/a")
    site.finish()
    assert there(tmp_path) == {"logs/a/b.js"}
    assert SiteFolder(tmp_path).is_newer("logs/a/b.js", 1.0)
    assert not SiteFolder(tmp_path).is_newer("logs/a/b.js", 1e12)
    assert not SiteFolder(tmp_path).is_newer("logs/c/d.js", 1.0)
