"""The pages of the reference that are made from the code."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.record import RecordConditions
from scripts.documents import __main__ as program
from scripts.documents import json_documents, markdown
from scripts.documents.json_words import WORDS
from scripts.documents.specimens import specimen

if TYPE_CHECKING:
    from pathlib import Path


def test_the_reference_says_what_the_code_does(capfd: pytest.CaptureFixture[str]) -> None:
    """No page is stale; where one is, ``scripts/reference`` writes it anew."""
    assert program.main(["--check"]) == 0, capfd.readouterr().err


def test_a_stale_page_is_found_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The difference is shown, with what to do; then it is gone."""
    shutil.copytree(program.REFERENCE, tmp_path / "reference")
    monkeypatch.setattr(program, "REFERENCE", tmp_path / "reference")
    page = tmp_path / "reference" / "exit-codes.md"
    page.write_text(page.read_text().replace("| 4 |", "| 5 |"))
    assert program.main(["--check"]) == 1
    told = capfd.readouterr().err
    assert "-| 5 | Something became slower. |" in told
    assert "scripts/reference" in told
    assert program.main([]) == 0
    assert program.main(["--check"]) == 0
    assert program.main(["--chekc"]) == 2


def test_a_key_that_nobody_explains_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is an explanation without a key."""
    monkeypatch.setattr(json_documents, "WORDS", {**WORDS, "no such key": "nothing"})
    with pytest.raises(KeyError, match="no such key any more"):
        json_documents.page()
    monkeypatch.setattr(json_documents, "WORDS", {k: WORDS[k] for k in WORDS if k != "batch"})
    with pytest.raises(KeyError, match="batch"):
        json_documents.page()


def test_a_table_holds_whatever_stands_in_it() -> None:
    """A bar would end its cell; a sign of Markdown is shown as it is."""
    lines = markdown.table(("a", "b"), [("x|y", ""), ("`<x|y>`", "`z`")]).splitlines()
    assert lines[2:] == ["| x&#124;y | |", "| <code>&lt;x&#124;y&gt;</code> | `z` |"]
    assert markdown.plain("a_b <c> `d_e`") == "a\\_b &lt;c> `d_e`"


def test_a_specimen_has_everything_or_nothing_in_it() -> None:
    """And its numbers still know what is said of them."""
    load = specimen(RecordConditions, lacks="nothing").gpu_load_mean
    assert load.meaning == "The mean load of the GPU, 0 to 1."
    assert specimen(RecordConditions, lacks="leaves") == RecordConditions()
