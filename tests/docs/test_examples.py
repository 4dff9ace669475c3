"""Every example of every ``--help`` is run, as the reference shows them."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from tests.cli.test_help import help_texts
from tests.docs.blocks import Block
from tests.docs.scene import make_scene
from tests.docs.worlds import know_all, two_nights_of
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.scene import Scene

NET = """\
name: "small"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 10 dim: 3 dim: 227 dim: 227 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 16 kernel_size: 3 } }
"""
TRAIN = """\
name: "train"
layer { name: "data" type: "Data" top: "data" top: "label"
  data_param { source: "set" batch_size: 64 backend: LMDB } transform_param { crop_size: 227 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 16 kernel_size: 3 } }
"""
ID, DAY = "20260102-030405-a1b2c3", "2026-01-02"
"""What stands in examples for a sweep, and for a day with one."""
NOT_RUN = {
    "jetbench virtual up": "it serves until Ctrl-C; tests/cli/test_virtual.py has it",
    "(in another terminal)": "as above",
    "jetbench demo": "tests/e2e/test_commands.py has it",
    "--precision": "it takes 30 processes each; tests/e2e/test_conditions.py has it",
    "jetbench stop 2026": "only what runs is ended, as by the example before",
    "postgresql://": "docs/how-to/postgresql.md has it",
    "board:models": "there is no such file on the boards",
    "SHA256:": "it is no board's key; tests/remote/test_trust.py has it",
    "ssh tx2": "there is no such log on the boards",
    "--webhook": "tests/remote/test_webhook.py has it",
    "--install-completion": "it changes a shell's settings; tests/cli/test_complete.py has it",
    "--open": "it starts a browser",
    "| jq": "jq is a program of others",
}
"""What cannot be run here, or need not be, by what stands in it, and why."""
FIRST = {
    "jetbench init": "rm inventory.yaml",
    "jetbench stop latest": "jetbench run vgg16 --repeats 30 --detach",
}
"""What must have happened before, by how an example begins."""


def examples() -> list[str]:
    """The lines of all examples that are run, each once, in their order."""
    found = []
    for text, *_ in (one.values for one in help_texts()):
        lines = text.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
        found += [line.strip() for line in lines if line.strip()]
    return [one for one in dict.fromkeys(found) if not any(part in one for part in NOT_RUN)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A lab with two nights, and with the files that examples name."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "home").mkdir()
    made = make_scene(folder / "home")
    with VirtualFleet(3, folder / "fleet", FAST) as fleet:
        know_all(made, fleet)
        two_nights_of(made)
        furnish(made)
        shutil.copytree(made.folder, folder / "as-it-was", symlinks=True)
        yield made


@pytest.fixture
def scene(lab: Scene) -> Scene:
    """The lab as it was before the first example."""
    shutil.rmtree(lab.folder)
    shutil.copytree(lab.folder.with_name("as-it-was"), lab.folder, symlinks=True)
    return lab


def furnish(scene: Scene) -> None:
    """What lies in the folder of who types the examples."""
    for name in ("net.prototxt", "deploy.prototxt", "nets/deploy.prototxt"):
        scene.write(name, NET)
    scene.write("nets/ssd/deploy.prototxt", NET)
    scene.write("train_val.prototxt", TRAIN)
    scene.write("night.yaml", "models: [vgg16, resnet50]\n")
    scene.write("lab.yaml", (scene.folder / "inventory.yaml").read_text())
    for folder in ("var/lib/node_exporter", "mnt", "lab"):
        (scene.folder / folder).mkdir(parents=True)
    results = scene.folder / "jetbench-results"
    (first,) = sorted(path for path in results.iterdir() if path.is_dir())[:1]
    logs = sorted(first.rglob("*.log"))
    shutil.copy(logs[0], scene.folder / "time.log")
    shutil.copytree(logs[0].parent, scene.folder / "logs")
    shutil.copytree(results, scene.folder / "nights")
    shutil.copytree(results, scene.folder / "mnt" / "lab-b" / "jetbench-results")
    scene.seen[ID] = first.name
    lines = (
        f"$ jetbench baseline set release-1 {first.name}\n"
        f"$ jetbench baseline set release-2 {first.name}\n"
        "$ jetbench results show latest~1 --format json -o before.json\n"
        "$ jetbench results show latest --format json -o after.json\n"
        "$ jetbench results export latest --archive night.tar.gz\n"
    )
    scene.play([Block("the folder", "console", "", lines)])


@pytest.mark.parametrize("line", examples())
def test_an_example_does_what_it_promises(line: str, scene: Scene) -> None:
    """It is run, with a sweep, a day and folders that there are; it ends well."""
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    typed = line.replace(ID, scene.seen[ID]).replace(DAY, today)
    typed = re.sub(r"(?<= )/(?=var/|mnt/)", "", typed)
    before = [f"$ {first}\n" for begin, first in FIRST.items() if line.startswith(begin)]
    scene.play([Block(line, "console", "", "".join([*before, f"$ {typed}\n"]))])


def test_what_is_not_run_is_still_there() -> None:
    """A reason to leave something out goes with what it is for."""
    text = "\n".join(one.values[0] for one in help_texts())
    assert not [part for part in (*NOT_RUN, *FIRST) if part not in text]
