"""The patcher on published files, against their manifest."""

from __future__ import annotations

import json

from jetbench.domain.errors import ModelError
from jetbench.nets.batch import patch_batch
from tests.shared import shared


def rows(folder: str) -> list[dict[str, str]]:
    """The manifest of a folder of the corpus."""
    lines = shared(f"corpus/{folder}/MANIFEST.tsv").read_text("utf-8").splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:]]


def outcome(folder: str, row: dict[str, str]) -> list[list[object]] | None:
    """The edits; None where the file is refused in the phase that has its inputs."""
    raw = shared(f"corpus/{folder}/{row['file']}").read_bytes()
    text = raw.decode("utf-8", "surrogateescape")
    try:
        patched = patch_batch(text, 1)
    except ModelError as error:
        if "--phase TRAIN" not in (error.hint or ""):
            return None
        patched = patch_batch(text, 1, phase="TRAIN")
    return [[edit.line, edit.old_line, edit.new_line] for edit in patched.edits]


def test_published_nets_are_patched_as_the_manifest_says() -> None:
    """No file is wrong, and none is refused in vain; a batch further down is found or refused."""
    for row in rows("prototxt"):
        edits = outcome("prototxt", row)
        other = json.loads(row["alt_edits"].replace("\\\\", "\\") or "null")
        if row["action"] == "refuse":
            assert edits in (None, other), row["file"]
        elif row["action"] == "unchanged":
            assert edits == [], row["file"]
        else:
            expected = json.loads(row["expected"].replace("\\\\", "\\"))
            assert edits == expected, row["file"]


def test_every_syntax_is_patched_as_the_manifest_says() -> None:
    """One or two lines change, or the file is refused."""
    for row in rows("syntax"):
        edits = outcome("syntax", row)
        assert (edits is None) == (row["action"] == "refuse"), row["file"]
        assert edits is None or len(edits) in {1, 2}, row["file"]
