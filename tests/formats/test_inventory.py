"""The inventory: what is read, what is refused, and whether the message helps."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.board import Board
from jetbench.domain.errors import InventoryError, UsageError
from jetbench.formats.inventory import parse_inventory, select_boards
from jetbench.formats.inventory_schema import MUST_BE, BoardKeys, inventory_json_schema

EXAMPLE = Path(__file__).resolve().parents[2] / "inventory.yaml"

FULL = """\
defaults:
  user: nvidia
  env: {A: "1"}
boards:
  shelf-1:
    host: 10.7.0.11
    port: 2200
    key: ~/.ssh/lab
    jump: ops@gate:2222,second
    known_hosts: ~/.ssh/lab_hosts
    tags: [rack-b, slow, rack-b]
    site: delft
    caffe_root: ~/caffe
    caffe: /opt/caffe/bin/caffe
    gpu: none
    env: {OMP_NUM_THREADS: 4, RATIO: 1.50, LD_LIBRARY_PATH: /opt/cuda/lib64}
    sudo: env:BOARD_PASSWORD
  shelf-2:
    host: shelf-two
    user: root
    gpu: 1
"""


def problems(text: str) -> list[str]:
    """The lines of the error that this inventory gives."""
    with pytest.raises(InventoryError) as caught:
        parse_inventory(text, "lab.yaml")
    return caught.value.message.split("\n")


def one_board(keys: str) -> str:
    """An inventory whose only board has these keys, from line 3 on."""
    return f"boards:\n  b1:\n    {keys}\n    host: 10.0.0.1\n"


def test_every_key_arrives() -> None:
    """Every key of the contract is in the board, and the defaults are merged in."""
    first, second = parse_inventory(FULL, "lab.yaml").boards
    assert first == Board(
        name="shelf-1",
        host="10.7.0.11",
        port=2200,
        user="nvidia",
        key="~/.ssh/lab",
        jump="ops@gate:2222,second",
        known_hosts="~/.ssh/lab_hosts",
        tags=("rack-b", "slow"),
        site="delft",
        caffe_root="~/caffe",
        caffe="/opt/caffe/bin/caffe",
        gpu="none",
        env=(("OMP_NUM_THREADS", "4"), ("RATIO", "1.50"), ("LD_LIBRARY_PATH", "/opt/cuda/lib64")),
        sudo="env:BOARD_PASSWORD",
    )
    assert second == Board(name="shelf-2", host="shelf-two", user="root", gpu=1, env=(("A", "1"),))


def test_what_is_left_out_is_none() -> None:
    """A key that is not in the file is None, so that ssh_config may decide."""
    (board,) = parse_inventory("boards:\n  b1: {host: tx2}\n", "lab.yaml").boards
    assert board == Board(name="b1", host="tx2")


def test_a_board_may_be_all_defaults() -> None:
    """A name with nothing below it is a board, if the defaults are enough."""
    (board,) = parse_inventory("defaults: {host: tx2}\nboards:\n  b1:\n", "lab.yaml").boards
    assert board.host == "tx2"


def test_an_own_caffe_root_beats_the_default_program() -> None:
    """A board that names a Caffe folder is not measured with the default's program."""
    text = (
        "defaults: {caffe: /usr/bin/caffe}\n"
        "boards:\n  a: {host: a, caffe_root: ~/caffe}\n  b: {host: b}\n"
    )
    own, default = parse_inventory(text, "lab.yaml").boards
    assert (own.caffe_root, own.caffe) == ("~/caffe", None)
    assert default.caffe == "/usr/bin/caffe"


