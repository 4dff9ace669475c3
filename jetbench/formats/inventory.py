"""The inventory: which boards there are, and how each is reached.

The keys are described in `jetbench.formats.inventory_schema`. Here the file's text becomes
boards, or one error that names everything that is wrong with it, each with its line.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from pydantic import ValidationError

from jetbench.domain.board import Board, Inventory
from jetbench.domain.errors import InventoryError, UsageError
from jetbench.formats.inventory_schema import MUST_BE, BoardKeys, InventoryFile
from jetbench.formats.inventory_yaml import Document, Path, Problem, YamlError, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

MAX_PROBLEMS_SHOWN = 20

_Keys = dict[str, Any]
"""The keys of one board as they stand in the file, of any type."""

_OTHER_WORDS = {
    "address": "host",
    "alias": "host",
    "default": "defaults",
    "environment": "env",
    "hostname": "host",
    "identity": "key",
    "identity_file": "key",
    "identityfile": "key",
    "ip": "host",
    "login": "user",
    "proxyjump": "jump",
    "proxy_jump": "jump",
    "ssh_key": "key",
    "username": "user",
}
"""What other programs call our keys, in lower case."""

_PASSWORD_KEY = re.compile(r"((sudo|ssh|login|user|key|become)_?)?(pass(word|wd|phrase)?|pw|pwd)")
_PASSWORD_VARIABLE = re.compile(r"(.*_)?(password|passwd|passphrase)", re.IGNORECASE)
_NO_SECRETS = (
    "a password does not belong in a file that is copied, backed up and committed; "
    "use 'sudo: prompt', 'sudo: env:VARIABLE' or 'sudo: command:…'"
)


def parse_inventory(text: str, source: str) -> Inventory:
    """Reads an inventory and checks all of it.

    Args:
        text: The file's content.
        source: The file's name, for messages.

    Returns:
        The boards in the order of the file, the defaults merged in: a board's own key takes
        the place of the whole default, also of lists and mappings.

    Raises:
        InventoryError: Its message has a line ``FILE:LINE: …`` for each thing that is wrong.
    """
    try:
        document = read_yaml(text)
    except YamlError as error:
        _fail(source, [error.problem])
    if not isinstance(document.value, dict):
        _fail(source, [_not_an_inventory(document)])
    own, defaults = _keys_of_boards(document.value)
    _write_numbers_of_env_as_text(document)
    problems = [*document.problems, *_wrong_keys(document)]
    merged = {name: _merge(defaults, keys) for name, keys in own.items()}
    problems += _without_host(document, merged)
    problems += _same_address(document, merged)
    if problems:
        _fail(source, problems)
    boards = tuple(_board(name, keys) for name, keys in merged.items())
    return Inventory(source=source, boards=boards)


def select_boards(inventory: Inventory, names: Sequence[str]) -> tuple[Board, ...]:
    """The boards with one of these names or tags, in the order of the inventory.

    Args:
        inventory: Where to look.
        names: ``NAME`` or ``@TAG`` each; none at all means every board.

    Raises:
        UsageError: Where a name or a tag belongs to no board.
    """
    if not names:
        return inventory.boards
    known = {board.name for board in inventory.boards}
    known |= {f"@{tag}" for board in inventory.boards for tag in board.tags}
    for name in names:
        if name not in known:
            kind = "board has the tag" if name.startswith("@") else "board is called"
            near = nearest(name, known)
            raise UsageError(
                f"no {kind} {name[:80]!r} in {inventory.source}",
                hint=f"did you mean {near!r}?" if near else "see `jetbench boards list`",
            )
    wanted = set(names)
    return tuple(
        board
        for board in inventory.boards
        if board.name in wanted or wanted.intersection(f"@{tag}" for tag in board.tags)
    )


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant; None where no choice is near."""
    return next(iter(difflib.get_close_matches(word, sorted(choices), n=1)), None)


def _fail(source: str, problems: list[Problem]) -> NoReturn:
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
    lines = [f"{source}:{p.line}: {p.message}" for p in ordered[:MAX_PROBLEMS_SHOWN]]
    if len(ordered) > MAX_PROBLEMS_SHOWN:
        lines.append(f"… and {len(ordered) - MAX_PROBLEMS_SHOWN} more")
    raise InventoryError("\n".join(lines), hint="`jetbench init` writes an example of every key")


