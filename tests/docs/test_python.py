"""The program in docs/how-to/python.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.blocks import blocks_of
from tests.docs.scene import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE = "docs/how-to/python.md"


def test_the_blocks_of_python_are_a_program_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the top of the page to its end; what it asserts holds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    blocks = [block for block in blocks_of(CHECKOUT / PAGE, PAGE) if block.language == "python"]
    assert len(blocks) > 5
    program: dict[str, object] = {}
    for block in blocks:
        exec(compile(block.text, block.place, "exec"), program)  # noqa: S102 - our own document
    assert "Inference time" in capsys.readouterr().out
    assert (tmp_path / "site" / "index.html").exists()
