"""How results and progress look: the formats, files, pipes and terminals."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from tests.e2e.terminal import on_terminal

if TYPE_CHECKING:
    from tests.e2e.program import Program

RUN = ("run", "bvlc_alexnet", "vgg16", "--repeats", "1")
ROW = re.compile(r"(bvlc_alexnet|vgg16) +(virt-0[12]) +\d+\.\d\d ms +simulated, MAXN,")


def test_the_table_fits_80_columns_and_says_it_is_simulated(jetbench: Program) -> None:
    """A row a case with time, spread and conditions; on standard error a line an event."""
    done = jetbench(*RUN)
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].split("  ")[0] == "Model"
    assert "Inference time" in lines[0]
    assert "Conditions" in lines[0]
    rows = [found.groups() for line in lines if (found := ROW.match(line))]
    assert rows == [
        (model, board) for model in ("bvlc_alexnet", "vgg16") for board in ("virt-01", "virt-02")
    ]
    assert all(len(line) <= 80 for line in lines)
    assert "Simulated: these times were computed" in done.out
    assert "clocks locked" in done.out
    assert "virt-01: power mode and clocks set, mode 0\n" in done.err
    assert "\x1b" not in done.out + done.err


def test_markdown_goes_to_a_file_and_nothing_to_standard_output(jetbench: Program) -> None:
    """With -o; with -q nothing is said at all."""
    done = jetbench(*RUN, "--format", "markdown", "-o", "out.md", "-q")
    assert (done.status, done.out, done.err) == (0, "", "")
    lines = (jetbench.folder / "out.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({line.count("|") for line in table}) == 1
    assert [path.name for path in jetbench.folder.glob(".out.md*")] == []


def test_csv_and_json_lines_hold_every_record_in_full(jetbench: Program) -> None:
    """A header and a line a record; a document a line."""
    table = list(csv.DictReader(io.StringIO(jetbench(*RUN, "--format", "csv").out)))
    assert [row["status"] for row in table] == ["ok"] * 4
    assert {row["simulated"] for row in table} == {"True"}
    assert all(float(row["forward_ms_median"]) > 1 for row in table)
    lines = jetbench(*RUN, "--format", "jsonl").out.splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["model"] for record in records] == [row["model"] for row in table]
    assert len({record["sweep"] for record in records}) == 1


@pytest.mark.parametrize("file", ["missing/out.txt", "."])
def test_a_file_that_cannot_be_written_is_named_at_once(jetbench: Program, file: str) -> None:
    """Before anything is measured."""
    done = jetbench("run", "vgg16", "-o", file)
    assert done.status == 2
    assert f"{file} cannot be written" in done.err
    assert not jetbench.results.exists()


def test_a_device_or_a_link_is_written_to_and_not_replaced(jetbench: Program) -> None:
    """-o names what there is, as a shell's > does; a new file has the user's usual mode."""
    pipe = jetbench.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    link, target = jetbench.folder / "link.csv", jetbench.folder / "target.csv"
    link.symlink_to(target)
    for file in (pipe, link):
        done = jetbench("run", "vgg16", "--repeats", "1", "--format", "csv", "-q", "-o", file)
        assert done.status == 0, done.err
    with os.fdopen(reader, "rb") as stream:
        assert stream.read().startswith(b"sweep,")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"sweep,")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colour", "NO_COLOR"])
def test_on_a_terminal_the_display_lives_and_leaves_no_trace(
    jetbench: Program, variables: dict[str, str]
) -> None:
    """A line a board is redrawn and removed at the end; a pipe of the result stays clean."""
    done = on_terminal(jetbench, *RUN, "--format", "json", variables=variables)
    assert done.status == 0
    assert {record["status"] for record in done.document["records"]} == {"ok"}
    assert re.search(r"virt-01 +\[#*-+\] +\d/2", done.err)
    assert "of 2 boards done" in done.err
    assert "\x1b[?25l" not in done.err
    assert _screen(done.err).startswith("Kept in ")
    colours = re.findall(r"\x1b\[[\d;]*3[1-7][\d;]*m", done.err)
    assert not (variables and colours)


def _screen(said: str) -> str:
    """What stands on a terminal at the end, of a display that moves up and erases lines."""
    rows = [""]
    row = column = 0
    for piece in re.findall(r"\x1b\[[?\d;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", said):
        if piece == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        elif piece == "\r":
            column = 0
        elif piece.startswith("\x1b"):
            if piece.endswith("A"):
                row -= int(piece[2:-1] or 1)
            elif piece.endswith("K"):
                rows[row] = ""
        else:
            rows[row] = rows[row][:column].ljust(column) + piece + rows[row][column + len(piece) :]
            column += len(piece)
    return "\n".join(rows).strip()