def test_aliases_of_yaml_are_read() -> None:
    """An anchor and its alias are ordinary YAML."""
    text = "boards:\n  a: {host: a, env: &e {X: y}}\n  b: {host: b, env: *e}\n"
    first, second = parse_inventory(text, "lab.yaml").boards
    assert first.env == second.env == (("X", "y"),)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("site: no", "no"),
        ("site: on", "on"),
        ("user: '1000'", "1000"),
        ("user: !!str 1000", "1000"),
    ],
)
def test_words_are_read_as_an_editor_reads_them(line: str, value: str) -> None:
    """YAML 1.1's booleans are words, and what is quoted is text."""
    (board,) = parse_inventory(one_board(line), "lab.yaml").boards
    assert value in {board.site, board.user}


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "tx2", "tx2.lab.example", "::1", "fe80::1%eth0", "büro", "a_b-c"]
)
def test_hosts(host: str) -> None:
    """Addresses, names and aliases are hosts."""
    (board,) = parse_inventory(f"boards:\n  b1:\n    host: '{host}'\n", "lab.yaml").boards
    assert board.host == host


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("prot: 22", "unknown key 'prot'; did you mean 'port'?"),
        ("Port: 22", "unknown key 'Port'; did you mean 'port'?"),
        ("hostname: a", "unknown key 'hostname'; did you mean 'host'?"),
        ("identity-file: a", "unknown key 'identity-file'; did you mean 'key'?"),
        ("colour: red", "unknown key 'colour'; there are host, port,"),
        ("<<: {gpu: 1}", "stands under 'defaults:'"),
        ("port: '22'", "port must be a whole number from 1 to 65535; without quotes"),
        ("port: ssh", "port must be a whole number from 1 to 65535, not 'ssh'"),
        ("port: 022", "port must be a whole number from 1 to 65535, not '022'"),
        ("port: 0", "not 0"),
        ("port: 65536", "not 65536"),
        ("port: 22.5", "not 22.5"),
        ("port: true", "not true"),
        ("port:", "port must be a whole number from 1 to 65535, not empty"),
        ("gpu: cpu", "gpu must be the number of a CUDA device, such as 0, or none, not 'cpu'"),
        ("gpu: -1", "not -1"),
        ("user: 1000", "user must be a login name, not 1000; put it in quotes"),
        ("user: nvidia:nvidia", "user must be a login name"),
        ("jump: user@", "jump must be [user@]host[:port]"),
        ("tags: lab-a", "tags must be a list of words, such as [lab-a, jetpack3]"),
        ("tags: [2024]", "a number needs quotes"),
        ("tags: ['@lab']", "tags must be a list of words"),
        ("env: [A, B]", "env must be names of variables with their values"),
        ("env: {DEBUG: true}", "put the value of 'DEBUG' in quotes"),
        ("env: {LD-PATH: x}", "'LD-PATH' must be a name of letters, digits and '_'"),
        ('env: {A: "x\\ny"}', "one line of text"),
        ('caffe: "/opt/\\e[2J"', "caffe must be the path of a program on the board"),
        ("sudo: nopaswd", "did you mean 'nopasswd'?"),
        ("sudo: true", "sudo must be one of auto, nopasswd,"),
        ("port: 22\n    port: 23", "'port' is given twice; first in line 3"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(keys: str, expected: str) -> None:
    """One wrong key gives one message, with the file, the line and what to write."""
    line = 3 + keys.count("\n")
    (message,) = problems(one_board(keys))
    assert message.startswith(f"lab.yaml:{line}: ")
    assert expected in message


@pytest.mark.parametrize(
    "host", ["nvidia@10.0.0.1", "10.0.0.1:22", "-oProxyCommand=x", "a b", "$(x)"]
)
def test_a_host_is_nothing_but_a_host(host: str) -> None:
    """User and port have their own keys, and no shell or option hides in a name."""
    (message,) = problems(f"boards:\n  b1:\n    host: '{host}'\n")
    assert message.startswith("lab.yaml:3: b1: host must be an address")


@pytest.mark.parametrize(
    "keys",
    [
        "password: hunter22",
        "sudo_password: hunter22",
        "Passwd: hunter22",
        "ssh-passphrase: hunter22",
        "sudo: hunter22",
        "sudo: password:hunter22",
        "env: {SUDO_PASSWORD: hunter22}",
    ],
)
def test_a_password_is_refused_and_not_repeated(keys: str) -> None:
    """A password is refused with the reason and the way out, and stands in no message."""
    (message,) = problems(one_board(keys))
    assert "does not belong in a file that is copied" in message
    assert "sudo: prompt" in message
    assert "hunter22" not in message


@pytest.mark.parametrize(
    "name", ["a b", "../x", "-a", ".hidden", "büro", "x" * 64, "a/b", "'\\e[1m'"]
)
def test_a_board_name_is_a_folder_name(name: str) -> None:
    """Folders are called by the boards, so that their names are checked."""
    quoted = f'"{name[1:-1]}"' if name.startswith("'") else f"'{name}'"
    (message,) = problems(f"boards:\n  {quoted}: {{host: a}}\n")
    assert message.startswith("lab.yaml:2: ")
    assert "cannot be a board's name" in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "nothing in it"),
        ("# only a comment\n", 1, "nothing in it"),
        ("- a\n- b\n", 1, "beginning with 'boards:'"),
        ("just words\n", 1, "beginning with 'boards:'"),
        ("defaults: {user: a}\n", 1, "'boards:' is missing"),
        ("\nboards:\n", 2, "there is no board below 'boards:'"),
        ("boards: [a, b]\n", 1, "boards must be names of boards"),
        ("boards:\n  a: 5\n", 2, "needs keys below it"),
        ("boards:\n  a:\n    gpu: 0\n", 2, "'host' is missing"),
        ("boards:\n  a:\n\thost: b\n", 3, "a tab"),
        ("boards:\n  a: {host: b\n", 2, "not valid YAML"),
        ("boards:\n  a:\n    host: 'b\n  c:\n", 3, "not valid YAML"),
        ("boards:\n  a: {host: *b}\n", 2, "begins with '*' needs quotes"),
        ("boards:\n  a: {host: !b c}\n", 2, "begins with '!' needs quotes"),
        ("boards:\n  a: !b {host: c}\n", 2, "begins with '!' needs quotes"),
        ("boards:\n  a: {host: b}\n---\nboards: {}\n", 3, "a second document"),
        ("boards:\n  a: {host: b}\n  ? [c]\n  : d\n", 3, "cannot be a key"),
        ("boards:\n  \x00", 2, "is this a text file?"),
        ("boards: " + "[" * 9000, 1, "nested too deeply"),
        ("boards: &a\n  b: *a\n", 1, "nested too deeply"),
    ],
)
def test_what_is_no_inventory(text: str, line: int, expected: str) -> None:
    """A text that is no inventory gives one message with the line to look at."""
    (message,) = problems(text)
    assert re.match(rf"lab\.yaml:{line}: .*{re.escape(expected)}", message), message


