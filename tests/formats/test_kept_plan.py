"""A plan comes back from its JSON as it was, and nothing else passes for one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.bench.plan import kept_again, make_plan
from jetbench.domain.board import Board
from jetbench.domain.errors import ResultError
from jetbench.domain.plan import Options
from jetbench.formats.kept_plan import has_hash, parse_plan, plan_to_json

if TYPE_CHECKING:
    from jetbench.domain.plan import KeptPrototxt, Plan, Prototxt

BOARDS = (
    Board("tx2-01", "192.168.1.31"),
    Board(
        "tx2-02",
        "bench",
        port=2222,
        user="nvidia",
        key="~/.ssh/k",
        jump="a,b",
        tags=("lab",),
        gpu="none",
        env=(("LD_LIBRARY_PATH", "/usr/local/cuda/lib64"),),
        sudo="env:PASSWORD_OF_LAB",
    ),
)
OPTIONS = (
    Options(),
    Options(batches=(1, 4), power_modes=("0", "MAXQ"), gpu="none", phase="TRAIN", seed=7),
    Options(
        batches=(),
        shapes=((("data", (1, 3, 64, 64)),), (("data", (1, 3, 96, 96)),)),
        precision=0.01,
        cooldown_c=None,
        deadline_s=600,
        gpu=1,
        stages=("deploy",),
        telemetry=False,
    ),
)


def read(plan: Plan, text: str, source: str = "plan.json") -> Plan:
    """The plan of a text, its nets taken from another one."""

    def fill(number: int, kept: KeptPrototxt, options: Options) -> Prototxt:
        net = plan.cases[number].prototxt
        assert net is not None
        assert has_hash(net.data(), kept)
        assert not has_hash(net.data() + b" ", kept)
        return kept_again(net.data(), kept, options)

    return parse_plan(text, source, fill)


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_a_plan_comes_back_as_it_was(options: Options) -> None:
    """Boards, options, cases with their costs, trials in order."""
    plan = make_plan(BOARDS, ["squeezenet1.1", "board:models/x.prototxt"], options, ("jetbench",))
    assert read(plan, json.dumps(plan_to_json(plan))) == plan


def test_on_a_board_stands_what_was_asked_for_and_not_where() -> None:
    """Hosts, users and keys of a lab are nobody's business there."""
    plan = make_plan(BOARDS, ["squeezenet1.1"], Options(), ("jetbench", "run"))
    text = json.dumps(plan_to_json(plan, boards=False))
    assert read(plan, text) == replace(plan, boards=())
    for secret in ("192.168.1.31", "PASSWORD_OF_LAB", "~/.ssh/k"):
        assert secret not in text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("options", "iterations"), "50"),
        (("options", "phase"), "BOTH"),
        (("cases",), []),
        (("trials", 0, "case"), 9),
        (("trials", 0, "id"), 0),
        (("cases", 0, "prototxt", "input_shapes"), [["data"]]),
        (("boards", 1, "env"), [["A", "B", "C"]]),
    ],
)
def test_what_is_no_plan_is_named(path: tuple[str | int, ...], value: object) -> None:
    """The message names the file and the place."""
    plan = make_plan(BOARDS, ["squeezenet1.1"], Options(), ("jetbench",))
    document = json.loads(json.dumps(plan_to_json(plan)))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ResultError, match=r"^results/x/plan\.json: "):
        read(plan, json.dumps(document), "results/x/plan.json")


def test_a_hash_is_of_the_bytes_that_are_sent() -> None:
    """Surrogate escapes stand for bytes that are not UTF-8."""
    plan = make_plan(BOARDS, ["squeezenet1.1"], Options(), ("jetbench",))
    net = plan.cases[0].prototxt
    assert net is not None
    assert net.sha256 == hashlib.sha256(net.data()).hexdigest()
