"""`jetbench report`: the site of what was measured, written, written again, and refused."""

from __future__ import annotations

import base64
import gzip
import json
import re
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from jetbench.store.database.history import open_history
from jetbench.virtual.fleet import VirtualFleet
from tests.e2e.program import NET, Program
from tests.report.site.month import month
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = ("run", "alpha.prototxt", "--repeats", "2", "--cooldown", "off", "-q")
SMALL_FILE = 200_000
"""Bytes: less than the library that draws."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, where two sweeps on two boards are."""
    folder = tmp_path_factory.mktemp("measured")
    program = Program(folder, folder / "inventory.yaml")
    program.net("alpha.prototxt", NET)
    with VirtualFleet(boards=2, directory=folder / "fleet", options=FAST) as fleet:
        (folder / "inventory.yaml").write_text(fleet.inventory_text())
        for _ in range(2):
            assert program(*RUN).status == 0
        yield program


def sweeps_of(program: Program) -> list[str]:
    """The ids of the sweeps, the oldest first."""
    return sorted(path.name for path in program.results.iterdir() if path.is_dir())


def logs_in(file: Path) -> dict[str, bytes]:
    """The raw logs of a script."""
    text = file.read_text().removeprefix("jetbenchLogs(").removesuffix(");\n")
    return {
        trial: gzip.decompress(base64.b64decode(packed))
        for trial, packed in json.loads(text).items()
    }


def test_the_whole_history_becomes_a_site(measured: Program) -> None:
    """A page for each thing; raw logs byte for byte as the boards wrote them."""
    done = measured("report", "-o", "site")
    assert (done.status, done.out) == (0, "")
    assert done.err.endswith("Written: site/index.html\n")
    site = measured.folder / "site"
    sweeps = sweeps_of(measured)
    for page in ("index", "models/alpha", "boards/virt-01", *(f"sweeps/{one}" for one in sweeps)):
        assert (site / f"{page}.html").exists()
    for sweep in sweeps:
        for board in ("virt-01", "virt-02"):
            kept = sorted((measured.results / sweep / "logs" / board).iterdir())
            logs = logs_in(site / "logs" / sweep / f"{board}.js")
            assert [logs[str(int(file.name[:3]))] for file in kept] == [
                file.read_bytes() for file in kept
            ]
        page = (site / "sweeps" / f"{sweep}.html").read_text()
        assert f"log.html#{sweep}/virt-01/1" in page


def test_written_again_nothing_changes(measured: Program) -> None:
    """Not a byte, and no file's time."""

    def times() -> dict[str, int]:
        site = measured.folder / "again"
        return {
            str(path): path.stat().st_mtime_ns
            for path in site.rglob("*")
            if path.is_file() and path.name != ".jetbench-site.json"
        }

    assert measured("report", "-o", "again", "-q").err == ""
    before = times()
    assert measured("report", "-o", "again", "-q").status == 0
    assert times() == before


def test_a_sweep_can_be_named(measured: Program) -> None:
    """By any word; then it alone is shown, and what is no more of the report goes."""
    measured("report", "-o", "named", "-q")
    assert measured("report", "latest", "-o", "named", "-q").status == 0
    pages = [path.stem for path in (measured.folder / "named" / "sweeps").iterdir()]
    assert pages == sweeps_of(measured)[-1:]
    assert measured("report", "latest", "latest~1", "-o", "named", "-q").status == 0
    assert len(list((measured.folder / "named" / "sweeps").iterdir())) == 2


def test_raw_logs_that_were_taken_along_stay(measured: Program, tmp_path: Path) -> None:
    """Also once they are gone from the sweep's folder, and whatever --logs says later."""
    program = Program(tmp_path, measured.folder / "inventory.yaml")
    shutil.copytree(measured.results, program.results)
    old, new = sweeps_of(program)
    assert program("report", "--logs", "1", "-q", "-o", "site").status == 0
    site = tmp_path / "site"
    assert {path.name for path in (site / "logs").iterdir()} == {new}
    assert "jetbench results log" in (site / "sweeps" / f"{old}.html").read_text()
    shutil.rmtree(program.results / new / "logs")
    assert program("report", "--logs", "0", "-q", "-o", "site").status == 0
    assert logs_in(site / "logs" / new / "virt-01.js")
    assert f"log.html#{new}/virt-01/1" in (site / "sweeps" / f"{new}.html").read_text()