def test_a_board_at_the_top_is_told_where_it_belongs() -> None:
    """Who forgets 'boards:' reads where the board belongs."""
    first, second = problems("tx2:\n  host: a\n")
    assert "belongs below 'boards:'" in first
    assert "'boards:' is missing" in second


def test_a_bomb_of_aliases_is_bounded() -> None:
    """A kilobyte that means a billion values is refused without making them."""
    levels = "\n".join(
        f"l{n}: &l{n} [{', '.join([f'*l{n - 1}' if n else 'x'] * 10)}]" for n in range(10)
    )
    (message,) = problems(levels)
    assert "too many values" in message


@pytest.mark.parametrize(
    "second",
    [
        "{host: 10.0.0.1}",
        "{host: 10.0.0.1, port: 22, user: other}",
        "{host: 10.0.0.1, jump: none}",
    ],
)
def test_two_boards_at_one_address(second: str) -> None:
    """One board with two names would be measured twice at once; both lines are named."""
    (message,) = problems(f"boards:\n  a:\n    host: 10.0.0.1\n  b: {second}\n")
    assert message == "lab.yaml:4: b: the same address as a in line 2"


@pytest.mark.parametrize("other", ["port: 23", "jump: gate", "site: delft"])
def test_one_address_may_mean_two_boards(other: str) -> None:
    """Another port, another bastion or another site is another board."""
    text = f"boards:\n  a: {{host: 10.0.0.1}}\n  b: {{host: 10.0.0.1, {other}}}\n"
    assert len(parse_inventory(text, "lab.yaml").boards) == 2


def test_all_problems_come_at_once() -> None:
    """Everything that is wrong is told in one go, in the order of the lines, up to a limit."""
    found = problems(
        "boards:\n  a:\n    prt: 1\n  b:\n    host: x\n    gpu: many\n  c: {host: X}\n"
    )
    assert [line.split(":")[1] for line in found] == ["2", "3", "6", "7"]
    many = problems("boards:\n" + "".join(f"  b{n}:\n" for n in range(50)))
    assert len(many) == 21
    assert many[-1] == "… and 30 more"


