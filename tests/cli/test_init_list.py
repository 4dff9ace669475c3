"""``jetbench init`` and ``jetbench boards list``, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jetbench.formats.inventory import parse_inventory

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def jetbench(tmp_path: Path) -> JetBench:
    """The command, run in an empty folder, with an empty home."""
    return JetBench(tmp_path)


class JetBench:
    """Runs ``jetbench`` as a user would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        own = {"JETBENCH_INVENTORY", "XDG_CONFIG_HOME"}
        inherited = {key: value for key, value in os.environ.items() if key not in own}
        return subprocess.run(
            [sys.executable, "-m", "jetbench", *arguments],
            cwd=self.folder,
            env={**inherited, "HOME": str(self.home), **environ},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path


def test_init_writes_the_example_of_the_project(jetbench: JetBench) -> None:
    """The file is the project's example, and can be read at once."""
    done = jetbench("init")
    assert done.returncode == 0, done.stderr
    text = (jetbench.folder / "inventory.yaml").read_text("utf-8")
    assert text == (CHECKOUT / "inventory.yaml").read_text("utf-8")
    assert "jetbench boards trust\n  jetbench boards check" in done.stdout
    assert jetbench("boards", "list").returncode == 0


def test_init_leaves_an_inventory_alone(jetbench: JetBench) -> None:
    """What is there stays, unless --force is given."""
    path = jetbench.write("inventory.yaml", "mine\n")
    done = jetbench("init")
    assert done.returncode == 2
    assert "inventory.yaml is there already" in done.stderr
    assert "--force" in done.stderr
    assert path.read_text("utf-8") == "mine\n"
    assert jetbench("init", "--force").returncode == 0
    assert path.read_text("utf-8") != "mine\n"


def test_init_says_why_it_cannot_write(jetbench: JetBench) -> None:
    """A place that cannot be written to is an error of usage, without a traceback."""
    jetbench.write("file", "")
    done = jetbench("init", "-i", "file/inventory.yaml")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_the_schema_beside_it(jetbench: JetBench) -> None:
    """With --schema the inventory names the schema that lies beside it."""
    done = jetbench("init", "-i", "lab/boards.yaml", "--schema")
    assert done.returncode == 0, done.stderr
    text = (jetbench.folder / "lab/boards.yaml").read_text("utf-8")
    first_line = text.partition("\n")[0]
    assert first_line == "# yaml-language-server: $schema=./inventory.schema.json"
    assert parse_inventory(text, "boards.yaml").boards
    schema = json.loads((jetbench.folder / "lab/inventory.schema.json").read_text("utf-8"))
    assert schema["properties"]["boards"]


def test_init_gives_an_inventory_that_is_there_its_schema(jetbench: JetBench) -> None:
    """The schema can be had later; the inventory is not touched."""
    path = jetbench.write("inventory.yaml", "boards: {a: {host: b}}\n")
    done = jetbench("init", "--schema")
    assert done.returncode == 0, done.stderr
    assert "# yaml-language-server: $schema=./inventory.schema.json" in done.stdout
    assert path.read_text("utf-8") == "boards: {a: {host: b}}\n"
    assert (jetbench.folder / "inventory.schema.json").exists()


BOARDS = """\
defaults: {user: nvidia}
boards:
  near: {host: 10.0.0.1, tags: [lab-a]}
  far: {host: 'fd00::7', port: 2222, jump: gate, gpu: none, caffe_root: ~/caffe}
"""


def test_list_shows_a_table(jetbench: JetBench) -> None:
    """A person sees where each board is, and what it would measure with."""
    jetbench.write("inventory.yaml", BOARDS)
    done = jetbench("boards", "list")
    assert done.returncode == 0, done.stderr
    header, _rule, near, far = done.stdout.splitlines()
    assert header.split() == ["Board", "Address", "GPU", "Caffe", "Tags"]
    assert near.split() == ["near", "nvidia@10.0.0.1", "0", "lab-a"]
    assert far.split() == ["far", "nvidia@[fd00::7]:2222", "via", "gate", "none", "~/caffe"]


def test_list_gives_json_and_selects(jetbench: JetBench) -> None:
    """A script gets every key; a tag selects."""
    jetbench.write("inventory.yaml", BOARDS)
    done = jetbench("boards", "list", "--format", "json", "-b", "@lab-a")
    (board,) = json.loads(done.stdout)
    assert (board["name"], board["host"], board["port"]) == ("near", "10.0.0.1", None)
    assert (board["tags"], board["env"], board["sudo"]) == (["lab-a"], {}, "auto")


def test_the_inventory_is_found_in_the_usual_places(jetbench: JetBench) -> None:
    """The flag beats the variable, that beats the folder, that beats the configuration."""

    def first_board(*arguments: str, **environ: str) -> str:
        done = jetbench("boards", "list", "--format", "json", *arguments, **environ)
        assert done.returncode == 0, done.stderr
        name = json.loads(done.stdout)[0]["name"]
        assert isinstance(name, str)
        return name

    def inventory(path: str) -> str:
        name = path.partition("/")[0]
        return str(jetbench.write(f"{path}.yaml", f"boards: {{{name}: {{host: a}}}}\n"))

    config = jetbench.folder / "config"
    inventory("config/jetbench/inventory")
    assert first_board(XDG_CONFIG_HOME=str(config)) == "config"
    inventory("inventory")
    assert first_board(XDG_CONFIG_HOME=str(config)) == "inventory"
    variable = inventory("variable")
    assert first_board(JETBENCH_INVENTORY=variable) == "variable"
    assert first_board("-i", inventory("flag"), JETBENCH_INVENTORY=variable) == "flag"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"boards:\n  a:\n    hots: b\n",
            "bad.yaml:3: a: unknown key 'hots'; did you mean 'host'?",
        ),
        (b"boards:\n  \xff\n", "bad.yaml:2: not UTF-8"),
        (b"", "bad.yaml:1: there is nothing in it"),
        (None, "bad.yaml: there is no such file"),
    ],
)
def test_a_bad_inventory_is_one_clear_message(
    jetbench: JetBench, content: bytes | None, expected: str
) -> None:
    """The message names file and line, the exit code is 2, and stdout stays empty."""
    if content is not None:
        (jetbench.folder / "bad.yaml").write_bytes(content)
    done = jetbench("boards", "list", "-i", "bad.yaml")
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_no_inventory_at_all_says_how_to_begin(jetbench: JetBench) -> None:
    """Without any inventory the way to get one is named."""
    done = jetbench("boards", "list")
    assert done.returncode == 2
    assert "jetbench init" in done.stderr


def test_an_unknown_board_is_an_error_of_usage(jetbench: JetBench) -> None:
    """A misspelt board gets the nearest name."""
    jetbench.write("inventory.yaml", BOARDS)
    done = jetbench("boards", "list", "-b", "naer")
    assert done.returncode == 2
    assert "did you mean 'near'?" in done.stderr