def _not_an_inventory(document: Document) -> Problem:
    if document.value is None:
        return Problem(1, "there is nothing in it; it needs 'boards:'")
    line = document.marks[()].line
    return Problem(line, "an inventory is keys and values, beginning with 'boards:'")


def _keys_of_boards(top: _Keys) -> tuple[dict[str, _Keys], _Keys]:
    """The keys of each board, and those of the defaults. What is no mapping has none.

    A name with nothing below it is a board whose keys are all defaults; so that the models
    agree, the nothing becomes a mapping.
    """
    if top.get("defaults", {}) is None:
        top["defaults"] = {}
    boards = top.get("boards")
    if not _is_mapping(boards):
        return {}, {}
    for name, keys in boards.items():
        if keys is None:
            boards[name] = {}
    own = {name: keys for name, keys in boards.items() if _is_mapping(keys)}
    defaults = top.get("defaults")
    return own, defaults if _is_mapping(defaults) else {}


def _is_mapping(value: object) -> TypeGuard[_Keys]:
    return isinstance(value, dict)


def _write_numbers_of_env_as_text(document: Document) -> None:
    """``OMP_NUM_THREADS: 4`` can only mean the text; ``true`` could mean 1, so it is left."""
    for path, keys in _places_of_keys(document):
        variables = keys.get("env")
        if _is_mapping(variables):
            for name, value in variables.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    where: Path = (*path, "env", name)
                    variables[name] = document.marks[where].written


def _places_of_keys(document: Document) -> Iterator[tuple[Path, _Keys]]:
    """Every mapping that holds keys of a board, with its path."""
    top = document.value
    if not _is_mapping(top):
        return
    if _is_mapping(top.get("defaults")):
        yield ("defaults",), top["defaults"]
    if _is_mapping(top.get("boards")):
        for name, keys in top["boards"].items():
            if _is_mapping(keys):
                yield ("boards", name), keys


def _wrong_keys(document: Document) -> Iterator[Problem]:
    """What the models refuse, and passwords among the environment variables."""
    try:
        InventoryFile.model_validate(document.value)
    except ValidationError as error:
        # A union says once for each of its members that the value is none of them.
        found = {
            path: str(fault["type"])
            for fault in reversed(error.errors(include_url=False))
            for path in [_known_part(document, fault["loc"])]
        }
        for path, kind in found.items():
            yield Problem(document.marks[path].line, _words(document, path, kind))
    for path, keys in _places_of_keys(document):
        variables = keys.get("env")
        for name in variables if _is_mapping(variables) else ():
            if _PASSWORD_VARIABLE.fullmatch(name):
                where: Path = (*path, "env", name)
                yield Problem(document.marks[where].line, f"{_place(path)}env: {_NO_SECRETS}")


def _known_part(document: Document, location: tuple[int | str, ...]) -> Path:
    """The part of a fault's location that is of the file, not of the models."""
    path = location
    while path not in document.marks:
        path = path[:-1]
    return path


def _words(document: Document, path: Path, kind: str) -> str:
    """What to tell about a fault of pydantic's `kind` at a path."""
    if kind == "extra_forbidden":
        return _unknown_key(document, path)
    depth_of_keys = 2 if path[:1] == ("boards",) else 1
    owner, rest = path[:depth_of_keys], path[depth_of_keys:]
    match rest:
        case ("env", variable):
            return f"{_place(owner)}env: {_variable_advice(str(variable)[:80], kind)}"
        case ("tags", _):
            return f"{_place(owner)}tags must be {MUST_BE['tags']}; a number needs quotes"
        case (str(key),):
            return _wrong_value(document, path, key)
    return _words_for_owner(document, owner, kind)


def _words_for_owner(document: Document, owner: Path, kind: str) -> str:
    """What to tell about a board, the defaults, or the whole file."""
    match owner:
        case ("boards", name) if kind == "string_pattern_mismatch":
            return (
                f"{str(name)[:80]!r} cannot be a board's name, since folders are called by it: "
                "use up to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit"
            )
        case ("boards", name):
            return f"{_place(owner)}needs keys below it, at least 'host: ADDRESS'"
        case ("boards",) if not _value(document, owner):
            return "there is no board below 'boards:'"
        case (str(key),):
            return f"{key} must be {MUST_BE[key]}"
    return "'boards:' is missing"


