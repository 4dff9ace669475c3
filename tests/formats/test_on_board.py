"""What a board says of the sweeps on it: read where it makes sense, left out where not."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.part import part_key, split_key
from jetbench.formats.on_board import parse_described, parse_status

ID = "20260304-050607-0a1b2c"


def b64(text: str) -> str:
    """As the board writes texts."""
    return base64.b64encode(text.encode()).decode()


HOLDER = f'who="bea@lab" since=2026-03-04T05:06:07Z sweep={ID}'


def test_a_sweep_that_runs_says_how_far_it_is() -> None:
    """Who, since when, on which board, how many trials, and the one that runs."""
    line = (
        f"sweep=1 key={ID} board_b64={b64('tx2-07')} holder_b64={b64(HOLDER)} size=9021 total=12 "
        "running=1 done=5 failed=1 trial=6 began=100.50 repeat=2 "
        f"label_b64={b64('vgg16')} up=103.75"
    )
    status = parse_status(f"held_b64={b64(HOLDER)}\n{line}\nleft_behind=1\n".encode())
    assert status.held_by == {"who": "bea@lab", "since": "2026-03-04T05:06:07Z", "sweep": ID}
    assert status.left_behind
    [part] = status.parts
    assert (part.sweep_id, part.part, part.board, part.who) == (ID, 1, "tx2-07", "bea@lab")
    assert (part.done, part.failed, part.total, part.size_bytes) == (5, 1, 12, 9021)
    assert (part.doing, part.doing_s, part.running, part.end) == ("vgg16 #2", 3.25, True, None)


def test_parts_stand_in_their_order() -> None:
    """The second and tenth one of a sweep after the first."""
    lines = "".join(f"sweep=1 key={part_key(ID, n)} size=1 end=stopped\n" for n in (10, 1, 2))
    assert [part.part for part in parse_status(lines.encode()).parts] == [1, 2, 10]


def test_a_key_is_an_id_and_a_number() -> None:
    """Nothing else names a folder."""
    assert split_key(part_key(ID, 1)) == (ID, 1)
    assert split_key(part_key(ID, 37)) == (ID, 37)
    for other in ("", "..", f"{ID}~0", f"{ID}~1x", f"../{ID}", f"{ID}\n", "~2"):
        assert split_key(other) is None


@given(st.binary(max_size=400))
def test_rubbish_is_no_status_and_no_error(answer: bytes) -> None:
    """Whatever a board sends, reading it ends."""
    parse_status(b"sweep=1 " + answer)
    parse_described(answer)


def test_hostile_names_do_not_pass() -> None:
    """A board's name becomes a folder here; control characters reach no terminal."""
    holder = 'who="\x1b[2Jx" since=now'
    words = f"board_b64={b64('../../etc')} holder_b64={b64(holder)} end=\x1b[1m"
    line = f"sweep=1 key={ID} size=5 {words}"
    [part] = parse_status(line.encode()).parts
    assert part.board is None
    assert part.who == "\\x1b[2Jx"
    assert part.end == "\\x1b[1m"


def test_the_nets_are_given_to_every_case_that_runs_them() -> None:
    """Two power modes of one net are sent as one file."""
    row = "{} {}.prototxt 50 {} {} 1\n"
    rows = "".join(
        row.format(*each) for each in ((0, 0, 0, 0), (1, 0, 0, 0), (2, 0, 1, 1), (3, 2, 1, 2))
    )
    files = {
        "plan.json": "{}",
        "board": "tx2-07",
        "holder": HOLDER,
        "probe": "user=nvidia\n",
        "trials": rows,
        "models/0.prototxt": "name: 'a'",
        "models/2.prototxt": "name: 'b'",
        "whole": "1",
    }
    answer = "".join(f"{name} {b64(text)}\n" for name, text in files.items())
    described = parse_described(answer.encode())
    assert described is not None
    assert (described.board, described.who, described.probe) == (
        "tx2-07",
        "bea@lab",
        b"user=nvidia\n",
    )
    assert described.models == {0: b"name: 'a'", 1: b"name: 'a'", 2: b"name: 'b'"}
    assert parse_described(b"board dHgy\n") is None
