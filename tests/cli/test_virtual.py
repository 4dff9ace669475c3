"""`jetbench virtual up`, as a program of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.cli.virtual import up
from jetbench.domain.errors import UsageError
from jetbench.formats.inventory import parse_inventory

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program, once it has said all that it says at its start."""
    with subprocess.Popen(
        [sys.executable, "-m", "jetbench", "virtual", "up", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while line := process.stdout.readline():
                said += line
                if "Ctrl-C" in line:
                    break
            yield process, said
        finally:
            process.kill()


def test_it_serves_until_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    """It writes an inventory, says what to run next, and removes its folder at the end."""
    with serving(tmp_path, "--boards", "2") as (process, said):
        file = tmp_path / "virtual-inventory.yaml"
        inventory = parse_inventory(file.read_text(), str(file))
        assert len(inventory.boards) == 2
        assert "jetbench run -i virtual-inventory.yaml" in said
        key = inventory.boards[0].key
        assert key is not None
        folder = Path(key).parent
        assert folder.is_dir()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert not folder.exists()


def test_its_own_inventory_is_replaced_and_a_folder_kept(tmp_path: Path) -> None:
    """With --dir, the second time gives the same inventory, over the first."""
    texts = []
    for _ in range(2):
        with serving(tmp_path, "--boards", "1", "--dir", "kept") as (process, _):
            texts.append((tmp_path / "virtual-inventory.yaml").read_text())
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert texts[0] == texts[1]
    assert (tmp_path / "kept/virt-01").is_dir()


def test_another_inventory_is_not_overwritten(tmp_path: Path) -> None:
    """A file that it has not written stays, unless --force is given."""
    file = tmp_path / "inventory.yaml"
    file.write_text("boards: {}\n")
    with pytest.raises(UsageError, match="not an inventory of virtual boards") as caught:
        up(boards=1, inventory=file)
    assert "--force" in (caught.value.hint or "")
    assert file.read_text() == "boards: {}\n"
    with serving(tmp_path, "--boards", "1", "-i", str(file), "--force") as (process, _):
        assert "virt-01" in file.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_an_inventory_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    """The folder does not exist: nothing is served."""
    with pytest.raises(UsageError, match="cannot be written"):
        up(boards=1, inventory=tmp_path / "nowhere/inventory.yaml")


def test_faults_and_the_release_are_of_the_boards_that_are_named(tmp_path: Path) -> None:
    """A fault with @2 is the second board's alone; without it, every board has it."""
    faults = ("--fault", "gpu-neighbour", "--fault", "clock-cap=1122@2", "--real-time")
    with serving(tmp_path, "--boards", "2", "--dir", "kept", "--release", "r27", *faults) as (
        process,
        said,
    ):
        assert said.count("R27") == 2
        for name, highest in (("virt-01", "1300500000"), ("virt-02", "1134750000")):
            root = tmp_path / "kept" / name
            assert "\ntime_scale=1.0\n" in (root / "etc/jetbench-virtual").read_text()
            assert (root / "run/gpu-users").read_text() == "2817:python3\n"
            conf = (root / "etc/nvpmodel.conf").read_text()
            assert f"GPU MAX_FREQ {highest}" in conf.partition("ID=1")[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("hiccups", "'hiccups' is no fault"),
        ("swaps=3", "swaps has no number"),
        ("outlier-at=0", "'0' is no number for outlier-at"),
        ("swaps@3", "'3' is none of 2 boards"),
    ],
)
def test_a_fault_that_does_not_exist_is_one_message(
    tmp_path: Path, fault: str, message: str
) -> None:
    """It says which part is wrong, before anything is served."""
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        up(boards=2, inventory=tmp_path / "inventory.yaml", fault=[fault])
    assert "--help" in (caught.value.hint or "")