def test_a_fault_of_the_defaults_is_told_once() -> None:
    """A wrong default is the default's fault, not that of each board."""
    (message,) = problems("defaults:\n  gpu: x\nboards:\n  a: {host: a}\n  b: {host: b}\n")
    assert message.startswith("lab.yaml:2: defaults: gpu must be")


@given(st.text(max_size=200))
def test_any_text_is_an_inventory_or_an_error_with_a_line(text: str) -> None:
    """Whatever the text, there is no other exception, and no control character in the message."""
    try:
        parse_inventory(text, "f")
    except InventoryError as error:
        for line in error.message.split("\n"):
            assert re.match(r"f:\d+: .|… and \d+ more", line)


_KEYS = st.sampled_from([*BoardKeys.model_fields, "password", "x", "defaults", "boards"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["defaults", "boards", "x"]), _VALUES))
def test_any_structure_is_an_inventory_or_an_error_with_a_line(value: object) -> None:
    """Whatever stands where, the error is ours, printable, and names a line."""
    try:
        parse_inventory(json.dumps(value), "f")
    except InventoryError as error:
        for line in error.message.split("\n"):
            assert line.isprintable()
            assert re.match(r"f:1: .|… and \d+ more", line)


def test_boards_are_selected_by_name_and_tag() -> None:
    """Names and tags together select each board once, in the order of the file."""
    inventory = parse_inventory(
        "boards:\n  a: {host: a, tags: [x]}\n  b: {host: b}\n  c: {host: c, tags: [x, y]}\n", "f"
    )

    def names(*wanted: str) -> str:
        return "".join(board.name for board in select_boards(inventory, wanted))

    assert names() == "abc"
    assert names("c", "a") == "ac"
    assert names("@x") == "ac"
    assert names("@y", "b", "@x") == "abc"


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ("shelf1", "no board is called 'shelf1' in lab.yaml", "did you mean 'shelf-1'?"),
        ("@rakc-b", "no board has the tag '@rakc-b' in lab.yaml", "did you mean '@rack-b'?"),
        ("zzz", "no board is called 'zzz' in lab.yaml", "see `jetbench boards list`"),
    ],
)
def test_an_unknown_board_gets_the_nearest_name(wanted: str, message: str, hint: str) -> None:
    """A misspelt name or tag is an error of usage that names the nearest."""
    with pytest.raises(UsageError) as caught:
        select_boards(parse_inventory(FULL, "lab.yaml"), ["shelf-1", wanted])
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_the_example_is_valid_and_names_every_key() -> None:
    """The example of the project parses, and a reader finds each key in it."""
    text = EXAMPLE.read_text("utf-8")
    (board,) = parse_inventory(text, "inventory.yaml").boards
    assert board.user == "nvidia"
    missing = [
        key
        for key in BoardKeys.model_fields
        if not re.search(rf"^[ #]*{key}:", text, re.MULTILINE)
    ]
    assert not missing


def test_the_example_is_valid_with_every_key_in_use() -> None:
    """What stands in the example's comments can be used as it stands."""
    text = EXAMPLE.read_text("utf-8")
    keys = "|".join(BoardKeys.model_fields)
    uncommented = re.sub(rf"^( *)# ?({keys}):", r"\1\2:", text, flags=re.MULTILINE)
    (board,) = parse_inventory(uncommented, "inventory.yaml").boards
    assert board.jump == "user@bastion:22"


def test_the_schema_knows_every_key_and_nothing_else() -> None:
    """An editor is told every key with a description, and refuses others."""
    schema = json.loads(json.dumps(inventory_json_schema()))
    board = schema["$defs"]["BoardKeys"]
    assert board["additionalProperties"] is False
    assert schema["properties"]["boards"]["additionalProperties"] is False
    assert set(board["properties"]) == set(BoardKeys.model_fields)
    assert set(board["properties"]) | {"defaults", "boards"} == set(MUST_BE)
    assert all(key["description"] for key in board["properties"].values())
    assert not any("default" in key for key in board["properties"].values())
