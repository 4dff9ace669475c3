"""``jetbench patch`` and ``jetbench parse``, from the command line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import stat
import threading
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from jetbench.cli.parse import parse
from jetbench.cli.patch import patch
from jetbench.domain.errors import ModelError, UsageError

NET = (
    b"# caf\xe9\r\n"
    b'layer { name: "in" type: "Input" top: "x"\r\n'
    b"  input_param { shape { dim: 9 dim: 3 dim: 8 dim: 8 } } }\r\n"
    b'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
)
PATCHED = NET.replace(b"dim: 9", b"dim: 1")
GOOD = b"I0315 09:14:55.123456  811 caffe.cpp:412] Average Forward pass: 11.5 ms.\n"
BAD = b"I0315 09:14:55.123456  811 caffe.cpp:351] Performing Forward\nKilled\n"

app = typer.Typer()
app.command("patch")(patch)
app.command("parse")(parse)


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """The command's result; an error of ours comes out as the exception it is."""
    result = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A net in a file of its own."""
    path = tmp_path / "net.prototxt"
    path.write_bytes(NET)
    return path


def test_the_patched_file_goes_to_standard_output_byte_for_byte(net: Path) -> None:
    """Line ends, bytes that are no UTF-8 and the missing last line end stay."""
    result = run("patch", net)
    assert result.exit_code == 0
    assert result.stdout_bytes == PATCHED
    assert net.read_bytes() == NET


def test_what_a_patch_cannot_take_back_is_said(net: Path) -> None:
    """On standard error; a file that comes back is not spoken of."""
    assert "note:" not in run("patch", net).stderr
    net.write_bytes(NET.replace(b"dim: 9", b"dim: 0x1F"))
    assert "note: A patch back to 31 would not give this file" in run("patch", net).stderr


def test_a_file_can_be_written_also_over_the_input(net: Path, tmp_path: Path) -> None:
    """Nothing goes to standard output, and the file's mode stays."""
    net.chmod(0o640)
    assert run("patch", net, "-o", tmp_path / "new.prototxt").stdout_bytes == b""
    assert (tmp_path / "new.prototxt").read_bytes() == PATCHED
    run("patch", net, "-o", net)
    assert net.read_bytes() == PATCHED
    assert stat.S_IMODE(net.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.prototxt", "new.prototxt"]


def test_a_link_is_written_through_and_a_device_is_not_replaced(net: Path, tmp_path: Path) -> None:
    """The file behind the link changes; the pipe stays a pipe."""
    link = tmp_path / "link.prototxt"
    link.symlink_to(net)
    run("patch", net, "-o", link)
    assert link.is_symlink()
    assert net.read_bytes() == PATCHED
    assert run("patch", net, "-o", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()


def test_a_folder_and_a_name_are_models_too(net: Path, tmp_path: Path) -> None:
    """As for every command that takes a MODEL."""
    net.rename(tmp_path / "deploy.prototxt")
    assert run("patch", tmp_path).stdout_bytes == PATCHED
    assert b"dim: 6 dim: 3" in run("patch", "bvlc_alexnet", "--batch", "6").stdout_bytes


def test_a_diff_shows_only_the_lines_that_change(net: Path) -> None:
    """Plain where it goes to no terminal, and empty where nothing changes."""
    shown = run("patch", net, "--diff").stdout_bytes
    assert b"-  input_param { shape { dim: 9 dim: 3 dim: 8 dim: 8 } } }\r\n" in shown
    assert b"+  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }\r\n" in shown
    assert b"\\ No newline at end of file" in shown
    assert b"\x1b" not in shown
    assert run("patch", net, "--diff", "--batch", "9").stdout_bytes == b""


def test_an_error_names_file_and_line_and_nothing_is_written(net: Path, tmp_path: Path) -> None:
    """A net that is not certain leaves no file behind."""
    net.write_bytes(NET.replace(b"9", b"9.5"))
    with pytest.raises(ModelError) as caught:
        run("patch", net, "-o", tmp_path / "new.prototxt")
    assert caught.value.message.startswith(f"{net}:3:30: ")
    assert not (tmp_path / "new.prototxt").exists()
    with pytest.raises(UsageError):
        run("patch", tmp_path / "missing.prototxt")
    with pytest.raises(UsageError):
        run("patch", "board:models/net.prototxt")


def test_a_place_that_cannot_be_written_is_named(net: Path, tmp_path: Path) -> None:
    """A missing folder is the user's to make."""
    with pytest.raises(UsageError, match="cannot be written"):
        run("patch", net, "-o", tmp_path / "missing" / "new.prototxt")


@pytest.fixture
def logs(tmp_path: Path) -> tuple[Path, Path]:
    """A log with a measurement, and one without."""
    good, bad = tmp_path / "good.log", tmp_path / "bad.log"
    good.write_bytes(GOOD)
    bad.write_bytes(BAD)
    return good, bad


def test_json_holds_the_keys_of_the_contract(logs: tuple[Path, Path]) -> None:
    """One document; the exit code says that a log holds no measurement."""
    result = run("parse", *logs, "--format", "json")
    assert result.exit_code == 1
    good, bad = json.loads(result.stdout)
    assert set(good) >= {
        "file", "forward_ms", "backward_ms", "forward_backward_ms", "total_ms", "iterations",
        "batch", "input_shapes", "phase", "fork", "layers", "complete", "failure",
    }  # fmt: skip
    assert (good["forward_ms"], good["complete"], good["failure"]) == (11.5, True, None)
    assert (bad["forward_ms"], bad["complete"]) == (None, False)
    assert bad["failure"]["kind"] == "killed"
    lines = run("parse", *logs, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [good, bad]


def test_csv_and_tables_show_the_same(logs: tuple[Path, Path]) -> None:
    """A number that is missing is empty or a dash, never 0."""
    rows = list(csv.DictReader(io.StringIO(run("parse", *logs, "--format", "csv").stdout)))
    assert [row["forward_ms"] for row in rows] == ["11.5", ""]
    assert [row["failure"] for row in rows] == ["", "killed"]
    result = run("parse", *logs)
    assert "11.5 ms" in result.stdout
    assert "killed" in result.stdout
    assert "memory" in result.stderr
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "good.log " in lines[2]
    assert run("parse", logs[0], "--format", "markdown").stdout.startswith("| Log")


def test_standard_input_is_a_log_and_success_is_zero() -> None:
    """``-`` names it."""
    result = run("parse", "-", "--format", "json", stdin=GOOD)
    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["file"] == "-"


def test_a_file_that_cannot_be_read_stops_no_other(logs: tuple[Path, Path]) -> None:
    """It is named on standard error; where there is no other, the usage is wrong."""
    good, _ = logs
    result = run("parse", good.parent / "missing.log", good, "--format", "json")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)) == 1
    assert "missing.log cannot be read" in result.stderr
    with pytest.raises(UsageError):
        run("parse", good.parent)


def test_what_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    """It names each file, and no control character of a name goes to the terminal."""
    with pytest.raises(UsageError, match="Is a directory") as caught:
        run("parse", tmp_path)
    assert str(tmp_path) in caught.value.message
    with pytest.raises(UsageError, match=r"\\x1b\[2Jone cannot be read: .*; two cannot be read"):
        run("parse", "\x1b[2Jone", "two")


def test_a_pipe_is_a_log(tmp_path: Path) -> None:
    """It is read once, from its beginning to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(GOOD,))
    writer.start()
    result = run("parse", pipe, "--format", "json")
    writer.join()
    assert json.loads(result.stdout)[0]["forward_ms"] == 11.5


def test_standard_input_that_is_closed_is_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python then has none."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="- cannot be read"):
        parse(["-"])


def test_a_file_that_is_no_log_says_so_once(tmp_path: Path) -> None:
    """With the way to make a log of it."""
    log = tmp_path / "time.log.gz"
    log.write_bytes(gzip.compress(GOOD))
    result = run("parse", log)
    assert result.exit_code == 1
    assert "zcat FILE | jetbench parse -" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_runs_of_a_log_are_counted(tmp_path: Path) -> None:
    """Thousands of them, too; the last finished one is shown."""
    log = tmp_path / "many.log"
    log.write_bytes(GOOD * 5000 + GOOD.replace(b"11.5", b"12.5"))
    result = run("parse", log)
    assert "12.5 ms" in result.stdout
    assert "holds 5001 runs" in result.stderr