def _variable_advice(variable: str, kind: str) -> str:
    if kind == "string_pattern_mismatch":
        return f"{variable!r} must be a name of letters, digits and '_', with one line of text"
    return f"put the value of {variable!r} in quotes"


def _unknown_key(document: Document, path: Path) -> str:
    key = str(path[-1])
    if _PASSWORD_KEY.fullmatch(_plain(key)):
        return f"{_place(path[:-1])}{key}: {_NO_SECRETS}"
    if key == "<<":
        return "'<<' is not read; what boards share stands under 'defaults:'"
    is_top = len(path) == 1
    value = _value(document, path)
    if is_top and _is_mapping(value) and "host" in value:
        return f"unknown key {key[:80]!r}; if this is a board, it belongs below 'boards:'"
    known = tuple((InventoryFile if is_top else BoardKeys).model_fields)
    near = _nearest_key(key, known)
    advice = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
    return f"{_place(path[:-1])}unknown key {key[:80]!r}; {advice}"


def _plain(key: str) -> str:
    return key.lower().replace("-", "_")


def _nearest_key(key: str, known: Collection[str]) -> str | None:
    other = _OTHER_WORDS.get(_plain(key))
    return other if other in known else nearest(_plain(key), known)


def _wrong_value(document: Document, path: Path, key: str) -> str:
    value = _value(document, path)
    message = f"{_place(path[:-1])}{key} must be {MUST_BE[key]}"
    if value is None:
        return f"{message}, not empty"
    if key == "sudo":
        # Whatever stands here may be a password: it is not repeated.
        near = nearest(str(value).lower(), ("auto", "nopasswd", "prompt"))
        return f"{message}; " + (f"did you mean {near!r}?" if near else _NO_SECRETS)
    if key in {"port", "gpu"} and isinstance(value, str):
        quoted = value.isdecimal() and value == str(int(value[:9]))
        return f"{message}; without quotes" if quoted else f"{message}, not {value[:40]!r}"
    if isinstance(value, bool | int | float):
        written = document.marks[path].written
        is_text = key not in {"port", "gpu", "tags", "env"}
        return f"{message}, not {written}" + ("; put it in quotes" if is_text else "")
    return message


def _place(path: Path) -> str:
    """Whose key it is, to begin a message with."""
    if not path:
        return ""
    name = str(path[-1])[:63]
    return f"{name if name.isprintable() else ascii(name)}: "


def _value(document: Document, path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    value: Any = document.value
    for part in path:
        value = value[part]
    return value


def _merge(defaults: _Keys, own: _Keys) -> _Keys:
    """A board that names its Caffe folder means the program in it, not the default one."""
    merged = defaults | own
    if "caffe_root" in own and "caffe" not in own:
        merged.pop("caffe", None)
    return merged


def _without_host(document: Document, merged: dict[str, _Keys]) -> Iterator[Problem]:
    """Boards without an address, but where the key is only misspelt: that is told already."""
    for name, keys in merged.items():
        if "host" in keys or any(_nearest_key(key, ("host",)) for key in keys):
            continue
        path: Path = ("boards", name)
        message = "'host' is missing: an address, or an alias of ssh_config"
        yield Problem(document.marks[path].line, f"{_place(path)}{message}")


def _same_address(document: Document, merged: dict[str, _Keys]) -> Iterator[Problem]:
    """Two names for one board would measure on it at the same time.

    The same address behind another bastion, or at another site, is another network.
    """
    first: dict[tuple[str, ...], str] = {}
    for name, keys in merged.items():
        host = keys.get("host")
        if not isinstance(host, str):
            continue
        place = {"port": 22, "jump": "none", "site": None} | keys
        address = (host.lower(), *(str(place[key]) for key in ("port", "jump", "site")))
        other = first.setdefault(address, name)
        if other != name:
            path: Path = ("boards", name)
            line = document.marks["boards", other].line
            message = f"the same address as {_place(('boards', other))[:-2]} in line {line}"
            yield Problem(document.marks[path].line, f"{_place(path)}{message}")


def _board(name: str, keys: _Keys) -> Board:
    """Keys that the models have let through."""
    values = dict(keys)
    values["tags"] = tuple(dict.fromkeys(keys.get("tags", ())))
    values["env"] = tuple(keys.get("env", {}).items())
    return Board(name=name, **values)
