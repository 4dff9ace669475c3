"""What must hold after a command, and after a sweep, whatever has gone wrong meanwhile.

Of each board, and for every seed:

1. Some host's result has each of its trials, measured, and with the number of its own net. Only
   those whose Caffe was killed are `failed` instead, as `killed`. Nothing is `lost`: a sweep is
   taken up again until all of it is there.
2. Every trial that the board has ever finished is in some host's journals, as it was written.
3. No host has a trial measured that was finished in a journal which it has itself.
4. No two parts, of whichever sweep, were at work at the same time.
5. Power state, lock, processes and folders are as before.

After each command: no traceback, an exit code of the contract that fits the result, and for
each trial a number or the reason why there is none.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from jetbench.cli import exit_codes
from tests.chaos.scenario import BOARDS, MODELS, REPEATS, TRIALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.chaos.board import Kept, WatchedBoard
    from tests.chaos.host import Host, Launched

_KILLED = -9
_EVENT = re.compile(rb"^@(\w+)(.*)$", re.MULTILINE)
_UP = re.compile(rb" up=([0-9.]+)")


def check_launched(launched: Launched, sweep: str | None) -> None:
    """How a command has ended is right in itself."""
    said = launched.said() + launched.out.read_text("utf-8")
    assert "Traceback" not in said, f"{launched}: {said}"
    assert "jetbench itself failed" not in said, f"{launched}: {said}"
    status, verb = launched.status, launched.arguments[0]
    if status == _KILLED:
        return
    allowed = {
        "attach": {0, 1, 2, 3, 130},
        "stop": {0, 1, 3},
        "run": {0, 1, 2, 3, 130},
    }[verb]
    assert status in allowed, f"{launched}: {status}: {said}"
    if status == exit_codes.USAGE:
        assert "no board keeps anything of it" in said, f"{launched}: {said}"
        return
    if verb == "stop" or status == exit_codes.INTERRUPTED or "--detach" in launched.arguments:
        return
    if launched.host.name == "rival" and verb == "run":
        check_rival(launched)
        return
    document = launched.host.document(sweep or "")
    assert document is not None, f"{launched}: no result"
    check_document(document)
    assert status == expected_status(document), f"{launched}: {status}: {said}"


def check_document(document: Any) -> None:  # noqa: ANN401 - JSON
    """Each trial of a result has the right number, or a reason why there is none."""
    for record in document["records"]:
        for trial in record["trials"]:
            where = f"{record['board']} {record['model']} {trial['repeat']}"
            if trial["forward_ms"] is None:
                assert trial["failure"]["message"], where
            else:
                assert trial["forward_ms"] == float(f"1{record['model'][1:]}.25"), where
                assert trial["failure"] is None, where


def check_rival(launched: Launched) -> None:
    """Another sweep has had the board for itself, or was told who has it."""
    document = json.loads(launched.out.read_text("utf-8"))
    check_document(document)
    assert launched.status == expected_status(document), launched.said()


def expected_status(document: Any) -> int:  # noqa: ANN401 - JSON
    """The contract's exit code for a result."""
    states = [record["status"] for record in document["records"]]
    if not any(state in {"ok", "suspect"} for state in states):
        return exit_codes.NOTHING
    whole = all(trial["failure"] is None for trial in trials_of(document))
    return exit_codes.OK if whole else exit_codes.FAILED


def trials_of(document: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """All trials of a result."""
    for record in document["records"]:
        yield from record["trials"]


def counted(document: Any, board: str) -> dict[tuple[str, int], str | None]:  # noqa: ANN401
    """A board's trials that count, by model and repetition: the kind of failure, or None."""
    found: dict[tuple[str, int], str | None] = {}
    for record in document["records"]:
        for trial in record["trials"]:
            kind = trial["failure"] and trial["failure"]["kind"]
            if record["board"] == board and kind in {None, "killed"}:
                name = (record["model"], trial["repeat"])
                assert name not in found, f"{board}: {name} twice"
                found[name] = kind
    return found


def is_complete(document: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a result has all trials of all boards."""
    return document is not None and (
        sum(len(counted(document, board)) for board in document["boards"]) == BOARDS * TRIALS
    )


def check_board(
    board: WatchedBoard, sweep: str, hosts: Iterable[Host], *, killed: int
) -> dict[str, int]:
    """What holds of a board after the sweep. Returns how much of what has happened there."""
    hosts = tuple(hosts)
    documents = [document for host in hosts if (document := host.document(sweep)) is not None]
    wanted = {(f"m{model}", repeat + 1) for model in range(MODELS) for repeat in range(REPEATS)}
    whole = [found for each in documents if (found := counted(each, board.name)).keys() == wanted]
    assert whole, f"{board.name}: no host has all of it"
    failed = sum(kind is not None for kind in whole[-1].values())
    assert failed <= killed, f"{board.name}: {failed} trials were killed"
    ours = [kept for kept in board.journals.values() if kept.key.partition("~")[0] == sweep]
    have = {host.name: host.journals(sweep, board.name) for host in hosts}
    for kept in ours:
        at_least = _end_of_done(kept.text)
        assert any(
            text[:at_least] == kept.text[:at_least] for texts in have.values() for text in texts
        ), f"{board.name}: {kept.path.name} is in no host's journals"
    check_once(board.name, ours, have)
    check_alone(board.name, board.journals.values())
    return {"parts": len(ours), "killed": failed}


def finished(text: bytes) -> set[int]:
    """The trials that a journal says are finished."""
    return {
        int(ids[1])
        for kind, rest in _EVENT.findall(text)
        if kind == b"done" and b" stop=" not in rest and (ids := re.match(rb" id=(\d+)", rest))
    } - {0}


def begun(text: bytes) -> list[int]:
    """The trials that a journal says were begun, with repetitions."""
    ids = re.findall(rb"^@trial id=(\d+) ", text, re.MULTILINE)
    return [int(number) for number in ids if number != b"0"]


def _end_of_done(text: bytes) -> int:
    """Where the last trial ends that a journal has whole: what comes after is of no account."""
    ends = [found.end() for found in re.finditer(rb"^@done .*\n", text, re.MULTILINE)]
    return ends[-1] if ends else 0


def check_once(name: str, ours: list[Kept], have: dict[str, list[bytes]]) -> None:
    """No host has a trial measured that was finished in a journal which it has itself."""
    for later, kept in enumerate(ours):
        ids = begun(kept.text)
        assert len(ids) == len(set(ids)), f"{name}: {kept.path.name}: a trial twice"
        for earlier in ours[:later]:
            both = finished(earlier.text) & set(ids)
            mine = any(
                earlier.text[: _end_of_done(earlier.text)] == text[: _end_of_done(earlier.text)]
                for text in have.get(kept.host, [])
            )
            assert not both or not mine, (
                f"{name}: {kept.host} has measured {sorted(both)} in {kept.path.name},"
                f" which were finished in {earlier.path.name}"
            )


def check_alone(name: str, journals: Iterable[Kept]) -> None:
    """By the uptimes in the journals, one part was over before the next began."""
    spans = []
    for kept in journals:
        ups = [float(up) for up in _UP.findall(kept.text)]
        if ups:
            spans.append((ups[0], ups[-1], kept.path.name))
    spans.sort()
    for (_, end, one), (begin, _, other) in pairwise(spans):
        assert end <= begin, f"{name}: {one} and {other} were there at once"


def readable(out: str) -> None:
    """What `compare --format json` has said is JSON."""
    json.loads(out)