def test_filters_choose_what_is_shown(tmp_path: Path) -> None:
    """Boards, models, days, measured or simulated."""
    program = Program(tmp_path, tmp_path / "inventory.yaml")
    with open_history(None, program.results, create=True) as history:
        for text in month():
            history.add(text, "")
    filters = ("--model", "vgg16", "--board", "tx2-02", "--since", "2026-01-10", "--real")
    assert program("report", *filters, "-o", "site", "-q").status == 0
    pages = {str(path.relative_to(tmp_path / "site")) for path in tmp_path.rglob("*.html")}
    assert {page for page in pages if page.startswith("models")} == {"models/vgg16.html"}
    assert sum(page.startswith("sweeps/") for page in pages) == 21
    front = (tmp_path / "site" / "index.html").read_text()
    assert "resnet50" not in front
    nothing = program("report", "--simulated", "-o", "other")
    assert nothing.status == 3
    assert "Nothing of that was measured" in nothing.err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "nosuch: there is no such sweep"),
        (["-o", "full"], "full has files in it, and no report of jetbench"),
        (["-o", "alpha.prototxt"], "alpha.prototxt is no folder"),
        (["--since", "yesterday"], "--since 'yesterday' is no date"),
    ],
)
def test_what_cannot_be_meant_is_said(measured: Program, words: list[str], said: str) -> None:
    """In one line, with what to do."""
    (measured.folder / "full").mkdir(exist_ok=True)
    (measured.folder / "full" / "thesis.tex").write_text("mine")
    done = measured("report", *words)
    assert done.status == 2
    assert said in done.err
    assert "hint: " in done.err


def test_a_full_disk_is_said_and_the_next_report_is_whole(measured: Program) -> None:
    """Here a file cannot become larger than some bytes: the pages of before stay."""
    site = measured.folder / "limited"
    assert measured("report", "latest~1", "-o", "limited", "-q").status == 0
    before = (site / "index.html").read_bytes()
    (site / "assets" / "echarts.min.js").unlink()
    done = subprocess.run(
        measured.command("report", "-o", "limited"),
        cwd=measured.folder,
        env=measured.environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILE, SMALL_FILE)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert re.search(
        r"error: limited/assets/echarts\.min\.js cannot be written: File too", done.stderr
    )
    assert "run it again afterwards" in done.stderr
    assert (site / "index.html").read_bytes() == before
    assert measured("report", "-o", "limited", "-q").status == 0
    assert (site / "index.html").read_bytes() != before


def test_a_picture_instead_of_the_site(measured: Program) -> None:
    """The bars of a sweep, the layers of a case; nothing else is written."""
    done = measured("report", "latest", "--svg", "times.svg", "--png", "times.png")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert "virt-01, MAXN" in (measured.folder / "times.svg").read_text()
    assert (measured.folder / "times.png").read_bytes().startswith(b"\x89PNG")
    layers = ("--model", "alpha", "--board", "virt-01", "--svg", "alpha.svg")
    assert measured("report", *layers).status == 0
    assert ">conv<" in (measured.folder / "alpha.svg").read_text()
    assert not (measured.folder / "jetbench-report").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["latest", "latest~1"], "a picture is of one sweep, and 2 are named"),
        (["--model", "alpha"], "2 cases fit"),
        (["--model", "nosuch"], "no case fits"),
        (["--board", "nosuch"], "nothing of that was measured"),
        (["--model", "alpha", "-m", "beta"], "the layers of one case are drawn"),
    ],
)
def test_a_picture_of_something_else_is_refused(
    measured: Program, words: list[str], said: str
) -> None:
    """Before anything is written."""
    done = measured("report", *words, "--svg", "refused.svg")
    assert done.status == 2, done.err
    assert said in done.err
    assert not (measured.folder / "refused.svg").exists()
