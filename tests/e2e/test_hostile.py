"""Names and texts that a shell, a terminal or a file system could misunderstand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import NET, Program, at_rest

if TYPE_CHECKING:
    from jetbench.virtual.fleet import VirtualFleet

NAMES = (
    "$(touch pwned);'\"\n`touch pwned`.prototxt",
    "模型" * 20 + ".prototxt",
    "n" * 240 + ".prototxt",
    "-rf.prototxt",
    "a b*?|>x.prototxt",
    "\x1b[31mred.prototxt",
    "=1+1.prototxt",
    "two\nlines\x9b31m\u202e.prototxt",
)


def test_a_file_may_be_called_anything(jetbench: Program, fleet: VirtualFleet) -> None:
    """Each is measured and shown so that no terminal obeys it; nothing is run by a shell."""
    for name in NAMES:
        jetbench.net(name)
    done = jetbench("run", "-b", "virt-01", "--repeats", "1", "--format", "json", "--", *NAMES)
    assert done.status == 0, done.err
    records = done.document["records"]
    assert [record["model"] for record in records] == [name[:-9] for name in NAMES]
    assert {record["status"] for record in records} == {"ok"}
    assert "\x1b" not in done.err
    logs = sorted(log.name for log in (jetbench.sweep() / "logs").glob("*/*"))
    assert len(logs) == len(NAMES)
    assert all(name.isascii() and len(name) < 100 for name in logs)
    for folder in (jetbench.folder, fleet.boards[0].root):
        assert not list(folder.rglob("pwned"))
    assert at_rest(fleet.boards[0])


@pytest.mark.parametrize("form", ["table", "csv", "markdown"])
def test_no_table_obeys_a_name(jetbench: Program, form: str) -> None:
    """No control character, no formula, no row of a table broken in two."""
    hostile = [name for name in NAMES if not name.startswith(("n", "模"))]
    for name in hostile:
        jetbench.net(name)
    done = jetbench("run", "-b", "virt-01", "--repeats", "1", "--format", form, "--", *hostile)
    assert done.status == 0, done.err
    assert all(line.isprintable() for line in done.out.splitlines())
    assert all(line.isprintable() for line in done.err.splitlines())
    assert sum("ok" in line or " ms" in line for line in done.out.splitlines()) == len(hostile)
    assert form != "csv" or ",=1" not in done.out


def test_nothing_is_written_outside_of_its_folder(jetbench: Program) -> None:
    """Wherever a model lies: `..` in its path is in no name of the results."""
    for path in ("deploy.prototxt", "etc/x.prototxt"):
        jetbench.net(path)
    inside = jetbench.folder / "a/b"
    inside.mkdir(parents=True)
    models = (
        "../../etc/x.prototxt",
        "../../deploy.prototxt",
        "$(touch pwned)=../../etc/y.prototxt",
    )
    jetbench.net(models[2])
    before = {path for path in jetbench.folder.rglob("*") if path.is_file()}
    done = jetbench(
        "run", "-b", "virt-01", "--repeats", "1", "--format", "jsonl", "--results", "kept", "--",
        *(f"a/b/{model}" for model in models[:2]), models[2],
    )  # fmt: skip
    assert done.status == 0, done.err
    after = {path for path in jetbench.folder.rglob("*") if path.is_file()}
    kept = jetbench.folder / "kept"
    assert all(path.is_relative_to(kept) for path in after - before)
    assert len(list(kept.glob("*/logs/virt-01/*"))) == 3


def test_layers_may_be_called_anything(jetbench: Program) -> None:
    """An escape sequence in a layer's name reaches neither terminal nor shell."""
    name = r"\033[2J$(touch pwned)`x`"
    jetbench.net("net.prototxt", NET.replace('name: "conv"', f'name: "{name}"'))
    done = jetbench("run", "net.prototxt", "-b", "virt-01", "--repeats", "1", "--format", "json")
    assert done.status == 0, done.err
    (record,) = done.document["records"]
    assert record["status"] == "ok", record["reasons"]
    assert len(record["layers"]) == 3
    assert "\x1b" not in done.out + done.err
    assert not list(jetbench.folder.rglob("pwned"))


def test_a_net_that_caffe_refuses_fails_alone(jetbench: Program) -> None:
    """Its message is Caffe's own; the other model is measured."""
    broken = NET.replace('type: "ReLU"', 'type: "Nowhere"')
    jetbench.net("broken.prototxt", broken)
    done = jetbench(
        "run", "broken.prototxt", "vgg16", "-b", "virt-01", "--repeats", "2", "--format", "json"
    )
    assert done.status == 1, done.err
    bad, good = done.document["records"]
    assert (bad["status"], good["status"]) == ("failed", "ok")
    assert "Unknown layer type: Nowhere" in bad["reasons"][0]
    assert {trial["failure"]["kind"] for trial in bad["trials"]} == {"bad_model"}
    assert [trial["exit_status"] for trial in bad["trials"]] == [134, 134]
